"""May a source be used, who says so, and is that told of exactly one version?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_facts import some_source

from governance.config import read_config
from governance.errors import InvalidRecord, UnknownName
from governance.facts import Facts
from governance.project.source_check import check_sources
from governance.project.source_decisions import approve, expire, standing
from governance.project.sources import list_sources, show_source
from governance.records import Approval, Model, Source, SourceV1
from governance.store import keys
from governance.store.decisions import genuine, signed

DAY = "2026-12-01"
SAID = {"role": "steward", "reason": "read it all", "at": 1}

YAML = """kind: lexicon
version: "1"
summary: words
owner: us
author: B. Ode
origin: here
licence: {declared: MIT, found: MIT}
collection: by hand
collected: {from: "2026"}
personal_data: {holds: false}
expiry: "2027-01-01"
"""
CODE = 'from governance.sources import source\n\n@source("words")\ndef vote(text):\n    return 1\n'


def version(**fields: object) -> Source:
    """The version that the description above makes, or another."""
    told = {"author": "B. Ode", "collected_from": "2026", "expiry": "2027-01-01", **fields}
    return Source.make(**{**some_source().body(), **told})


@pytest.fixture
def config(tmp_path: Path):
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "tests"\n')
    (tmp_path / "voters").mkdir()
    (tmp_path / "voters" / "words.py").write_text(CODE)
    (tmp_path / "voters" / "words.yaml").write_text(YAML)
    return read_config(tmp_path)


def checked(config, *chosen: str, facts: Facts, as_of: str = DAY):
    return check_sources(config, chosen=chosen, as_of=as_of, facts=lambda: (facts, facts))


def outcomes(report) -> dict[str, str]:
    return {found["check"]: found["outcome"] for found in report.data["findings"]}


def test_an_approved_source_has_nothing_against_it(config, trail):
    """Approved by somebody else, in time, of one licence, described as it voted: exit 0."""
    one = version()
    trail.append([one])
    assert outcomes(checked(config, facts=trail.facts()))["approval"] == "fail"
    report = approve(config, trail, one, who="A. Ode", **SAID)
    assert report.exit_code == 0
    found = checked(config, facts=trail.facts())
    assert set(outcomes(found).values()) == {"pass"}
    assert found.exit_code == 0


def test_an_approval_is_of_one_version(config, trail):
    """A newer version is approved by nobody, and the finding says that an older one was."""
    old, new = version(version="1"), version(version="2")
    trail.append([old, new])
    approve(config, trail, old, who="A. Ode", **SAID)
    facts = Facts([record for record in trail.facts() if record.name != old.name])
    report = checked(config, facts=facts)
    assert outcomes(report)["approval"] == "fail"
    assert report.exit_code == 1
    assert any("An approval of another version" in found["says"] for found in report.data["findings"])


def test_an_approval_is_signed_with_the_key_at_hand(config, trail):
    """The signature covers who, what, when and why; a change of any of them is noticed."""
    one = version()
    report = approve(config, trail, one, who="A. Ode", **SAID)
    (record,) = trail.facts().of(Approval)
    assert record.public_key == keys.public_hex(keys.load_key())
    assert genuine([record]) == {record.name}
    for field, value in (("who", "B. Ode"), ("at", 2), ("subject", "source:" + "9" * 64), ("reason", "no")):
        assert genuine([Approval.make(**{**record.body(), field: value})]) == frozenset(), field
    assert report.data["public_key"] == record.public_key


def test_without_a_key_an_approval_is_self_stated(config, trail, monkeypatch, tmp_path):
    """Nobody is kept from deciding for want of a key, and what prints the decision says what it is worth."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nowhere"))
    report = approve(config, trail, version(), who="A. Ode", **SAID)
    assert "self-stated" in report.blocks[0]
    assert trail.facts().of(Approval)[0].public_key is None


def test_nobody_approves_their_own_source(config, trail):
    """Refused with exit 1 by name where nothing better is there, by key where both have one; nothing is recorded."""
    size = trail.size()
    assert approve(config, trail, version(), who="b. ode", **SAID).exit_code == 1
    own = version(author="somebody else", author_key=keys.public_hex(keys.load_key()))
    report = approve(config, trail, own, who="A. Ode", **SAID)
    assert (report.exit_code, report.data["recorded"]) == (1, False)
    assert trail.size() == size


def test_a_decision_says_who_and_why(config, trail):
    """An empty name, role or reason is refused by name."""
    for field in ("who", "role", "reason"):
        with pytest.raises(InvalidRecord) as caught:
            approve(config, trail, version(), **{"who": "A. Ode", **SAID, field: "  "})
        assert caught.value.field == {"who": "by"}.get(field, field)


def test_an_expiry_deletes_nothing_and_holds_until_somebody_approves_again(config, trail):
    """Before its day nothing changes, from then on the source is found; a later approval takes it back in use."""
    one = version()
    trail.append([one])
    approve(config, trail, one, who="A. Ode", **SAID)
    expire(config, trail, one, who="A. Ode", since="2026-12-24", **{**SAID, "at": 2})
    assert outcomes(checked(config, facts=trail.facts(), as_of="2026-12-23"))["expiry"] == "pass"
    report = checked(config, facts=trail.facts(), as_of="2026-12-24")
    assert (outcomes(report)["expiry"], outcomes(report)["approval"], report.exit_code) == ("fail", "pass", 1)
    approve(config, trail, one, who="C. Ode", **{**SAID, "at": 3})
    assert outcomes(checked(config, facts=trail.facts(), as_of="2026-12-24"))["expiry"] == "pass"
    assert len(standing(one, trail.facts()).approvals) == 2


def test_a_forged_expiry_stops_nobody(config, trail):
    """A decision whose signature does not fit is no decision."""
    from governance.records import Expiry

    one = version()
    forged = signed(
        Expiry.make(subject=one.name, title="words", who="A. Ode", since=DAY, **SAID), keys.load_key()
    ).model_copy(update={"since": "2026-01-01"})
    assert standing(one, Facts([one, Expiry.make(**forged.body())])).since == ""


def test_expiring_needs_a_day(config, trail):
    """A day that there is not is refused by name, and so is one to judge by."""
    with pytest.raises(InvalidRecord, match="since"):
        expire(config, trail, version(), who="A. Ode", since="2026-02-30", **SAID)
    with pytest.raises(InvalidRecord, match="as-of"):
        checked(config, facts=Facts(), as_of="soon")


def test_all_faults_of_all_descriptions_are_told_at_once(config):
    """Exit 2, one line a fault with the way out, and the sources that are well described are judged all the same."""
    voters = config.root / "voters"
    (voters / "more.py").write_text(
        CODE.replace('"words"', '"unknown_field"') + CODE.replace('"words"', '"no_licence"')
    )
    (voters / "unknown_field.yaml").write_text(YAML + "ownr: us\n")
    (voters / "no_licence.yaml").write_text(YAML.replace("found: MIT", "found: MITT"))
    report = checked(config, facts=Facts())
    assert report.exit_code == 2
    assert {error["given"] for error in report.data["errors"]} == {"ownr", "MITT"}
    assert all("did you mean" in error["hint"] for error in report.data["errors"])
    assert "words" in {found["source"] for found in report.data["findings"]}


def test_one_file_or_one_source_can_be_checked(config, tmp_path):
    """A file may lie anywhere and need not be in use yet; a name that nothing has is answered with the nearest."""
    lone = tmp_path / "elsewhere.yaml"
    lone.write_text(YAML.replace("personal_data: {holds: false}", "personal_data: {holds: true}"))
    report = checked(config, str(lone), facts=Facts())
    assert report.data["sources"] == ["elsewhere"]
    assert outcomes(report)["kind_facts"] == "fail"
    assert checked(config, "words", facts=Facts([version()])).data["sources"] == ["words"]
    with pytest.raises(UnknownName) as caught:
        checked(config, "wodrs", facts=Facts())
    assert caught.value.suggestions == ["words"]


def test_where_there_is_no_source_nothing_passes(config):
    """An empty project is unknown, exit 4."""
    (config.root / "voters" / "words.py").unlink()
    assert checked(config, facts=Facts()).exit_code == 4


def test_an_edited_description_is_not_the_one_that_was_approved(config, trail):
    """What was changed since the votes is named, whatever was approved."""
    one = version(owner="them")
    trail.append([one])
    approve(config, trail, one, who="A. Ode", **SAID)
    report = checked(config, facts=trail.facts())
    assert outcomes(report)["described"] == "fail"
    assert any("owner" in found["says"] for found in report.data["findings"])


def test_a_teacher_that_its_pupil_taught_is_found_in_the_lineage(config):
    """The labels that trained the teacher came from an earlier version of the pupil: computed from edges alone."""
    (config.root / "voters" / "words.py").unlink()
    before, model = version(version="0"), taught_model()
    pupil = version(source_kind="pseudo", teacher=model.name)
    labels = "labels:" + "6" * 64
    for votes_of, outcome in ((before.name, "fail"), (version(title="others").name, "pass")):
        facts = Lineage([before, version(title="others"), model, pupil])
        facts.edges = [(model.name, "wasDerivedFrom", labels), (labels, "wasDerivedFrom", votes_of)]
        report = check_sources(config, chosen=(), as_of=DAY, facts=lambda known=facts: (Facts([pupil]), known))
        (found,) = [one for one in report.data["findings"] if one["check"] == "teacher" and one["source"] == "words"]
        assert found["outcome"] == outcome


def taught_model() -> Model:
    """A model that was trained on some labels."""
    digests = {
        "labels": "labels:" + "6" * 64,
        "dataset": "dataset:" + "1" * 64,
        "sha256": "2" * 64,
        "sidecar": "3" * 64,
    }
    sizes = {"weights": 1, "bytes": 1, "trained_on": {"all": 1}, "parameters": {}}
    return Model.make(title="teacher", architecture="linear", classes=["a", "b"], **digests, **sizes)


class Lineage(Facts):
    """Facts whose edges a test sets."""

    edges: list = []


def test_both_forms_of_a_source_are_told_alike():
    """A version that was recorded before there were as many fields reads as one that does not say them."""
    new = some_source()
    old = SourceV1.make(**_first(new))
    assert (old.v, new.v) == (1, 2)
    told = [show_source(one, Facts([one])).data for one in (old, new)]
    for one in told:
        del one["name"]
    assert told[0] == told[1]
    assert "legal_basis" in told[0]["not_recorded"]
    listed = [list_sources(Facts([one]), Facts([one])).data["sources"][0] for one in (old, new)]
    assert listed[0].keys() == listed[1].keys()


def _first(source: Source) -> dict[str, object]:
    body = source.body()
    return {key: body[key] for key in list(body)[: list(body).index("author")]}


def labeltrail(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "governance", "source", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_verbs_work_on_a_real_project(reference):
    """list, show, check, approve and expire, and the short ways `source` and `source NAME`, one after the other."""
    listed = json.loads(labeltrail("--json", folder=reference).stdout)
    assert listed == json.loads(labeltrail("list", "--json", folder=reference).stdout)
    assert {one["approved_by"] for one in listed["sources"]} == {""}
    shown = json.loads(labeltrail("contrast", "--json", folder=reference).stdout)
    assert shown == json.loads(labeltrail("show", "contrast", "--json", folder=reference).stdout)
    assert any("def " in text for text in shown["code"].values())
    by = ("--by", "A. Ode", "--role", "data steward", "--reason", "own work")
    done = labeltrail("approve", "contrast", *by, folder=reference)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(labeltrail("check", "contrast", "--as-of", DAY, "--json", folder=reference).stdout)
    assert {one["check"]: one["outcome"] for one in found["findings"]}["approval"] == "pass"
    assert labeltrail("expire", "contrast", "--since", DAY, *by, folder=reference).returncode == 0
    done = labeltrail("check", "contrast", "--as-of", DAY, folder=reference)
    assert (done.returncode, done.stderr) == (1, "")
    assert "expired by a decision" in " ".join(done.stdout.split())
    done = labeltrail("contrats", folder=reference)
    assert done.returncode == 2
    assert "did you mean contrast?" in done.stderr
    verified = subprocess.run(
        [sys.executable, "-m", "governance", "verify"], cwd=reference, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout
