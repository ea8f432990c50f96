"""Does a description hold what stewards and lawyers ask, with one clear error for each fault?"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import GovernanceError, InvalidRecord, UnknownName
from governance.records import Source
from governance.sources.description import KINDS, judge_description, read_description
from governance.sources.places import described_in

BARE = {
    "kind": "distilled",
    "version": "1",
    "summary": "Votes.",
    "owner": "somebody",
    "origin": "here",
    "licence": {"declared": "MIT", "found": "MIT"},
    "collection": "by hand",
    "personal_data": {"holds": True},
}
FULL = {
    **BARE,
    "personal_data": {"holds": True, "note": "names", "classes": ["user names", "opinions"]},
    "terms": {
        "text": "no resale",
        "url": "https://example.org/terms",
        "date": "2026-05-01",
        "reviewer": "A. Ode",
        "sha256": "1" * 64,
    },
    "collected": {"from": "2009", "to": "2011-06"},
    "issued": "2011-07-01",
    "previous_issued": "2010",
    "geography": {"origin": ["Denmark", "Norway"], "processing": "European Union only", "storage": ["not outside EU"]},
    "format": "CSV",
    "legal_basis": "consent",
    "consent": "https://example.org/consent",
    "privacy_techniques": "names were replaced by keyed pseudonyms",
    "confidentiality": "internal",
    "proprietary": "none known",
    "metadata_url": "https://example.org/data",
    "author": "B. Ode",
    "author_key": "2" * 64,
    "related": [{"source": "other", "relation": "the same people"}],
    "teacher": "model:" + "3" * 64,
    "model": "small, revision 7",
    "trained_on": "labels of May",
    "knowledge": "a list of films, release 3",
    "annotators": "two students",
    "instructions": "guide, second edition",
    "expiry": "2027-01-01",
    "prohibited_use": "judging people",
}


def describe(folder: Path, fields: dict, name: str = "good") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(fields), encoding="utf-8")
    return path


def version(path: Path) -> Source:
    described = read_description(path)
    return Source.make(title=described.name, version="1", fingerprint="4" * 64, **described.facts)


def test_every_field_of_a_full_description_stands_in_the_record(tmp_path):
    """Nothing that the owner says is lost on the way into the source version."""
    record = version(describe(tmp_path, FULL))
    silent = {field for field, value in record.model_dump().items() if value in ("", ())}
    assert silent == {"opaque", "packages", "licence_note", "intended_use", "contamination"}
    assert (record.collected_from, record.collected_to) == ("2009", "2011-06")
    assert record.geography_origin == ("Denmark", "Norway")
    assert record.geography_processing == ("European Union only",)
    assert record.terms_reviewer == "A. Ode"
    assert record.related[0].relation == "the same people"


def test_what_is_left_out_is_not_recorded(tmp_path):
    """All that is new may be left out, and reads as nothing: no field is filled by a guess."""
    record = version(describe(tmp_path, BARE))
    assert (record.author, record.legal_basis, record.geography_storage, record.confidentiality) == ("", "", (), "")
    assert record.v == 2


def test_every_change_of_a_description_is_another_version(tmp_path):
    """Each single field of a full description counts in the version's name."""
    base = version(describe(tmp_path, FULL)).name
    for field in FULL:
        if field not in BARE:
            assert version(describe(tmp_path, {k: v for k, v in FULL.items() if k != field})).name != base, field


def test_a_recorded_teacher_is_in_the_lineage(tmp_path):
    """A source that names its teacher's model version was derived from it; one that tells it in words says only that."""
    record = version(describe(tmp_path, FULL))
    assert record.edges() == ((record.name, "wasDerivedFrom", "model:" + "3" * 64),)
    assert version(describe(tmp_path, {**FULL, "teacher": "a larger model of a friend"})).edges() == ()


BAD = {
    "kind_misspelt": ({"kind": "distiled"}, "kind", "distilled"),
    "confidentiality_misspelt": ({"confidentiality": "confidental"}, "confidentiality", "confidential"),
    "confidentiality_a_number": ({"confidentiality": 3}, "confidentiality", ""),
    "collected_a_number": ({"collected": {"from": 2009}}, "collected.from", ""),
    "collected_backwards": ({"collected": {"from": "2011", "to": "2009-05"}}, "collected.to", ""),
    "collected_a_month_that_is_none": ({"collected": {"to": "2011-13"}}, "collected.to", ""),
    "collected_a_text": ({"collected": "2009"}, "collected", ""),
    "expiry_a_day_that_is_none": ({"expiry": "2027-02-30"}, "expiry", ""),
    "geography_a_number": ({"geography": {"origin": [47]}}, "geography.origin", ""),
    "terms_without_an_address": ({"terms": {"url": "example.org"}}, "terms.url", ""),
    "terms_read_once": ({"terms": {"date": "in May"}}, "terms.date", ""),
    "terms_with_a_short_digest": ({"terms": {"sha256": "abc"}}, "terms.sha256", ""),
    "classes_without_personal_data": (
        {"personal_data": {"holds": False, "classes": ["names"]}},
        "personal_data.classes",
        "",
    ),
    "classes_a_mapping": ({"personal_data": {"holds": True, "classes": {"a": 1}}}, "personal_data.classes", ""),
    "related_a_text": ({"related": "other"}, "related", ""),
    "related_without_relation": ({"related": [{"source": "other"}]}, "related[0]", ""),
    "author_key_too_short": ({"author_key": "ab"}, "author_key", ""),
    "teacher_cut_short": ({"teacher": "model:1234abcd"}, "teacher", ""),
    "metadata_script": ({"metadata_url": "javascript:alert(1)"}, "metadata_url", ""),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_is_named_with_field_given_and_wanted(fault, tmp_path):
    """The file is named after its fault; the error names file, field, what was given, wanted and meant."""
    change, field, meant = BAD[fault]
    with pytest.raises(InvalidRecord) as caught:
        read_description(describe(tmp_path, {**FULL, **change}, fault))
    assert caught.value.field == field
    assert caught.value.wanted
    assert fault in str(caught.value.where)
    assert meant in str(caught.value.hint)


def test_every_fault_of_a_file_is_told(tmp_path):
    """Whoever mends a description is told of all that is wrong with it at once, and each fault stands alone."""
    fields = {**FULL, "ownr": "x", "kind": "magic", "expiry": "soon", "licence": {"declared": "MITT", "found": "MIT"}}
    fields["geography"] = {"orgin": "Denmark"}
    _, faults = judge_description(describe(tmp_path, fields))
    assert [type(fault) for fault in faults].count(UnknownName) == 3
    told = {getattr(fault, "field", getattr(fault, "given", "")) for fault in faults}
    assert told == {"ownr", "kind", "MITT", "orgin", "expiry"}
    assert all(fault.exit_code == 2 for fault in faults)


@given(
    st.dictionaries(
        st.sampled_from([*FULL, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_whatever_stands_in_a_description_the_answer_is_a_record_or_an_error_of_ours(tmp_path_factory, fields):
    """No value of any field ends in a traceback, and what is read without a fault makes a record."""
    folder = tmp_path_factory.mktemp("any")
    try:
        path = describe(folder, {**FULL, **fields})
    except (yaml.YAMLError, UnicodeEncodeError):
        return
    try:
        read_description(path)
    except GovernanceError:
        return
    assert version(path).title == "good"


def test_there_are_ten_kinds():
    """Every kind that weak supervision knows can be described."""
    assert set(KINDS) == {
        *("heuristic", "lexicon", "pattern", "distant", "pretrained", "distilled", "pseudo", "llm", "crowd", "gold")
    }


CODE = 'from governance.sources import source\n\n@source("{0}")\ndef vote(text):\n    return 1\n'


def test_the_descriptions_of_a_project_are_found_without_running_it(tmp_path):
    """What code marks is described beside it; texts about marking, hidden folders and other people's packages are not."""
    voters = tmp_path / "some" / "voters"
    voters.mkdir(parents=True)
    (voters / "a.py").write_text(CODE.format("first") + "raise SystemExit('was run')\n")
    describe(voters, BARE, "first")
    for place in (".hidden", "lib/site-packages", "artifacts"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "b.py").write_text(CODE.format("other"))
    (tmp_path / "about.py").write_text(f"TEXT = '''{CODE.format('told')}'''\n")
    found, faults = described_in(tmp_path, without="artifacts")
    assert ({name: path.name for name, path in found.items()}, faults) == ({"first": "first.yaml"}, [])


def test_what_does_not_fit_together_is_named_each_by_itself(tmp_path):
    """A source without description, a description without source, a name twice and a file that is no Python."""
    (tmp_path / "a.py").write_text(CODE.format("first") + CODE.format("lonely"))
    (tmp_path / "b.py").write_text(CODE.format("first"))
    (tmp_path / "broken.py").write_text(CODE.format("third") + "def (")
    describe(tmp_path, BARE, "first")
    describe(tmp_path, BARE, "frist")
    found, faults = described_in(tmp_path)
    assert list(found) == ["first"]
    told = " | ".join(f"{fault.message} {fault.hint}" for fault in faults)
    assert len(faults) == 4
    for part in ("lonely.yaml: no such file", "'frist'", "did you mean first", "one function only", "broken.py"):
        assert part in told
