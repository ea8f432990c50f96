"""Do code and description together make a source version, and is neither missing?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.sources.applying import apply_sources
from governance.sources.registry import installed, registered, source

YAML = """
kind: heuristic
{version}
summary: Votes.
owner: somebody
origin: here
licence: {{declared: MIT, found: MIT}}
collection: by hand
personal_data: {{holds: false}}
"""
OWN = YAML.format(version='version: "1"')
CODE = '''
from governance.sources import ABSTAIN, source

WORD = "good"

@source("first")
def first(text):
    """Says yes."""
    return 1 if WORD in text else ABSTAIN
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    number = iter(range(100))

    def made(files: dict[str, str]):
        folder = tmp_path / str(next(number))
        (folder / "voters").mkdir(parents=True)
        for name, text in {"__init__.py": "", **files}.items():
            (folder / "voters" / name).write_text(text, encoding="utf-8")
        for module in [name for name in sys.modules if name.partition(".")[0] == "voters"]:
            monkeypatch.delitem(sys.modules, module)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            return registered("voters")

    yield made
    for module in [name for name in sys.modules if name.partition(".")[0] == "voters"]:
        del sys.modules[module]


def test_a_source_is_its_code_and_its_description(package):
    """A change of either gives another version; a change of words gives the same."""
    (base,) = package({"a.py": CODE, "first.yaml": OWN})
    assert base.title == "first"
    assert base.vote("so good") == 1
    other = {
        "code": ({"a.py": CODE.replace('"good"', '"fine"')}, False),
        "owner": ({"first.yaml": OWN.replace("somebody", "somebody else")}, False),
        "docstring": ({"a.py": CODE.replace("Says yes", "Agrees")}, True),
        "layout": ({"first.yaml": OWN + "\n# a comment\n"}, True),
        "function's name": ({"a.py": CODE.replace("def first", "def votes")}, True),
    }
    for change, (files, same) in other.items():
        (now,) = package({"a.py": CODE, "first.yaml": OWN, **files})
        assert (now.record.name == base.record.name) is same, change


def test_sources_come_sorted_by_name(package):
    """One module may hold several sources, and one source imported by another module stays one."""
    code = CODE + '\n@source("another", many=True)\ndef second(texts):\n    return [0 for _ in texts]\n'
    found = package({"b.py": code, "c.py": "from voters.b import first\n", "first.yaml": OWN, "another.yaml": OWN})
    assert [(one.title, one.many) for one in found] == [("another", True), ("first", False)]
    table = apply_sources(found, ["x"], ["good"], classes=("no", "yes")).table
    assert (table.columns, table.matrix.tolist()) == (("another", "first"), [[0, 1]])


def test_a_source_without_description_is_named(package):
    """Code alone is no source."""
    with pytest.raises(ConfigurationError, match=r"first\.yaml"):
        package({"a.py": CODE})


def test_a_description_without_source_is_named(package):
    """A description that nothing in the code answers to is an error and not a source."""
    with pytest.raises(UnknownName) as caught:
        package({"a.py": CODE, "first.yaml": OWN, "frist.yaml": OWN})
    assert (caught.value.given, caught.value.suggestions) == ("frist", ["first"])


def test_a_name_that_two_functions_claim_is_refused(package):
    """Votes of two functions in one column would lose whose they are."""
    with pytest.raises(InvalidRecord, match="first"):
        package({"a.py": CODE, "b.py": CODE, "first.yaml": OWN})


def test_a_package_without_sources_is_refused(package):
    """No source is an error, and says how to mark one."""
    with pytest.raises(ConfigurationError) as caught:
        package({"a.py": "x = 1\n"})
    assert "@source" in str(caught.value.hint)


def test_a_distribution_gives_its_installed_version(package):
    """The version of a source that stands on a distribution is the installed one, beside the one that was checked."""
    described = YAML.format(version='distribution: PyYAML\nchecked_version: "1.0"')
    (found,) = package({"a.py": CODE, "first.yaml": described})
    assert found.record.version == installed("PyYAML", needed_by="x")
    assert found.checked_version == "1.0"


def test_a_missing_distribution_says_how_to_install_it(package):
    """The error names the distribution, the source and the extra of the reference project."""
    described = YAML.format(version='distribution: no-such-thing\nchecked_version: "1.0"')
    with pytest.raises(ConfigurationError, match="no-such-thing") as caught:
        package({"a.py": CODE, "first.yaml": described})
    assert 'pip install "labeltrail[reference]"' in str(caught.value.hint)


@pytest.mark.parametrize("name", ["", "two words", "a-b", "größe", "1st"])
def test_a_name_that_cannot_be_a_column_is_refused(name):
    """A source's name is a column and a file name."""
    with pytest.raises(InvalidRecord):
        source(name)


def test_marking_leaves_the_function_as_it_is():
    """The decorator hands back the very function."""

    def vote(text):
        return 1

    assert source("fine")(vote) is vote
