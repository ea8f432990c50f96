"""What changes the version of a function, and what does not?"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import re
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.fingerprint import Behaviour, behaviour

MODULE = '''
import re
from edited import helper
from edited.helper import shift
from functools import partial
from importlib import resources
from pathlib import Path
from governance.sources import source

WORDS = ["good", "fine"]
LIMITS = {"low": 1, "high": 2}
PATTERN = re.compile("go+d")
LEXICON = __import__("pathlib").Path(__file__).with_name("lexicon.txt")


def twice(function):
    def inner(text):
        return function(text) * 2
    return inner


def plus(function):
    def inner(text):
        return function(text) + 1
    return inner


def bound(limit):
    def inner(text):
        return len(text) > limit
    return inner


class Judge:
    """Judges."""

    strictness = 3

    def judge(self, text):
        """One text."""
        return len(text) > self.strictness


class Base:
    def scaled(self, number):
        return number * self.most


class Other:
    def scaled(self, number):
        return number + self.most


class Scale(Base):
    def __init__(self, most):
        self.most = most


class Function:
    """Votes by a function, as labelling functions of other tools do."""

    def __init__(self, name, function, resources, pre):
        self.name, self.function, self.resources, self.pre = name, function, resources, pre

    def __call__(self, text):
        for change in self.pre:
            text = change(text)
        return self.function(text, self.resources["stop"])


def times(number):
    def around(function):
        def inner(text):
            return function(text) * number
        return inner
    return around


@times(3)
def many(text):
    return 1


def weighed(text, *rest, weight=1):
    return len(text) * weight + len(rest)


def lower(text):
    return text.lower()


def strip(text):
    return text.strip()


def stopped(text, stop):
    return len([word for word in text.split() if word not in stop])


def ask(text):
    return Path(__file__).with_name("prompt.txt").read_text() + "Answer yes or no" + text


def files():
    with open("words.txt") as lines:
        words = lines.read()
    negations = (Path(__file__).parent / "data" / "negations.txt").read_text()
    slang = resources.files("edited.data").joinpath("slang.txt").read_text()
    return words + negations + slang + str(Path(__file__).with_name("model.bin").read_bytes())


longer = bound(3)
judge = Judge()
part = partial(bound, 3)
worded = partial(bound, limit=5)
scale = Scale(10)
function = Function("stopped", stopped, {"stop": ["the"]}, [lower, strip])


@plus
@twice
def decorated(text):
    return len(text)


def vote(text: str, least: int = 1) -> int:
    """Votes."""
    # counts the words
    found = [word for word in WORDS if word in text]
    total = len(found) + helper.count(text) + shift(1)
    total += weighed(text, weight=1) + many(text) + part()(text) + worded()(text) + scale.scaled(1)
    total += function(text) + len(ask(text)) + len(files())
    if PATTERN.search(text) and longer(text) and judge.judge(text):
        total += LIMITS["low"] + decorated(text)
    try:
        total += len(LEXICON.read_text())
    except OSError as problem:
        total -= len(str(problem))
    return total if total >= least else -1
'''
HELPER = """
WEIGHT = 2


def count(text):
    return text.count("a") * WEIGHT


def shift(number):
    return number + 1


def unused(text):
    return 0
"""
HEAD, FIRST, SECOND, THIRD = HELPER.split("\n\n\n")
REORDERED = "\n\n\n".join([HEAD, THIRD.rstrip(), SECOND, FIRST + "\n"])
FILES = {
    "m.py": MODULE,
    "helper.py": HELPER,
    "lexicon.txt": "good\n",
    "__init__.py": "",
    "words.txt": "fine\n",
    "prompt.txt": "Is this good?\n",
    "model.bin": "weights 1",
    "data/__init__.py": "",
    "data/negations.txt": "not\n",
    "data/slang.txt": "gr8\n",
    "data/unused.txt": "nothing\n",
}

NEW = {
    "body": ("m.py", 'LIMITS["low"] + decorated', 'LIMITS["high"] + decorated'),
    "operator": ("m.py", "total >= least", "total > least"),
    "constant": ("m.py", "else -1", "else 0"),
    "global list": ("m.py", '["good", "fine"]', '["good", "fine", "nice"]'),
    "order of a global list": ("m.py", '["good", "fine"]', '["fine", "good"]'),
    "global dictionary": ("m.py", '"low": 1', '"low": 7'),
    "closure value": ("m.py", "= bound(3)", "= bound(4)"),
    "default": ("m.py", "least: int = 1", "least: int = 2"),
    "helper in the same module": ("m.py", "len(text) > limit", "len(text) >= limit"),
    "helper in another module": ("helper.py", 'text.count("a")', 'text.count("b")'),
    "helper taken by name": ("helper.py", "number + 1", "number + 2"),
    "global of a helper": ("helper.py", "WEIGHT = 2", "WEIGHT = 3"),
    "compiled pattern": ("m.py", '"go+d"', '"go*d"'),
    "flag of a pattern": ("m.py", 're.compile("go+d")', 're.compile("go+d", re.IGNORECASE)'),
    "lexicon file": ("lexicon.txt", "good", "better"),
    "decorator order": ("m.py", "@plus\n@twice", "@twice\n@plus"),
    "decorator gone": ("m.py", "@plus\n@twice", "@plus"),
    "body of a decorator": ("m.py", "function(text) * 2", "function(text) * 3"),
    "attribute of an object's class": ("m.py", "strictness = 3", "strictness = 4"),
    "method of an object": ("m.py", "> self.strictness", ">= self.strictness"),
    "name of an attribute": ("m.py", "text.find", "text.index"),
    "caught exception": ("m.py", "except OSError", "except ValueError"),
    "argument that a call names": ("m.py", "weight", "factor"),
    "default of a keyword": ("m.py", "*rest, weight=1", "*rest, weight=2"),
    "argument of a decorator": ("m.py", "@times(3)", "@times(4)"),
    "argument of a partial": ("m.py", "partial(bound, 3)", "partial(bound, 2)"),
    "keyword of a partial": ("m.py", "limit=5", "limit=6"),
    "file named by a text": ("words.txt", "fine", "fair"),
    "file in a folder, joined by parts": ("data/negations.txt", "not", "never"),
    "file of a package": ("data/slang.txt", "gr8", "l8"),
    "prompt in a file": ("prompt.txt", "Is this good?", "Is this bad?"),
    "prompt in the code": ("m.py", "Answer yes or no", "Answer 1 or 0"),
    "model file": ("model.bin", "weights 1", "weights 2"),
    "attribute of an object": ("m.py", "Scale(10)", "Scale(11)"),
    "base class": ("m.py", "class Scale(Base)", "class Scale(Other)"),
    "preprocessor": ("m.py", "text.lower()", "text.upper()"),
    "order of preprocessors": ("m.py", "[lower, strip]", "[strip, lower]"),
    "resource": ("m.py", '"stop": ["the"]', '"stop": ["a"]'),
}
SAME = {
    "comment": ("m.py", "# counts the words", "# something else"),
    "docstring": ("m.py", '"""Votes."""', '"""Votes, at length."""'),
    "no docstring": ("m.py", '    """Votes."""\n', ""),
    "docstring of a method": ("m.py", '"""One text."""', '"""Another."""'),
    "docstring of a class": ("m.py", '"""Judges."""', '"""Does judge."""'),
    "annotation": ("m.py", "text: str, least: int = 1", "text, least: float = 1"),
    "annotated local": ("m.py", "    found = [", "    found: list = ["),
    "formatting": (
        "m.py",
        "total = len(found) + helper.count(text) + shift(1)",
        "total = (len(found)\n + helper.count( text ) + shift(1))",
    ),
    "blank lines": ("m.py", "LIMITS =", "\n\n\n\nLIMITS ="),
    "renamed local": ("m.py", "found", "seen"),
    "renamed variable of a comprehension": (
        "m.py",
        "word for word in WORDS if word in text",
        "w for w in WORDS if w in text",
    ),
    "renamed exception": ("m.py", "problem", "trouble"),
    "quotes": ("m.py", '["good", "fine"]', "['good', 'fine']"),
    "unused helper": ("helper.py", "return 0", "return 1"),
    "unused global": ("m.py", "LIMITS =", "UNUSED = 1\nLIMITS ="),
    "spelled number": ("m.py", "= bound(3)", "= bound(0b11)"),
    "argument that nobody names": ("m.py", "least", "fewest"),
    "other arguments": ("m.py", "rest", "others"),
    "order of imports": ("m.py", "import re\nfrom edited import helper", "from edited import helper\nimport re"),
    "import that nobody uses": ("m.py", "import re\n", "import re\nimport json\n"),
    "comment in a helper": ("helper.py", "WEIGHT = 2", "WEIGHT = 2  # for now"),
    "file that nobody opens": ("data/unused.txt", "nothing", "something"),
    "order of functions": ("helper.py", HELPER, REORDERED),
    "trailing comma": ("m.py", '["good", "fine"]', '["good", "fine",]'),
    "mark as a source": ("m.py", "def vote(", "@source('votes')\ndef vote("),
}


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the files as a package, imports it afresh and answers the behaviour of one of its names."""
    number = iter(range(1000))

    def made(files: dict[str, str], name: str = "vote") -> Behaviour:
        folder = tmp_path / str(next(number))
        for file, text in files.items():
            (folder / "edited" / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / "edited" / file).write_text(text, encoding="utf-8")
        for module in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
            monkeypatch.delitem(sys.modules, module)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            return behaviour(getattr(importlib.import_module("edited.m"), name))

    yield made
    for module in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
        del sys.modules[module]


def edited(edit: tuple[str, str, str]) -> dict[str, str]:
    file, old, new = edit
    files = {**FILES, "m.py": MODULE.replace("len(text)\n\n\ndef vote", 'text.find("x")\n\n\ndef vote')}
    assert old in files[file]
    return {**files, file: files[file].replace(old, new)}


@pytest.mark.parametrize("name", NEW)
def test_an_edit_of_behaviour_is_a_new_version(name, version):
    """Whatever may change a vote gives another digest."""
    base = {**FILES, "m.py": MODULE.replace("len(text)\n\n\ndef vote", 'text.find("x")\n\n\ndef vote')}
    assert version(edited(NEW[name])).digest != version(base).digest


@pytest.mark.parametrize("name", SAME)
def test_an_edit_of_words_is_the_same_version(name, version):
    """What nobody's vote depends on leaves the digest as it was, also in another folder."""
    base = {**FILES, "m.py": MODULE.replace("len(text)\n\n\ndef vote", 'text.find("x")\n\n\ndef vote')}
    assert version(edited(SAME[name])) == version(base)


def test_nothing_in_the_example_is_opaque(version):
    """Every part of the example can be seen through, so that no verdict above rests on a lucky guess."""
    assert version(FILES).opaque == ()
    assert version(FILES).packages == ()


FACTORY = """
def keyword(word):
    def vote(text):
        return 1 if word in text else -1
    return vote

first, second, again = keyword("good"), keyword("bad"), keyword("good")
small, large = (lambda text: len(text) < 9), (lambda text: len(text) > 9)
"""


def test_the_table_of_edits_is_long():
    """At least 25 edits of behaviour and 20 of words have a verdict above."""
    assert len(NEW) >= 25
    assert len(SAME) >= 20


def test_names_count_where_calls_are_made_of_names(version):
    """`f(**made)` may name any argument, so that renaming one is a new version."""
    text = (
        "def helper(low, high):\n    return low\n\ndef vote(text):\n    return helper(**{k: 1 for k in text.split()})\n"
    )
    files = {"m.py": text, "__init__.py": ""}
    assert version({**files, "m.py": text.replace("low", "least")}).digest != version(files).digest


def test_an_argument_that_only_a_value_names_counts(version):
    """A resource or a partial names arguments too, and swapping two of them is noticed."""
    text = (
        "from functools import partial\ndef score(one, two, text):\n    return one - two\n"
        "vote = partial(score, **{'one': 1, 'two': 2})\n"
    )
    files = {"m.py": text, "__init__.py": ""}
    swapped = text.replace("(one, two, text)", "(two, one, text)").replace("one - two", "two - one")
    assert version({**files, "m.py": swapped}).digest != version(files).digest


def test_the_text_for_people_keeps_names_and_loses_comments(version):
    """Beside the digest stands what the code says, the same whatever the comments and docstrings are."""
    texts = dict(version(FILES).texts)
    assert texts["edited.helper.count"] == "def count(text):\n    return text.count('a') * WEIGHT"
    assert "found = [word for word in WORDS if word in text]" in texts["edited.m.vote"]
    assert not any("Votes." in text or "# counts" in text or ": str" in text for text in texts.values())
    assert version(edited(SAME["comment"])).texts == version(edited(SAME["docstring"])).texts


def test_functions_of_one_factory_have_versions_of_their_own(version):
    """Two functions from one source text differ where their closures do, and are equal where these are."""
    files = {"m.py": FACTORY, "__init__.py": ""}
    assert version(files, "first").digest != version(files, "second").digest
    assert version(files, "first").digest == version(files, "again").digest


def test_two_lambdas_on_one_line_are_told_apart(version):
    """Each lambda is found by where its instructions stand."""
    files = {"m.py": FACTORY, "__init__.py": ""}
    assert version(files, "small").digest != version(files, "large").digest
    assert version(files, "small").opaque == ()


def test_running_a_function_does_not_change_its_version(version):
    """An interpreter that specialises hot code does not look like an edit."""
    files = {"m.py": "def vote(text):\n    return len(text) + 1\n", "__init__.py": ""}
    before = version(files)
    function = sys.modules["edited.m"].vote
    for _ in range(2000):
        function("text")
    assert behaviour(function) == before


def test_a_file_edited_after_its_import_is_opaque(version):
    """Where the text on disk is not what runs, the code that runs is compared and the fact is named."""
    files = {"m.py": "def vote(text):\n    return 1\n", "__init__.py": ""}
    before = version(files)
    function = sys.modules["edited.m"].vote
    Path(sys.modules["edited.m"].__file__).write_text("def vote(text):\n    return 0\n")
    after = behaviour(function)
    assert after.digest != before.digest
    assert any("no source text" in why for why in after.opaque)


SWAPPED = "def helper(a, b):\n    return a - b\n\ndef vote(text):\n    return helper(a=1, b=2)\n"


def test_swapped_parameters_are_noticed(version):
    """A caller may use the names of parameters, so that renaming them is no mere renaming."""
    base = {"m.py": SWAPPED, "__init__.py": ""}
    swapped = {**base, "m.py": SWAPPED.replace("(a, b)", "(b, a)").replace("a - b", "b - a")}
    assert version(swapped).digest != version(base).digest


def test_a_renamed_local_never_hides_a_global(version):
    """Reading a global and reading a local of the same place in the text are different behaviours."""
    local = {"m.py": "size = 1\ndef vote(text):\n    size = 2\n    return size\n", "__init__.py": ""}
    other = {"m.py": "size = 1\ndef vote(text):\n    unused = 2\n    return size\n", "__init__.py": ""}
    assert version(local).digest != version(other).digest


def test_names_that_the_code_can_see_are_not_renamed(version):
    """Where a function looks at its own locals, their names are behaviour."""
    base = "def vote(text):\n    found = 1\n    return locals()\n"
    files = {"m.py": base, "__init__.py": ""}
    assert version({**files, "m.py": base.replace("found", "seen")}).digest != version(files).digest
    assert any("locals" in why for why in version(files).opaque)


def test_a_late_import_is_followed(version):
    """A helper that is imported inside the function counts as one at the top does."""
    base = {
        "m.py": "def vote(text):\n    from edited.helper import count\n    return count(text)\n",
        "helper.py": HELPER,
        "__init__.py": "",
    }
    changed = {**base, "helper.py": HELPER.replace("WEIGHT = 2", "WEIGHT = 3")}
    assert version(base).digest != version(changed).digest
    through = {**base, "m.py": "def vote(text):\n    from . import helper\n    return helper.count(text)\n"}
    assert version(through).digest != version({**through, "helper.py": changed["helper.py"]}).digest


def test_a_module_as_a_value_is_opaque(version):
    """What a module handed over as a value is used for cannot be seen."""
    files = {
        "m.py": "from edited import helper\ndef vote(text):\n    return getattr(helper, text)\n",
        "helper.py": HELPER,
        "__init__.py": "",
    }
    assert version(files).opaque == ("self.helper: a module used as a value; only its own file was read",)


def test_the_version_of_a_distribution_counts(version, monkeypatch):
    """A function that calls a distribution has a new version when that has one."""
    from governance.fingerprint import owners

    files = {"m.py": "def vote(text):\n    import yaml\n    return yaml.safe_load(text)\n", "__init__.py": ""}
    before = version(files)
    assert [name for name, _ in before.packages] == ["PyYAML"] or [n.lower() for n, _ in before.packages] == ["pyyaml"]
    known = owners.installed()
    newer = dataclasses.replace(known, versions={**known.versions, "pyyaml": "999"})
    monkeypatch.setattr(owners, "installed", lambda: newer)
    assert version(files).digest != before.digest


def test_a_missing_distribution_is_named(version):
    """What cannot be imported here is opaque, and not an error."""
    files = {"m.py": "def vote(text):\n    import no_such_package\n    return 1\n", "__init__.py": ""}
    assert version(files).opaque == ("self: no_such_package cannot be imported here",)


def test_a_file_that_is_opened_counts(version):
    """A file that the function opens by name is read into its version; one that nobody can name is opaque."""
    text = "def vote(text):\n    with open({}) as file:\n        return len(file.read())\n"
    files = {"m.py": text.format("'lexicon.txt'"), "lexicon.txt": "a", "__init__.py": ""}
    assert version(files).digest != version({**files, "lexicon.txt": "b"}).digest
    assert version(files).opaque == ()
    assert version({**files, "m.py": text.format("text")}).opaque == (
        "self: opens a file that cannot be seen from here",
    )


def test_what_cannot_be_seen_through_is_named():
    """A lock, a generator and an open socket are opaque; they are never skipped without a word."""
    found = behaviour({"lock": threading.Lock(), "rows": (x for x in [1])})
    assert len(found.opaque) == 2
    assert found.opaque[0].startswith("self.lock: ")


class Spoken:
    def __init__(self, said: object) -> None:
        self.said = said
        self.lock = threading.Lock()

    def __fingerprint__(self) -> object:
        return self.said


def test_an_author_may_speak_for_an_object():
    """`__fingerprint__` stands for the whole object."""
    assert behaviour(Spoken("v1")) == behaviour(Spoken("v1"))
    assert behaviour(Spoken("v1")).digest != behaviour(Spoken("v2")).digest
    assert behaviour(Spoken("v1")).opaque == ()


def test_an_author_who_says_no_text_is_refused():
    """A number is no statement."""
    with pytest.raises(InvalidRecord, match="__fingerprint__"):
        behaviour(Spoken(3))


@functools.cache
def cached(text: str) -> int:
    return len(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({1, 2}, {1, 3}),
        ([1, 2], (1, 2)),
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("1", 1),
        (b"a", "a"),
        (re.compile("a"), re.compile(b"a")),
        (functools.partial(int, base=2), functools.partial(int, base=8)),
        ("a".startswith, "b".startswith),
        (cached, len),
        (Path("a/b"), Path("a/c")),
    ],
)
def test_different_values_have_different_digests(one, other):
    """Type and value both count."""
    assert behaviour(one).digest != behaviour(other).digest


def test_arrays_count_with_type_shape_and_content():
    """Two arrays are equal where all three are."""
    import numpy as np

    base = behaviour(np.arange(6)).digest
    assert behaviour(np.arange(6)).digest == base
    others = [np.arange(6).reshape(2, 3), np.arange(6, dtype=np.int32), np.arange(1, 7)]
    assert base not in {behaviour(other).digest for other in others}


def test_an_object_that_holds_itself_ends():
    """A cycle is told once."""
    held: list = []
    held.append(held)
    assert behaviour(held).digest == behaviour(held).digest


@given(st.sets(st.text(), max_size=8))
def test_the_order_of_a_set_does_not_matter(items):
    """Sets have no order, on any machine and with any hash seed."""
    other = set()
    for item in sorted(items, reverse=True):
        other.add(item)
    assert behaviour(set(items)).digest == behaviour(other).digest


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_plain_value_has_a_digest(value):
    """Nothing plain is opaque, whatever characters or numbers it holds, and telling it twice gives one digest."""
    assert behaviour(value) == behaviour(value)
    assert behaviour(value).opaque == ()
