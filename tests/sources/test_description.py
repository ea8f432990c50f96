"""Is a source's description read to the letter, or refused with the reason?"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from governance.errors import ConfigurationError, ExitCode, GovernanceError, InvalidRecord, UnknownName
from governance.sources.description import read_description
from governance.sources.licences import licence

WHOLE = {
    "kind": "lexicon",
    "version": "1",
    "summary": "Votes.",
    "owner": "somebody",
    "origin": "here",
    "licence": {"declared": "MIT", "found": "ODbL-1.0", "note": "they differ"},
    "collection": "by hand",
    "personal_data": {"holds": False, "note": "words only"},
    "contamination": [{"domain": "tweets", "reason": "seen before"}],
}


@pytest.fixture
def described(tmp_path: Path):
    def write(change: dict | None = None, *, without: str = "", text: str | bytes | None = None):
        path = tmp_path / "good.yaml"
        fields = {key: value for key, value in {**WHOLE, **(change or {})}.items() if key != without}
        given = yaml.safe_dump(fields) if text is None else text
        path.write_bytes(given if isinstance(given, bytes) else given.encode())
        return read_description(path)

    return write


def test_a_whole_description_is_read(described):
    """Every field arrives where the record wants it, the source is named after its file."""
    found = described()
    assert (found.name, found.version, found.facts["source_kind"]) == ("good", "1", "lexicon")
    assert (found.facts["licence_declared"], found.facts["licence_found"]) == ("MIT", "ODbL-1.0")
    assert found.facts["contamination"] == [{"domain": "tweets", "reason": "seen before"}]


def test_an_unknown_field_is_named_with_what_was_meant(described):
    """A misspelled field is refused, the right one suggested and the file named."""
    with pytest.raises(UnknownName) as caught:
        described({"ownr": "somebody"})
    assert (caught.value.given, caught.value.suggestions) == ("ownr", ["owner"])
    assert "good.yaml" in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE


def test_an_unknown_inner_field_is_named(described):
    """Fields inside a field are judged as strictly."""
    with pytest.raises(UnknownName) as caught:
        described({"licence": {"declared": "MIT", "fuond": "MIT"}})
    assert caught.value.suggestions == ["found"]


@pytest.mark.parametrize(
    "field", ["kind", "version", "summary", "owner", "origin", "licence", "collection", "personal_data"]
)
def test_a_missing_field_is_named(described, field):
    """What the owner must say cannot be left out."""
    with pytest.raises(InvalidRecord) as caught:
        described(without=field)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "magic"}, "kind"),
        ({"version": 1.1}, "version"),
        ({"owner": "  "}, "owner"),
        ({"owner": True}, "owner"),
        ({"expiry": "soon"}, "expiry"),
        ({"licence": "MIT"}, "licence"),
        ({"licence": {"declared": "MIT"}}, "licence.found"),
        ({"personal_data": {"holds": "no"}}, "personal_data.holds"),
        ({"contamination": "tweets"}, "contamination"),
        ({"contamination": [{"domain": "tweets"}]}, "contamination[0]"),
        ({"contamination": [{"domain": "tweets", "reason": ""}]}, "contamination[0].reason"),
        ({"licence": {"declared": "MIT AND", "found": "MIT"}}, "licence.declared"),
        ({"licence": {"declared": "()", "found": "MIT"}}, "licence.declared"),
        ({"distribution": "afinn", "version": "1"}, "checked_version"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named(described, change, field):
    """The error names the field, and the file."""
    with pytest.raises(InvalidRecord) as caught:
        described(change)
    assert caught.value.field == field
    assert "good.yaml" in str(caught.value.where)


@pytest.mark.parametrize(
    "text",
    [
        b"kind: \xff\xfe",
        "kind: [",
        "- a\n- b\n",
        "",
        "kind: lexicon\nkind: pattern\n",
        "kind: !!python/name:os.system\n",
    ],
    ids=["not_utf8", "not_yaml", "a_list", "empty", "a_field_twice", "a_python_object"],
)
def test_a_file_that_is_no_description_is_refused(described, text):
    """Whatever is in the file, the error is one of this library."""
    with pytest.raises(InvalidRecord):
        described(text=text)


def test_a_missing_file_is_named(tmp_path):
    """The error says which file was looked for."""
    with pytest.raises(ConfigurationError, match=r"gone\.yaml"):
        read_description(tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("mit", "MIT"),
        ("PDDL-1.0 AND MIT", "MIT AND PDDL-1.0"),
        ("mit and pddl-1.0", "MIT AND PDDL-1.0"),
        ("(MIT OR Apache-2.0)", "Apache-2.0 OR MIT"),
        ("LicenseRef-third-party-texts", "LicenseRef-third-party-texts"),
        ("LicenseRef-MIT-Bootstrap", "LicenseRef-MIT-Bootstrap"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("MIT AND LicenseRef-x", "LicenseRef-x AND MIT"),
    ],
)
def test_one_licence_has_one_spelling(given, wanted):
    """Two ways to write one expression are no conflict, and nobody's own reference turns into another licence."""
    assert licence(given, where="x", field="licence.found") == wanted


@pytest.mark.parametrize(
    "given",
    ["GPL", "Proprietary", "Apache 2.0", "MIT,Apache-2.0", "LicenseRef-", "MIT AND", "AND", "", "WITH MIT", "MIT MIT"],
)
def test_a_licence_that_spdx_does_not_know_is_refused(given):
    """An unknown id or a broken expression is an error of this library with exit code 2."""
    with pytest.raises(GovernanceError) as caught:
        licence(given, where="x", field="licence.found")
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_licence_that_was_meant_is_suggested():
    """A near miss names the right id."""
    with pytest.raises(UnknownName) as caught:
        licence("Apache2.0", where="x", field="licence.found")
    assert "Apache-2.0" in caught.value.suggestions
