"""Is code that is seldom met in a labelling function seen through as well?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from governance.fingerprint import behaviour

RARE = """
import collections
import dataclasses
import decimal
import enum
import operator
import re
import edited.deep as deep
from collections import Counter, deque, namedtuple


class Side(enum.Enum):
    BAD = 0
    GOOD = 1


@dataclasses.dataclass(frozen=True)
class Rule:
    word: str
    weight: int = 2
    tags: list = dataclasses.field(default_factory=list)


class Slotted:
    __slots__ = ("limit",)

    def __init__(self, limit):
        self.limit = limit


class Base:
    def least(self):
        return 1


class Judge(Base):
    @property
    def most(self):
        return 9

    @staticmethod
    def extent(text):
        return len(text)

    @classmethod
    def made(cls):
        return cls()


Point = namedtuple("Point", "x y")
RULES = [Rule("good"), Rule("fine", 3)]
SLOTTED = Slotted(5)
COUNTS = Counter("aab")
RECENT = deque([1, 2], maxlen=5)
GROUPS = collections.defaultdict(list, {"a": [1]})
FIRST = operator.itemgetter(0)
PRICE = decimal.Decimal("1.50")
POINT = Point(1, 2)
JUDGE = Judge.made()
MIXED = {1, "a", (2, 3)}
VIEW = memoryview


def vote(text, *rest, least=1, **more):
    total = 0
    def add(amount):
        nonlocal total
        total += amount
        return total
    class Local:
        kind: int = 3
        def of(self, value):
            return value + self.kind
    for rule in RULES:
        if rule.word in text and (size := len(rule.word)) > 2:
            add(rule.weight * size)
    match text.split():
        case ["so", adjective, *others]:
            add(len(adjective) + len(others))
        case {"key": value, **remaining}:
            add(len(remaining))
        case Point(x=1) as point:
            add(point.y)
    lengths = {word: n for n, word in enumerate(text.split()) if (least := n)}
    pairs = [(a, b) for a in text for b in text[1:]]
    with deep.opened() as handle:
        add(len(handle))
    worst = Side.BAD.value
    return (
        sum(map(lambda pair: pair[0] < pair[1], pairs)) + SLOTTED.limit + COUNTS["a"] + RECENT[0]
        + len(GROUPS["a"]) + FIRST([1]) + int(PRICE) + POINT.x + JUDGE.least() + JUDGE.most + len(MIXED)
        + worst + Local().of(1) + deep.inner.VALUE + len(lengths)
    )
"""
FILES = {
    "__init__.py": "",
    "m.py": RARE,
    "deep/__init__.py": "import contextlib\nfrom edited.deep import inner\n"
    "\n@contextlib.contextmanager\ndef opened():\n    yield [1]\n",
    "deep/inner.py": "VALUE = 4\nOTHER = 5\n",
}
NEW = {
    "member of an enumeration": ("m.py", "BAD = 0", "BAD = 5"),
    "default of a dataclass": ("m.py", "weight: int = 2", "weight: int = 4"),
    "field of an instance": ("m.py", 'Rule("good")', 'Rule("nice")'),
    "slot": ("m.py", "Slotted(5)", "Slotted(6)"),
    "counter": ("m.py", 'Counter("aab")', 'Counter("abb")'),
    "queue": ("m.py", "deque([1, 2]", "deque([2, 1]"),
    "mapping with a default": ("m.py", '{"a": [1]}', '{"a": [2]}'),
    "factory of a mapping": ("m.py", "defaultdict(list", "defaultdict(tuple"),
    "object of Python's own": ("m.py", "itemgetter(0)", "itemgetter(1)"),
    "decimal": ("m.py", '"1.50"', '"1.5"'),
    "named tuple": ("m.py", "Point(1, 2)", "Point(1, 3)"),
    "inherited method": ("m.py", "return 1\n", "return 2\n"),
    "property": ("m.py", "return 9", "return 8"),
    "static method": ("m.py", "return len(text)\n", "return len(text) + 1\n"),
    "element of a set": ("m.py", "(2, 3)", "(2, 4)"),
    "what an inner function changes": (
        "m.py",
        "        nonlocal total\n        total += amount",
        "        total = 0\n        total += amount",
    ),
    "class inside the function": ("m.py", "kind: int = 3", "kind: int = 4"),
    "method inside the function": ("m.py", "return value + self.kind", "return value - self.kind"),
    "case": ("m.py", 'case ["so"', 'case ["very"'),
    "attribute in a case": ("m.py", "Point(x=1)", "Point(y=1)"),
    "keyword default": ("m.py", "least=1", "least=2"),
    "value in a nested module": ("deep/inner.py", "VALUE = 4", "VALUE = 6"),
    "helper behind a decorator of Python's own": ("deep/__init__.py", "yield [1]", "yield [1, 2]"),
    "lambda": ("m.py", "pair[0] < pair[1]", "pair[0] > pair[1]"),
}
SAME = {
    "name of the other keywords": ("m.py", "**more", "**others_given"),
    "renamed variable of an outer function": ("m.py", "total", "tally"),
    "renamed walrus": ("m.py", "size", "length"),
    "renamed capture": ("m.py", "adjective", "word_found"),
    "renamed rest of a mapping": ("m.py", "remaining", "left_over"),
    "renamed handle": ("m.py", "handle", "opened_thing"),
    "renamed pair": ("m.py", "(a, b) for a in text for b in text[1:]", "(p, q) for p in text for q in text[1:]"),
    "unused value in a nested module": ("deep/inner.py", "OTHER = 5", "OTHER = 6"),
    "pass": ("m.py", "    total = 0\n    def add", "    total = 0\n    pass\n    def add"),
}


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    number = iter(range(100))

    def made(files: dict[str, str]):
        folder = tmp_path / str(next(number))
        for file, text in files.items():
            place = folder / "edited" / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        for module in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
            monkeypatch.delitem(sys.modules, module)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            return behaviour(importlib.import_module("edited.m").vote)

    yield made
    for module in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
        del sys.modules[module]


def edited(edit: tuple[str, str, str]) -> dict[str, str]:
    file, old, new = edit
    assert old in FILES[file]
    return {**FILES, file: FILES[file].replace(old, new)}


@pytest.mark.parametrize("name", NEW)
def test_an_edit_of_rarer_code_is_a_new_version(name, version):
    """Classes, captures, queues, slots and modules within modules count."""
    assert version(edited(NEW[name])).digest != version(FILES).digest


@pytest.mark.parametrize("name", SAME)
def test_an_edit_of_names_in_rarer_code_is_the_same_version(name, version):
    """Wherever a local name is bound, renaming it changes nothing."""
    assert version(edited(SAME[name])) == version(FILES)


def test_rarer_code_is_seen_through(version):
    """None of it is opaque."""
    assert version(FILES).opaque == ()
