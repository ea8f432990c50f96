"""Is a source seen through whatever stands around its function, and whatever its code reads of itself?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from governance.fingerprint import behaviour

WRAPPED = '''
import datetime
import decimal
import enum
import functools
import operator
import typing
from pathlib import Path


class Scaled:
    k = 2

    def __init__(self, function, k=1):
        functools.update_wrapper(self, function)
        self.k = k

    def __call__(self, text):
        return self.__wrapped__(text) * self.k


class Slotted:
    __slots__ = ("__wrapped__", "least")

    def __init__(self, function):
        self.__wrapped__, self.least = function, 4

    def __call__(self, text):
        return max(self.least, self.__wrapped__(text))


class Partial(functools.partial):
    def __call__(self, text):
        return super().__call__(text) + 5


class Percent(property):
    def __get__(self, one, owner=None):
        return super().__get__(one, owner) * 100


class Static(staticmethod):
    def __call__(self, text):
        return super().__call__(text) + 8


class Words(type(Path())):
    def read_text(self):
        return "words"


class Money(decimal.Decimal):
    def rounded(self):
        return int(self) + 6


class Counting(type):
    def __call__(cls, text):
        return len(text) + 7


class Counted(metaclass=Counting):
    pass


class Side(enum.Enum):
    BAD = 1
    GOOD = 2


class Judge:
    share = Percent(lambda self: 3)


@functools.cache
def cached(text):
    return len(text)


cached.limit = 9


def inner(text):
    """Counts."""
    return len(text)


def scored(text):
    """Scores."""
    return len(text)


SCORED = Scaled(scored, k=3)
SLOTTED = Slotted(inner)
PARTIAL = Partial(inner)
STATIC = Static(inner)
MONEY = Money("1.5")
WORDS = Words("nothing-here")
JUDGE = Judge()


def vote(text):
    return (
        SCORED(text) + SLOTTED(text) + PARTIAL(text) + STATIC(text) + MONEY.rounded() + len(WORDS.read_text())
        + Counted(text) + list(Side)[0].value + JUDGE.share + cached.limit
    )
'''
NEW = {
    "state of a wrapper": ("k=3", "k=0"),
    "code of a wrapper": ("self.__wrapped__(text) * self.k", "self.__wrapped__(text) - self.k"),
    "what a wrapper wraps": ('    """Scores."""\n    return len(text)', "    return len(text) + 1"),
    "state of a wrapper with slots": ("function, 4", "function, 3"),
    "code of a wrapper with slots": ("max(self.least", "min(self.least"),
    "code of a derived partial": ("(text) + 5", "(text) - 5"),
    "code of a derived property": ("* 100", "/ 100"),
    "code of a derived static method": ("(text) + 8", "(text) - 8"),
    "code of a derived path": ('return "words"', 'return "others"'),
    "code of a derived number": ("int(self) + 6", "int(self) - 6"),
    "value of a derived number": ('Money("1.5")', 'Money("2.5")'),
    "calling a class": ("len(text) + 7", "len(text) - 7"),
    "order of members": ("    BAD = 1\n    GOOD = 2", "    GOOD = 2\n    BAD = 1"),
    "attribute of a cached function": ("cached.limit = 9", "cached.limit = 8"),
}
SAME = {
    "docstring of a wrapped function": ('"""Scores."""', '"""Scores well."""'),
    "docstring of a function": ('"""Counts."""', '"""Counts all."""'),
    "comment in a wrapper": ("        self.k = k", "        self.k = k  # kept"),
}
#: how code may read what is otherwise no part of a version, and the edit that it would see
READS = {
    "docstring": ("inner.__doc__", '"""Counts."""', '"""Counts all."""'),
    "docstring by getattr": ('getattr(inner, "__doc__")', '"""Counts."""', '"""Counts all."""'),
    "docstring by a name made while running": ("getattr(inner, text)", '"""Counts."""', '"""Counts all."""'),
    "docstring by an object": ('operator.attrgetter("__doc__")(inner)', '"""Counts."""', '"""Counts all."""'),
    "docstring of a wrapper": ("SCORED.__doc__", '"""Scores."""', '"""Scores well."""'),
    "docstring of a class": ("Judge.__doc__", "class Judge:", 'class Judge:\n    """Judges."""'),
    "annotation": ('inner.__annotations__["text"]', "def inner(text):", "def inner(text: str):"),
    "type hints": ("typing.get_type_hints(inner)", "def inner(text):", "def inner(text: str):"),
    "name of a class": ("type(JUDGE).__name__", "Judge", "Referee"),
    "name of a function": ("inner.__name__", "inner", "within"),
}
#: how code may see more than is compared
INSIDE = {
    "code object": "inner.__code__.co_consts",
    "attributes": "len(Judge.__dict__)",
    "source text": "__import__('inspect').getsource(inner)",
    "inspect, imported": "hints(inner)",
    "module inspect": "inspect.signature(inner)",
}


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    number = iter(range(100))

    def made(text: str):
        folder = tmp_path / str(next(number))
        folder.mkdir()
        (folder / "edited_wrappers.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, "edited_wrappers", raising=False)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            return behaviour(importlib.import_module("edited_wrappers").vote)

    yield made
    sys.modules.pop("edited_wrappers", None)


def edited(old: str, new: str, text: str = WRAPPED) -> str:
    assert old in text
    return text.replace(old, new)


def test_wrappers_are_seen_through(version):
    """None of it is opaque."""
    assert version(WRAPPED).opaque == ()


@pytest.mark.parametrize("name", NEW)
def test_an_edit_around_a_function_is_a_new_version(name, version):
    """Class, state and code of whatever wraps count as much as what is wrapped."""
    assert version(edited(*NEW[name])).digest != version(WRAPPED).digest


@pytest.mark.parametrize("name", SAME)
def test_an_edit_of_words_around_a_function_is_the_same_version(name, version):
    """What a wrapper copies from its function is no behaviour where nobody reads it."""
    assert version(edited(*SAME[name])) == version(WRAPPED)


@pytest.mark.parametrize("name", READS)
def test_words_count_where_they_are_read(name, version):
    """Code that reads names, docstrings or annotations has a new version when these change."""
    expression, old, new = READS[name]
    text = edited("+ cached.limit", f"+ cached.limit + len(str({expression}))")
    assert version(text).digest != version(edited(old, new, text)).digest


@pytest.mark.parametrize("name", INSIDE)
def test_looking_inside_is_opaque(name, version):
    """Code that looks at code objects, attributes or source texts is named as opaque."""
    text = edited("import typing", "import inspect\nimport typing\nfrom inspect import getsource as hints")
    found = version(edited("+ cached.limit", f"+ cached.limit + len(str({INSIDE[name]}))", text))
    assert any("shows more than is compared" in why or "by a name made" in why for why in found.opaque)


class Proxy:
    """Says that it is what it stands for, and does something else."""

    def __init__(self, function):
        self.__wrapped__ = function

    @property
    def __class__(self):
        return type(self.__wrapped__)

    def __call__(self, text):
        return -self.__wrapped__(text)


def test_a_proxy_is_not_taken_for_what_it_stands_for():
    """An object that answers with another's class is opaque, and differs from the other."""
    found = behaviour(Proxy(len))
    assert any("stands in for another object" in why for why in found.opaque)
    assert found.digest != behaviour(len).digest

    def vote(text: str) -> int:
        return len(text)

    assert any("stands in" in why for why in behaviour(Proxy(vote)).opaque)
