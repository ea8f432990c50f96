"""Which functions of a module changed."""

from __future__ import annotations

import pytest

from governance.runs.functions import compare_modules

WAS = b'''"""What it is."""
import re

WORDS = {"good"}


def outer(x):
    """Says."""
    def inner():
        return x
    return inner()


class Thing:
    size: int = 1

    def method(self):
        return 1

    class Part:
        def deep(self):
            return 2
'''


def changes(was: bytes, now: bytes) -> dict[str, str]:
    found = compare_modules(was, now)
    assert found is not None
    return {f"{piece.kind} {piece.name}".strip(): piece.how for piece in found}


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (b"return x\n", b"return x + 1\n", {"function outer": "changed"}),
        (b'"good"', b'"good", "bad"', {"value WORDS": "changed"}),
        (b"return 1", b"return 11", {"method Thing.method": "changed"}),
        (b"return 2", b"return 22", {"method Thing.Part.deep": "changed"}),
        (b"size: int = 1", b"size: int = 2", {"class Thing": "changed"}),
        (b"class Thing:", b"class Thing(dict):", {"class Thing": "changed"}),
        (b"def outer(x)", b"def outer(x, y=1)", {"function outer": "changed"}),
        (b"def outer", b"async def outer", {"function outer": "changed"}),
        (b"def method", b"def other", {"method Thing.other": "added", "method Thing.method": "removed"}),
        (b"import re", b"import os", {"module level": "changed"}),
        (b'"""Says."""', b'"""Says more."""', {"function outer": "docstring only"}),
        (b'"""What it is."""', b'"""What it was."""', {"module level": "docstring only"}),
        (b"\n\n\nclass", b"  # a comment\n\n\n\nclass", {}),
        (b'{"good"}', b"{\n    'good',\n}", {}),
    ],
)
def test_each_edit_is_found_under_the_name_of_what_it_changed(was, now, expected):
    """By qualified name; layout and comments are no change, and a docstring is told as one."""
    assert was in WAS
    assert changes(WAS, WAS.replace(was, now)) == expected


def test_another_order_of_definitions_is_named():
    """What a module does while it is imported may depend on it."""
    found = changes(b"def f(): pass\ndef g(): pass\n", b"def g(): pass\ndef f(): pass\n")
    assert found == {"module level order of definitions": "changed"}


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"seed(1)\nX = random()\n", b"X = random()\nseed(1)\n"),
        (b"seed(1)\nX = random()\nseed(2)\n", b"seed(2)\nX = random()\nseed(1)\n"),
        (b"def f(): pass\ncall()\n", b"call()\ndef f(): pass\n"),
        (b"class A:\n    def f(self): pass\n    x = f\n", b"class A:\n    x = f\n    def f(self): pass\n"),
        (b"n = 1\nm = n\nn = 2\n", b"n = 1\nn = 2\nm = n\n"),
    ],
    ids=["statement_and_value", "two_statements", "statement_and_function", "inside_a_class", "a_value_given_twice"],
)
def test_statements_that_move_are_no_formatting(was, now):
    """The random numbers of a module depend on which statement stands first."""
    assert changes(was, now)["module level order of definitions"] == "changed"
    assert changes(was, was) == {}


def test_what_came_or_went_between_others_moved_nothing():
    """Only what stands in both texts can have another order."""
    was = b'"""Says."""\nseed(1)\ndef f(): pass\nX = 1\nseed(1)\n'
    assert changes(was, was.replace(b'"""Says."""\n', b"")) == {"module level": "docstring only"}
    assert changes(was, was.replace(b"seed(1)\ndef", b"def")) == {"module level": "changed"}
    assert changes(was, was.replace(b"X = 1", b"Y = 1")) == {"value Y": "added", "value X": "removed"}


def test_overloads_and_properties_under_one_name_are_one_piece():
    """A setter that changed is a change of the name that it stands under."""
    was = b"class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): self.y = v\n"
    assert changes(was, was.replace(b"self.y = v", b"self.z = v")) == {"method A.x": "changed"}


@pytest.mark.parametrize("text", [b"print 1\n", b"\x00", b"\xff\xfe\xfa", b"(" * 5000])
def test_what_is_no_python_is_unknown_and_no_error(text):
    """Neither as the earlier nor as the later text."""
    assert compare_modules(text, b"x = 1\n") is None
    assert compare_modules(b"x = 1\n", text) is None


def test_a_text_that_only_warns_is_read():
    """An invalid escape is the author's business."""
    assert changes(b"a = '\\d'\n", b"a = '\\w'\n") == {"value a": "changed"}


def test_assignments_are_named_by_what_they_change():
    """Targets of any form."""
    was = b"a, b = 1, 2\nt['k'] = 1\nc.d = 1\nn: int = 1\nn += 1\n"
    now = b"a, b = 1, 3\nt['k'] = 2\nc.d = 2\nn: int = 2\nn += 1\n"
    assert changes(was, now) == {
        "value a, b": "changed",
        "value t": "changed",
        "value c": "changed",
        "value n": "changed",
    }
