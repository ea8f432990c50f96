"""Are statements of people read whole or refused by name?"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from governance.audit import read_attestations
from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, UnknownName

GOOD = {
    "control": "MAP 1.1",
    "statement": "Tells the mood of reviews for the weekly report.",
    "by": "A. Ode",
    "role": "product owner",
    "made": "2026-01-05",
    "expires": "2027-01-05",
}


def put(decisions: Path, name: str, text: str | bytes) -> None:
    folder = decisions / "attestations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_statements_are_read_in_order_of_their_controls(tmp_path: Path):
    """Two good files give two attestations, by control, with every field."""
    put(tmp_path, "MAP-1.1.yaml", yaml.safe_dump(GOOD))
    put(tmp_path, "GOVERN-1.2.yaml", yaml.safe_dump({**GOOD, "control": "GOVERN 1.2"}))
    put(tmp_path, "README.md", "how it works")
    read = read_attestations(tmp_path)
    assert [item.control for item in read] == ["GOVERN 1.2", "MAP 1.1"]
    assert read[1].body() == GOOD


def test_an_unquoted_date_is_a_date(tmp_path: Path):
    """YAML's own dates are read as the same day."""
    put(tmp_path, "MAP-1.1.yaml", "\n".join(f"{key}: {value}" for key, value in GOOD.items()))
    assert read_attestations(tmp_path)[0].expires == "2027-01-05"


def test_nobody_has_stated_anything(tmp_path: Path):
    """A folder without attestations is no error."""
    assert read_attestations(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "change", "says"),
    [
        ("without_statement", {"statement": None}, "statement"),
        ("empty_name", {"by": "  "}, "by"),
        ("number_as_role", {"role": 7}, "role"),
        ("date_in_words", {"expires": "next year"}, "expires"),
        ("date_without_hyphens", {"made": "20260105"}, "made"),
        ("day_that_is_none", {"expires": "2026-02-30"}, "expires"),
        ("date_with_a_time", {"made": "2026-01-05T10:00:00"}, "made"),
        ("over_before_it_was_made", {"expires": "2025-12-31"}, "expires"),
    ],
)
def test_a_bad_field_is_named(tmp_path: Path, fault: str, change: dict, says: str):
    """The error names the file and the field."""
    put(tmp_path, f"{fault}.yaml", yaml.safe_dump({**GOOD, **change}))
    with pytest.raises(InvalidRecord) as caught:
        read_attestations(tmp_path)
    assert caught.value.field == says
    assert f"decisions/attestations/{fault}.yaml" in caught.value.message


def test_a_missing_and_an_unknown_field_are_named(tmp_path: Path):
    """A field too few is named, and one too many is answered with the field that was meant."""
    put(tmp_path, "field_too_few.yaml", yaml.safe_dump({key: GOOD[key] for key in GOOD if key != "role"}))
    with pytest.raises(InvalidRecord, match="role"):
        read_attestations(tmp_path)
    put(tmp_path, "field_too_few.yaml", yaml.safe_dump({**GOOD, "expire": "2027-01-01"}))
    with pytest.raises(UnknownName) as caught:
        read_attestations(tmp_path)
    assert caught.value.suggestions[0] == "expires"


def test_two_statements_on_one_control_are_refused(tmp_path: Path):
    """Which of two statements holds is not for us to guess."""
    put(tmp_path, "a.yaml", yaml.safe_dump(GOOD))
    put(tmp_path, "b.yaml", yaml.safe_dump(GOOD))
    with pytest.raises(InvalidRecord, match=r"a\.yaml"):
        read_attestations(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("no_yaml.yaml", "a: ["), ("no_text.yaml", b"\xff\xfe"), ("a_list.yaml", "- 1"), ("wrong_ending.yml", "a: 1")],
)
def test_a_file_that_is_no_statement_is_refused(tmp_path: Path, name: str, content: str | bytes):
    """Whatever is no YAML mapping in a .yaml file is refused with its name."""
    put(tmp_path, name, content)
    with pytest.raises((ConfigurationError, InvalidRecord)) as caught:
        read_attestations(tmp_path)
    assert isinstance(caught.value, GovernanceError)
    assert name.partition(".")[0] in caught.value.message
