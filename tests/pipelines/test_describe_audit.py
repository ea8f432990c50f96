"""Do the stages describe and audit write sound documents, state them, and refuse what they cannot check?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from documents.told_facts import complete

from governance.digest import canonical, file_digest
from governance.facts import Facts, facts_bytes, read_facts
from governance.records import Attestation, Document, Recipe, Result
from governance.runs import read_run
from governance.runs.runfile import RunFile
from pipelines import audit, describe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stages up to evaluate are done."""
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "told"\n', encoding="utf-8")
    params = {"seed": 7, "audit": {"framework": "nist_ai_rmf", "as_of": "2026-11-22"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    shutil.copytree(ROOT / "cards", tmp_path / "cards")
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "README.md").write_text("Decisions.", encoding="utf-8")
    facts = complete()
    for folder in ("facts", "runs"):
        (tmp_path / "artifacts" / folder).mkdir(parents=True)
    for result in facts.of(Result):
        recipe = facts.get(result.recipe)
        assert isinstance(recipe, Recipe)
        stated = [facts.get(name) for name in result.generated]
        (tmp_path / f"artifacts/facts/{result.stage}.jsonl").write_bytes(
            facts_bytes(r for r in stated if r is not None)
        )
        (tmp_path / f"artifacts/runs/{result.stage}.json").write_bytes(RunFile(recipe, result).to_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def state(project: Path, control: str, **fields: str) -> None:
    told = {"control": control, "statement": "It is so", "by": "A. Ode", "role": "counsel"}
    told |= {"made": "2026-01-01", "expires": "2027-01-01", **fields}
    folder = project / "decisions" / "attestations"
    folder.mkdir(exist_ok=True)
    (folder / f"{control.replace(' ', '-')}.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")


def documents(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((project / "artifacts" / "documents").iterdir())}


def test_both_stages_write_state_and_cite(project: Path):
    """The four files are written, and each is stated with its digest, its counts and what it cites."""
    describe.main()
    audit.main()
    assert list(documents(project)) == ["audit_report.html", "audit_report.md", "dataset_card.md", "model_card.md"]
    stated = read_facts(project / "artifacts/facts/describe.jsonl") | read_facts(
        project / "artifacts/facts/audit.jsonl"
    )
    made = {record.sha256: record for record in stated.of(Document)}
    for name in documents(project):
        record = made[file_digest(project / "artifacts/documents" / name)]
        assert record.document_kind == name.partition(".")[0]
        assert record.cites
        assert record.not_recorded


def test_every_citation_is_recorded_somewhere(project: Path):
    """Whatever the documents cite was stated by an earlier stage, or is its recipe or result."""
    state(project, "MAP 1.1")
    describe.main()
    audit.main()
    known = Facts()
    for path in sorted((project / "artifacts/facts").iterdir()):
        known |= read_facts(path)
    for path in sorted((project / "artifacts/runs").iterdir()):
        run = read_run(path)
        known |= Facts([run.recipe, run.result])
    for record in known.of(Document):
        assert all(name in known for name in (*record.cites, *record.about))


def test_running_again_changes_no_byte(project: Path):
    """A second run gives the same documents and the same facts."""
    seen = []
    for _ in range(2):
        describe.main()
        audit.main()
        facts = [(project / f"artifacts/facts/{name}.jsonl").read_bytes() for name in ("describe", "audit")]
        seen.append((documents(project), facts))
    assert seen[0] == seen[1]


def test_the_folder_of_the_project_leaves_no_trace(project: Path):
    """No document names the folder or the machine it was made in."""
    describe.main()
    audit.main()
    for text in documents(project).values():
        assert str(project).encode() not in text
        assert b"/root" not in text


def test_a_statement_reaches_card_and_report(project: Path):
    """What a person states in decisions/ stands in the model card and the report, and is recorded with them."""
    state(project, "MAP 1.1", statement="For the weekly report")
    describe.main()
    audit.main()
    assert b"For the weekly report" in documents(project)["model_card.md"]
    assert b"For the weekly report" in documents(project)["audit_report.html"]
    assert read_facts(project / "artifacts/facts/audit.jsonl").of(Attestation)


def test_the_report_cites_the_cards(project: Path):
    """The report comes after the cards and stands on them."""
    describe.main()
    audit.main()
    cards = {record.name for record in read_facts(project / "artifacts/facts/describe.jsonl").of(Document)}
    report = read_facts(project / "artifacts/facts/audit.jsonl").of(Document)[0]
    assert cards <= set(report.cites)


@pytest.mark.parametrize("fault", ["as_of_missing", "as_of_no_date", "as_of_unquoted", "framework_unknown"])
def test_bad_parameters_are_refused(project: Path, fault: str, capsys: pytest.CaptureFixture[str]):
    """A missing or wrong parameter ends the stage with exit code 2 and one sentence; nothing is written."""
    describe.main()
    section: dict[str, str | int] = {"framework": "nist_ai_rmf", "as_of": "2026-11-22"}
    match fault:
        case "as_of_missing":
            del section["as_of"]
        case "as_of_no_date":
            section["as_of"] = "soon"
        case "as_of_unquoted":
            section["as_of"] = 20261122
        case "framework_unknown":
            section["framework"] = "nist"
    (project / "params.yaml").write_text(yaml.safe_dump({"audit": section}), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert ended.value.code == 2
    assert fault.partition("_")[0] in capsys.readouterr().err
    assert "audit_report.md" not in documents(project)


def test_a_bad_statement_leaves_the_earlier_report(project: Path, capsys: pytest.CaptureFixture[str]):
    """A broken attestation is named, and the documents of before stay as they were."""
    describe.main()
    audit.main()
    before = documents(project)
    state(project, "MAP 1.1", expires="next year")
    for stage in (describe, audit):
        with pytest.raises(SystemExit) as ended:
            stage.main()
        assert ended.value.code == 2
        assert "decisions/attestations/MAP-1.1.yaml" in capsys.readouterr().err
    assert documents(project) == before


def test_a_template_that_claims_without_evidence_is_refused(project: Path, capsys: pytest.CaptureFixture[str]):
    """A sentence that a template adds without evidence stops the stage, exit code 4, and is quoted."""
    card = project / "cards" / "model_card.md.j2"
    card.write_text(card.read_text(encoding="utf-8") + "\nThis model is excellent.\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        describe.main()
    assert ended.value.code == 4
    assert "This model is excellent." in capsys.readouterr().err
    assert not (project / "artifacts/documents/model_card.md").exists()


def test_a_stage_that_never_ran_is_named(project: Path, capsys: pytest.CaptureFixture[str]):
    """Without the facts of an earlier stage nothing is told, and the missing file is named."""
    (project / "artifacts/facts/train.jsonl").unlink()
    with pytest.raises(SystemExit) as ended:
        describe.main()
    assert ended.value.code == 2
    assert "artifacts/facts/train.jsonl" in capsys.readouterr().err


def test_recipes_name_what_was_read(project: Path):
    """The recipe of the report names templates, decisions, and facts and runs of every earlier stage."""
    describe.main()
    audit.main()
    recipe = read_run(project / "artifacts/runs/audit.json").recipe
    paths = {ref.path for ref in recipe.inputs}
    assert {"cards", "decisions", "artifacts/facts/describe.jsonl", "artifacts/runs/collect.json"} <= paths
    assert canonical(recipe.parameters)
