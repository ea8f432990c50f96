"""Attempts to change history, each with what notices it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from behind import Behind, both_stores
from small_facts import finding, some_evaluation, some_source
from small_project import dvc, flip
from sqlalchemy.exc import IntegrityError

from governance.digest import file_digest, parse_canonical
from governance.errors import BrokenEvidence, Busy, ConfigurationError
from governance.facts import facts_bytes, read_facts
from governance.project import Project
from governance.records import Finding, Recipe, Result, read_record
from governance.runs.runfile import RunFile, read_run
from governance.store import keys, merkle
from governance.store.checkpoint import Checkpoint
from governance.store.entry import Entry
from governance.store.memory import memory_path
from governance.store.projection import project as projected
from governance.store.tables import PROJECTED


def verify(root: Path):
    governed = Project.find(root)
    report = governed.verify()
    governed.trail.database.close()
    return report


def states(report) -> set[str]:
    return {check["state"] for check in report.data["checks"]}


def change(root: Path, statement: str, values: tuple = ()) -> int:
    return Behind.of(root).change(statement, values)


def rewrite(root: Path, *, without_key: bool = False) -> None:
    """What somebody with the file and without the key can do: other entries, other leaves, other tables, one checkpoint."""
    behind = Behind.of(root)
    log = Project.find(root).trail.log
    entries = []
    frontier = merkle.Frontier()
    for seq, data in behind.ask("SELECT seq, data FROM trail_entry ORDER BY seq"):
        value = parse_canonical(data, where="entry")
        at = value.pop("at")
        if value["kind"] == "execution":
            value["body"]["who"] = "somebody else"
        if value["kind"] == "log" and without_key:
            value["body"]["public_key"] = None
        entry = Entry(at, read_record(value, where="entry"))
        entries.append((seq, entry))
        leaf = merkle.leaf_hash(entry.to_bytes())
        frontier.push(leaf)
        behind.change("UPDATE trail_entry SET data = ?, leaf = ? WHERE seq = ?", (entry.to_bytes(), leaf, seq))
    behind.change("DELETE FROM trail_checkpoint")
    note = Checkpoint(log, frontier.size, frontier.root()).to_note()
    statement = "INSERT INTO trail_checkpoint (log, size, note, frontier) VALUES (?, ?, ?, ?)"
    behind.change(statement, (log, frontier.size, note, frontier.to_text()))
    with behind.connected() as connection:
        for table in PROJECTED:
            connection.execute(table.__table__.delete())
        for table, row in projected(log, entries):
            connection.execute(table.__table__.insert(), [row])


@both_stores
def test_the_owners_next_run_does_not_sign_what_a_stranger_rewrote(project):
    """A log rewritten without the key stays unsigned through later runs, and whoever saw it before is told."""
    rewrite(project)
    assert int(verify(project).exit_code) == 3  # this person has seen another log
    memory_path(Project.find(project).trail.log).unlink()
    assert int(verify(project).exit_code) == 4  # whoever has not sees that nobody signed
    report = Project.find(project).repro()
    assert "unsigned" in report.to_markdown()
    assert int(verify(project).exit_code) == 4


@both_stores
def test_a_rewritten_log_without_any_key_is_noticed_by_whoever_saw_it_before(project):
    """Taking the key out of the log's first entry does not take it out of memory."""
    rewrite(project, without_key=True)
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any("rewritten" in check["says"] for check in report.data["checks"])


def test_a_log_rolled_back_with_its_checkpoints_is_noticed_by_whoever_saw_it_before(project, tmp_path):
    """An older copy of the store is whole in itself, and older than what was seen."""
    shutil.copy(project / ".labeltrail/trail.db", tmp_path / "older.db")
    assert int(Project.find(project).repro().exit_code) == 0
    shutil.copy(tmp_path / "older.db", project / ".labeltrail/trail.db")
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any("backwards" in check["says"] for check in report.data["checks"])


@both_stores
def test_a_forged_signature_at_the_head_is_not_gone_on_with(project, monkeypatch, tmp_path_factory):
    """Nothing is appended over a checkpoint that another key signed."""
    head = Project.find(project).trail.checkpoints()[-1]
    from governance.store.checkpoint import parse_note

    plain = parse_note(head[1])
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("forger")))
        keys.create_key()
        forger = keys.load_key()
    assert forger is not None
    forged = Checkpoint(plain.origin, plain.size, plain.root).signed(forger)
    change(project, "UPDATE trail_checkpoint SET note = ? WHERE size = ?", (forged.to_note(), plain.size))
    with pytest.raises(BrokenEvidence, match="signature"):
        Project.find(project).trail.append([finding(1)])


@both_stores
def test_what_was_recorded_without_the_key_is_unknown_until_it_is_adopted(project, monkeypatch, tmp_path_factory):
    """A colleague's entries are kept and unsigned; the holder of the key adopts them in an entry that says so."""
    home = str(keys.key_path().parent.parent)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("colleague")))
    assert int(Project.find(project).repro().exit_code) == 0
    with pytest.raises(ConfigurationError, match="not the one"):
        Project.find(project).adopt()
    monkeypatch.setenv("XDG_CONFIG_HOME", home)
    assert int(Project.find(project).repro().exit_code) == 0
    assert int(verify(project).exit_code) == 4
    report = Project.find(project).adopt()
    assert report.data["adopted"] == 2
    assert int(verify(project).exit_code) == 0
    assert Project.find(project).repro().data["checkpoint"].count("\u2014") == 1
    assert Project.find(project).adopt().data["adopted"] == 0
    data = Project.find(project).trail.raw_entries(start=3, stop=4)[0][1].replace(b'"kind"', b'"kinds"')
    change(project, "UPDATE trail_entry SET data = ? WHERE seq = 3", (data,))
    with pytest.raises(BrokenEvidence):
        Project.find(project).adopt()


@both_stores
def test_a_stripped_signature_anywhere_is_unknown(project):
    """An older checkpoint without its signature is not taken for one that never had any."""
    size, note, _ = Project.find(project).trail.checkpoints()[0]
    bare = note[: note.index("\u2014")]
    assert change(project, "UPDATE trail_checkpoint SET note = ? WHERE size = ?", (bare, size)) == 1
    report = verify(project)
    assert int(report.exit_code) == 4


def forge(root: Path, *, hash_seed: str | None = None) -> None:
    """Another output with facts, run file, lock and cache that all agree with it."""
    (root / "artifacts/count.json").write_text('{"rows":9999}')
    path = root / "artifacts/runs/count.json"
    run = read_run(path)
    recipe = Recipe.make(**{**run.recipe.body(), "hash_seed": hash_seed or run.recipe.hash_seed})
    facts = read_facts(root / "artifacts/facts/count.jsonl")
    stated = [Finding.make(**{**f.body(), "says": "9999 rows"}) if isinstance(f, Finding) else f for f in facts]
    (root / "artifacts/facts/count.jsonl").write_bytes(facts_bytes(stated))
    body = run.result.body()
    for output in body["outputs"]:
        output["sha256"] = file_digest(root / output["path"])
        output["bytes"] = (root / output["path"]).stat().st_size
    body |= {"recipe": recipe.name, "generated": [fact.name for fact in stated]}
    path.write_bytes(RunFile(recipe, Result.make(**body)).to_bytes())
    dvc(root, "commit", "-f", "-q")


@pytest.mark.parametrize("verb", ["repro", "sync"])
def test_a_forged_result_is_not_laundered_by_taking_it_in(project, verb):
    """A second result of a known recipe that nobody saw made is refused, and verification goes on naming it."""
    forge(project)
    assert int(verify(project).exit_code) == 3
    report = getattr(Project.find(project), verb)()
    assert int(report.exit_code) == 3
    assert int(verify(project).exit_code) == 3
    assert not [f for f in Project.find(project).facts().of(Finding) if "9999" in f.says]


def test_a_run_of_another_recipe_from_a_file_alone_is_said_to_be_unseen(project):
    """It may have come from another machine: it is taken in, and verification says that nobody saw it made here."""
    forge(project, hash_seed="random")
    assert int(Project.find(project).sync().exit_code) == 0
    assert any("no execution is recorded" in said for said in verify(project).data["not_checked"])


def test_taking_a_stage_out_of_the_pipeline_does_not_take_out_its_check(project):
    """A stage that the last repro knew is looked at even where dvc.yaml and dvc.lock no longer hold it."""
    import yaml

    for name in ("dvc.yaml", "dvc.lock"):
        document = yaml.safe_load((project / name).read_text())
        del document["stages"]["count"]
        (project / name).write_text(yaml.safe_dump(document))
    report = verify(project)
    assert int(report.exit_code) == 4
    flip(project / "artifacts/count.json", 2)
    report = verify(project)
    assert int(report.exit_code) == 3
    assert "count: artifacts/count.json" in [c["culprit"] for c in report.data["checks"] if c["state"] == "broken"]


def test_a_missing_run_file_does_not_hide_a_changed_output(project):
    """Without the run file the outputs are held against what the trail recorded last."""
    (project / "artifacts/runs/make.json").unlink()
    flip(project / "artifacts/data/made.parquet", 30)
    report = verify(project)
    assert int(report.exit_code) == 3
    assert "make: artifacts/data/made.parquet" in [
        c["culprit"] for c in report.data["checks"] if c["state"] == "broken"
    ]


def test_a_folder_in_place_of_an_output_is_broken(project):
    """Whatever stands there, it is not what was recorded."""
    (project / "artifacts/count.json").unlink()
    (project / "artifacts/count.json").mkdir()
    assert int(verify(project).exit_code) == 3


CELLS = [(table, column.name) for table in PROJECTED for column in table.__table__.columns]
ODD = ["''", "0", "-1", "1.5", "x'00ff'", "'x'", "NULL"]


@pytest.mark.parametrize(("model", "column"), CELLS)
def test_no_odd_value_passes_for_the_projected_one(project, model, column):
    """Empty text, zero, a fraction, bytes, another text, nothing: unless it is the same value, exit 3 names the table."""
    passed = []
    filled = Project.find(project).trail
    filled.append([some_source(), some_evaluation()])  # so that no table is empty
    filled.database.close()
    store, table = project / ".labeltrail/trail.db", model.__tablename__
    keys = ", ".join(f'"{key.name}"' for key in model.__table__.primary_key.columns)
    last_first = keys.replace(",", " DESC,") + " DESC"
    last = f"WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {last_first} LIMIT 1)"  # noqa: S608 - our own names
    original = store.read_bytes()
    for odd in ODD:
        with closing(sqlite3.connect(store)) as connection, connection:
            (was,) = connection.execute(f'SELECT "{column}" FROM {table} {last}').fetchone()  # noqa: S608
            try:
                statement = f'UPDATE {table} SET "{column}" = {odd} {last} RETURNING "{column}"'  # noqa: S608
                ((now,),) = connection.execute(statement).fetchall()
            except sqlite3.IntegrityError:
                continue
        same = type(now) is type(was) and now == was
        if not same and int(verify(project).exit_code) != 3:
            passed.append(odd)
        store.write_bytes(original)
    assert passed == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_checkpoint SET size = 'x' WHERE size = 1",
        "UPDATE trail_checkpoint SET note = 5 WHERE size = 1",
        "UPDATE trail_checkpoint SET frontier = x'00' WHERE size = 1",
        "UPDATE trail_entry SET seq = 'x' WHERE seq = 2",
        "UPDATE trail_entry SET data = 5 WHERE seq = 2",
        "UPDATE trail_entry SET leaf = NULL WHERE seq = 2",
        "UPDATE trail_subject_key SET key = 'abc'",
        "UPDATE trail_subject_key SET key = x'00'",
        "UPDATE trail_secret SET secret = 'abc'",
    ],
)
def test_a_cell_of_another_type_is_a_verdict_and_not_a_crash(project, statement):
    """Whatever stands in a cell of a file, verification ends with exit 3; a server holds each column to its type."""
    try:
        assert change(project, statement) >= 1
    except IntegrityError:
        pytest.skip("the database itself refuses this value")
    assert int(verify(project).exit_code) == 3


def test_a_store_that_is_locked_while_rows_are_verified_is_not_called_broken(project, monkeypatch):
    """Whoever waited for a writer in vain is told to try again."""

    def locked(*_, **__):
        raise Busy("the store is locked by another writer", hint="try again when it is done")

    monkeypatch.setattr("governance.proof.verify.commit_rows", locked)
    with pytest.raises(Busy, match="locked"):
        verify(project)


def test_a_writer_at_work_looks_like_no_fault(project):
    """Verification beside somebody who appends all the time never cries wolf."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent.parent)!r})\n"
        "from small_facts import finding\nfrom governance.project import Project\n"
        "trail = Project.find(sys.argv[1]).trail\nprint('on', flush=True)\n"
        "for number in range(100000):\n    trail.append([finding(number)])\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(project)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "on\n"
        try:
            for _ in range(15):
                assert "broken" not in states(verify(project))
        finally:
            writer.kill()


def test_verification_waits_for_nobody_and_judges_no_half_run(project):
    """While a repro is at work, verification says that it is busy."""
    from governance.project.repro import project_lock

    with project_lock(Project.find(project).config, wait_seconds=0.0), pytest.raises(Busy):
        Project.find(project).verify()
    assert int(verify(project).exit_code) == 0


def test_changed_columns_in_the_configuration_are_no_broken_evidence(project):
    """A commitment says itself which columns it stands on."""
    (project / "labeltrail.toml").write_text('[project]\nname = "small"\nsubject_column = "text"\n')
    assert int(verify(project).exit_code) == 0


def test_an_edited_command_is_stale(project):
    """The stage would now do something else than what was run."""
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("python -m pipelines.count", "python -O -m pipelines.count"))
    report = verify(project)
    assert int(report.exit_code) == 1
    assert json.dumps(report.to_json())
