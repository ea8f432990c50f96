"""The governed run, end to end: what the reference project promises, shown on a made-up corpus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
from small_project import dvc, flip

from governance.digest import file_digest
from governance.errors import GovernanceError
from governance.project import Project
from governance.records import (
    Commitment,
    Document,
    Evaluation,
    Execution,
    Finding,
    Model,
    Recipe,
    Repro,
    Result,
    Source,
)
from governance.store.commitments import commit_rows

STAGES = ["collect", "screen", "vote", "combine", "train", "evaluate", "describe", "audit"]
FILES = {
    "dataset": "screened.parquet",
    "votes": "votes.parquet",
    "labels": "labels.parquet",
    "predictions": "predictions.parquet",
}
DOCUMENTS = ["dataset_card.md", "model_card.md", "audit_report.md", "audit_report.html"]


def outputs(root: Path) -> dict[str, str]:
    return {
        p.relative_to(root).as_posix(): file_digest(p) for p in sorted((root / "artifacts").rglob("*")) if p.is_file()
    }


def test_the_whole_run_is_recorded_and_whole(reference):
    """Eight stages executed and recorded, and verification finds nothing to object to."""
    project = Project.find(reference)
    facts = project.facts()
    assert [repro.stages for repro in facts.of(Repro)] == [dict.fromkeys(STAGES, "executed")]
    assert [execution.stage for execution in facts.of(Execution)] == STAGES
    report = project.verify()
    assert int(report.exit_code) == 0
    assert report.data["counts"]["rows"] > 4 * 600


def test_a_second_run_executes_no_stage(reference):
    """Nothing changed, nothing runs, one entry says so."""
    project = Project.find(reference)
    before = project.trail.size()
    assert set(project.repro().data["stages"].values()) == {"unchanged"}
    assert project.trail.size() == before + 1


def test_forced_reproductions_give_byte_identical_files(reference):
    """Data, votes, labels, model, cards, report, facts and recipes: not one byte differs."""
    before = outputs(reference)
    project = Project.find(reference)
    assert set(project.repro(force=True).data["stages"].values()) == {"executed"}
    assert outputs(reference) == before
    assert {f"artifacts/documents/{name}" for name in DOCUMENTS} <= set(before)
    assert not [found for found in project.facts().of(Finding) if found.check == "reproduction"]


def test_the_pipeline_declares_exactly_what_its_stages_read_and_import(reference_once, with_its_key):
    """Whatever a recipe names is a dependency in dvc.yaml, so that an edit of it runs the stage; nothing else is."""
    from governance.dvc.files import read_stages

    recipes = {recipe.stage: recipe for recipe in Project.find(reference_once).facts().of(Recipe)}
    for name, stage in read_stages(reference_once).items():
        named = [ref.path for ref in (*recipes[name].inputs, *recipes[name].code)]
        for path in named:
            assert any(path == dep or path.startswith(f"{dep}/") for dep in stage.deps), f"{name}: {path}"
        for dep in stage.deps:
            assert any(path == dep or path.startswith(f"{dep}/") for path in named), f"{name}: {dep}"


def test_trace_reaches_every_source_from_the_model_and_the_cards_from_every_source(reference):
    """Followed both ways: model up to all sources, each source down to the model, both cards and the report."""
    project = Project.find(reference)
    facts = project.facts()
    sources = {source.name for source in facts.of(Source)}
    model = facts.one(Model).name
    assert len(sources) >= 9
    up = {step["name"] for step in project.trace("model", directions=("up",)).data["up"]}
    assert sources <= up
    documents = {document.name for document in facts.of(Document)}
    assert {document.document_kind for document in facts.of(Document)} == {"dataset_card", "model_card", "audit_report"}
    for source in sources:
        down = {step["name"] for step in project.trace(source, directions=("down",)).data["down"]}
        assert documents | {model} <= down


def test_for_every_covered_example_the_contributions_sum_to_the_log_odds(reference):
    """Prior plus contributions equal the recorded log-odds and those of the recorded probability, within 1e-9."""
    import math

    explainer = Project.find(reference).explainer()
    covered = 0
    for example in explainer.examples:
        told = json.loads(json.dumps(explainer.answer(example)))
        if told["label"] is None:
            assert all(float(vote["contribution"]) == 0 for vote in told["votes"])
            continue
        covered += 1
        total = float(told["prior"]) + sum(float(vote["contribution"]) for vote in told["votes"])
        assert abs(total - float(told["recorded_log_odds"])) < 1e-9
        parts = [float(told["prior"]), *(float(vote["contribution"]) for vote in told["votes"])]
        assert math.fsum(parts) == float(told["log_odds"])
        probability = float(told["probability"])
        if probability < 1 - 1e-6:  # closer to one, a float64 probability no longer holds nine digits of its odds
            assert abs(total - math.log(probability / (1 - probability))) < 1e-9
    assert covered > 300


def test_why_tells_the_whole_chain_of_one_example(reference):
    """Votes with their source versions, label, prediction, the runs, and salted leaves that the log commits to."""
    told = Project.find(reference).why("tweets/7").data
    assert len(told["votes"]) >= 9
    assert all(vote["source"].startswith("source:") for vote in told["votes"])
    assert set(told["runs"]) == {"screen", "vote", "combine", "train", "evaluate"}
    assert told["prediction"]["model"].startswith("model:")
    leaves = told["store"]["commitments"]
    assert [leaf["of"] for leaf in leaves] == ["dataset", "votes", "labels", "predictions"]
    committed = {record.name: record for record in Project.find(reference).facts().of(Commitment)}
    for leaf in leaves:
        rows = commit_rows(
            Project.find(reference).trail,
            next((reference / "artifacts").rglob(FILES[leaf["of"]])),
            of=told["records"][leaf["of"]],
            id_column="example_id",
        )
        assert rows.commitment == committed[leaf["commitment"]]
        assert rows.leaves[leaf["row"]].hex() == leaf["leaf"]
        assert rows.ids[leaf["row"]] == "tweets/7"


def test_why_on_a_changed_table_is_refused(reference):
    """An explanation never stands on bytes that are not the recorded ones."""
    flip(reference / "artifacts/labels/labels.parquet", 200)
    with pytest.raises(GovernanceError) as caught:
        Project.find(reference).why("tweets/7")
    assert int(caught.value.exit_code) in (3, 4)


EVIDENCE = re.compile(r"`([a-z]+:[0-9a-f]{12,64})`")


@pytest.mark.parametrize("name", ["dataset_card.md", "model_card.md", "audit_report.md"])
def test_every_claim_names_evidence_that_show_opens_or_says_not_recorded(reference_once, with_its_key, name):
    """Walks the printed documents line by line."""
    text = (reference_once / "artifacts/documents" / name).read_text()
    body = text.split("\n---\n", 1)[1] if text.startswith("---") else text
    known = Project.find(reference_once).facts()
    claims = [line for line in body.split("\n") if line.startswith("- ")]
    rows = [line for line in body.split("\n") if line.startswith("| ") and not line.startswith("| ---")]
    assert len(claims) > 30
    for claim in claims:
        names = EVIDENCE.findall(claim)
        assert names or "not recorded" in claim, claim
        for given in names:
            assert known.resolve(given).name.startswith(given)
    for row in rows:
        for given in EVIDENCE.findall(row):
            assert known.resolve(given).name.startswith(given)


def test_show_opens_what_the_documents_cite(reference_once, with_its_key):
    """The command itself opens every record that any document cites."""
    project = Project.find(reference_once)
    for document in project.facts().of(Document):
        assert document.claims > 0
        assert document.cites
        for name in document.cites:
            assert name in project.facts()
    assert project.show(document.cites[0]).data["name"] == document.cites[0]


def test_cards_load_in_hugging_face_hub(reference_once):
    """Both cards are cards to the library that most people use."""
    folder = reference_once / "artifacts/documents"
    dataset = huggingface_hub.DatasetCard.load(folder / "dataset_card.md")
    assert dataset.data.to_dict()["task_categories"] == ["text-classification"]
    model = huggingface_hub.ModelCard.load(folder / "model_card.md")
    results = model.data.eval_results
    assert {result.metric_type for result in results} >= {"accuracy", "f1"}


def test_the_card_verb_tells_what_the_pipeline_wrote(reference_once, with_its_key):
    """A card is what the records say: told from the trail it is byte for byte the file that DVC made."""
    project = Project.find(reference_once)
    for which in ("dataset", "model"):
        assert project.card(which).document == (reference_once / f"artifacts/documents/{which}_card.md").read_text()
    told = project.audit(as_of="2026-11-22")
    assert told.document == (reference_once / "artifacts/documents/audit_report.md").read_text()


def test_the_report_answers_all_72_subcategories_and_runs_no_script(reference_once):
    """Each id stands in the page; nothing in it is fetched or run."""
    folder = reference_once / "artifacts/documents"
    markdown = (folder / "audit_report.md").read_text()
    page = (folder / "audit_report.html").read_text()
    ids = set(re.findall(r"(?:GOVERN|MAP|MEASURE|MANAGE) \d\.\d+", markdown))
    assert len(ids) == 72
    assert all(identifier in page for identifier in ids)
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "compliant" not in (markdown + page).lower()


def test_an_attestation_reaches_the_report(reference):
    """What a person states stands in the next report with its role and its end, and changes nothing else's result."""
    project = Project.find(reference)
    before = {result.stage: result.name for result in project.facts().of(Result)}
    project.attest(
        "GOVERN 1.2", statement="Policy 7 applies.", by="A. Ode", role="CISO", made="2026-11-01", expires="2027-06-30"
    )
    outcome = project.repro().data["stages"]
    assert (outcome.pop("describe"), outcome.pop("audit")) == ("executed", "executed")
    assert set(outcome.values()) == {"unchanged"}
    report = (reference / "artifacts/documents/audit_report.md").read_text()
    assert "Policy 7 applies" in report
    after = {result.stage: result.name for result in project.facts().of(Result)}
    assert {stage for stage in STAGES if before[stage] != after[stage]} == {"describe", "audit"}
    assert int(project.verify().exit_code) == 0


def test_figures_stand_beside_majority_vote_and_a_supervised_reference(reference_once, with_its_key):
    """For every domain there is an accuracy of the model, the label model, majority vote and the reference."""
    evaluation = Project.find(reference_once).facts().one(Evaluation)
    for domain in ("tweets", "amazon", "movies", "nyt"):
        found = {
            of: evaluation.metric("accuracy", of=of, slice=domain)
            for of in ("model", "label_model", "majority", "supervised")
        }
        assert all(metric and metric.value and metric.low and metric.high for metric in found.values()), found


def test_neither_texts_nor_example_ids_stand_in_the_store(reference_once, with_its_key):
    """The log holds counts, digests and sentences; the rows stay in their tables."""
    import polars as pl

    data = (reference_once / ".labeltrail/trail.db").read_bytes()
    rows = pl.read_parquet(reference_once / "artifacts/data/examples.parquet")
    for text in rows["text"].to_list():
        assert text.encode() not in data
    for example in rows["example_id"].to_list():
        assert re.search(rb"\b" + re.escape(example.encode()) + rb"\b", data) is None


@pytest.mark.parametrize(
    "path",
    [
        "data/examples.parquet",
        "votes/votes.parquet",
        "labels/label_model.json",
        "models/model.safetensors",
        "documents/model_card.md",
    ],
)
def test_an_output_overwritten_and_committed_to_dvc_is_named(reference, path):
    """`dvc commit -f` satisfies DVC; verification names stage and file."""
    flip(reference / "artifacts" / path, 60)
    dvc(reference, "commit", "-f", "-q")
    report = Project.find(reference).verify()
    assert int(report.exit_code) == 3
    assert any(path in check["culprit"] for check in report.data["checks"] if check["state"] == "broken")


def labeltrail(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "governance", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["log", "-n", "3"],
        ["show", "vader"],
        ["trace", "model"],
        ["why", "tweets/7"],
        ["source"],
        ["source", "afinn"],
        ["card", "dataset"],
        ["audit", "--as-of", "2026-11-22"],
        ["doctor"],
        ["verify"],
    ],
    ids=" ".join,
)
def test_every_reading_verb_answers_as_text_data_and_markdown(reference_once, with_its_key, arguments):
    """Exit 0, text for people, JSON with a schema version, Markdown; nothing on stderr."""
    text = labeltrail(reference_once, *arguments)
    data = labeltrail(reference_once, *arguments, "--json")
    markdown = labeltrail(reference_once, *arguments, "--md")
    for answer in (text, data, markdown):
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout.strip()
    told = json.loads(data.stdout)
    assert (told["schema_version"], told["verb"]) == (1, arguments[0])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["why", "tweets/7777"], 2, "did you mean"),
        (["show", "model:0000"], 2, "no record"),
        (["trace", "vadre"], 2, "vader"),
        (["source", "afin"], 2, "afinn"),
        (["card", "modell"], 2, "model"),
        (["audit", "--framework", "nist"], 2, "nist_ai_rmf"),
        (["audit", "--as-of", "tomorrow"], 2, "YYYY-MM-DD"),
        (
            ["attest", "GOVERN 9.9", "--statement", "x", "--by", "x", "--role", "x", "--expires", "2027-01-01"],
            2,
            "GOVERN",
        ),
        (
            ["attest", "GOVERN 1.2", "--statement", " ", "--by", "x", "--role", "x", "--expires", "2027-01-01"],
            2,
            "statement",
        ),
        (["attest", "GOVERN 1.2", "--statement", "x", "--by", "x", "--role", "x", "--expires", "soon"], 2, "expires"),
    ],
)
def test_bad_arguments_are_one_error_with_the_way_out(reference_once, with_its_key, arguments, code, says):
    """Exit 2, one sentence, a hint; as data where data was asked for."""
    plain = labeltrail(reference_once, *arguments)
    assert plain.returncode == code
    assert plain.stdout == ""
    assert says in plain.stderr
    assert "Traceback" not in plain.stderr
    told = json.loads(labeltrail(reference_once, *arguments, "--json").stdout)
    assert told["exit_code"] == code
