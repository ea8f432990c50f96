"""`verify`: fine where nothing changed, and the culprit by name where something did."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest
from behind import Behind, both_stores
from small_facts import finding, some_evaluation, some_source
from small_project import copy_of, dvc, flip, git

from governance.digest import file_md5
from governance.project import Project
from governance.project.told import verify_report
from governance.proof.check import Check, State, gather
from governance.proof.log import LogCheck
from governance.records import Recipe, Result
from governance.runs.runfile import RunFile, read_run
from governance.store import keys
from governance.store.memory import memory_path
from governance.store.tables import PROJECTED
from governance.store.trail import Trail


def verify(root: Path):
    """The store judged by itself, as somebody sees it who has never seen it before."""
    project = Project.find(root)
    memory_path(project.trail.log).unlink(missing_ok=True)
    report = project.verify()
    project.trail.database.close()
    return report


def culprits(report, *states: str) -> list[str]:
    return [check["culprit"] for check in report.data["checks"] if check["state"] in (states or ("broken",))]


def change(root: Path, statement: str, values: tuple = ()) -> int:
    return Behind.of(root).change(statement, values)


def ask(root: Path, statement: str) -> list[tuple]:
    return Behind.of(root).ask(statement)


def test_an_untouched_project_is_whole(project):
    """Exit 0, everything counted, and what was not looked at is said."""
    report = verify(project)
    assert int(report.exit_code) == 0
    assert report.data["counts"]["rows"] == 12
    assert report.data["counts"]["files"] == 10  # four outputs and two facts files, and six contents in the cache
    assert any("somebody else keeps" in said for said in report.data["not_checked"])


def test_only_what_contradicts_a_record_is_called_not_whole(project):
    """What was edited since is not up to date, what is not here is unknown, and neither was tampered with."""
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("rows: 12", "rows: 13"))
    edited = verify(project)
    assert (int(edited.exit_code), _ending(edited)) == (1, "what was made is as recorded, but not up to date")
    (project / "params.yaml").write_text(params)
    count = project / "artifacts/count.json"
    data = count.read_bytes()
    count.unlink()
    gone = verify(project)
    unknown = "unknown whether whole, since not everything is here or can be shown"
    assert (int(gone.exit_code), _ending(gone)) == (4, unknown)
    count.write_bytes(data + b" ")
    changed = verify(project)
    assert (int(changed.exit_code), _ending(changed)) == (3, "NOT whole")


def test_a_fresh_clone_is_unknown_until_its_runs_are_taken_in(project, tmp_path):
    """At each step the way on is named: bring the files, take in their runs."""
    clone = tmp_path / "clone"
    git(project, "clone", "-q", str(project), str(clone))
    Project.init(clone)
    bare = verify(clone)
    assert (int(bare.exit_code), _ending(bare).partition(",")[0]) == (4, "unknown whether whole")
    assert "`labeltrail sync --pull` brings" in bare.to_markdown()
    shutil.copytree(project / "artifacts", clone / "artifacts")
    lying = verify(clone)
    assert (int(lying.exit_code), _ending(lying).partition(",")[0]) == (4, "unknown whether whole")
    assert "`labeltrail sync` takes the run in" in lying.to_markdown()
    Project.find(clone).sync()
    assert _ending(verify(clone)) == "whole and unchanged"


def _ending(report) -> str:
    """What is said in the end, before the counts."""
    (told,) = [block for block in report.blocks if isinstance(block, str) and ": hashed " in block]
    return told.partition(": hashed ")[0]


OUTPUTS = [
    "artifacts/data/made.parquet",
    "artifacts/count.json",
    "artifacts/facts/make.jsonl",
    "artifacts/facts/count.jsonl",
    "artifacts/runs/make.json",
    "artifacts/runs/count.json",
]


@pytest.mark.parametrize("path", OUTPUTS)
@pytest.mark.parametrize("where", [0, 7, 100, -1])
def test_one_flipped_bit_in_any_recorded_output_is_named_with_stage_and_file(project, path, where):
    """Wherever the bit is, exit 3 names the file and its stage."""
    flip(project / path, where, bit=where % 8)
    report = verify(project)
    assert int(report.exit_code) == 3
    stage = "make" if "make" in path or "made" in path else "count"
    assert f"{stage}: {path}" in culprits(report)


@pytest.mark.parametrize("path", ["artifacts/data/made.parquet", "artifacts/count.json"])
def test_an_output_overwritten_and_committed_to_dvc_is_named(project, path):
    """`dvc commit -f` makes DVC content with any bytes; the recorded result is not."""
    flip(project / path, 30)
    dvc(project, "commit", "-f", "-q")
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any(path in culprit for culprit in culprits(report))


def test_an_output_committed_to_dvc_is_named_without_dvcs_cache(project):
    """Where lock and file agree and the cache was emptied, the recorded digest alone tells."""
    flip(project / "artifacts/count.json", 30)
    dvc(project, "commit", "-f", "-q")
    shutil.rmtree(project / ".dvc" / "cache")
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == ["count: artifacts/count.json"]


def test_other_bytes_in_the_cache_are_named_though_their_md5_fits(project):
    """What `dvc checkout` would bring is held against the recorded SHA-256, also while the output is not there."""
    flip(project / "artifacts/count.json", 30)
    dvc(project, "commit", "-f", "-q")
    (project / "artifacts/count.json").unlink()
    report = verify(project)
    assert int(report.exit_code) == 3
    assert [check["what"] for check in report.data["checks"] if check["state"] == "broken"] == ["cache"]


def all_cells() -> list[tuple[str, str]]:
    return [(table.__tablename__, column.name) for table in PROJECTED for column in table.__table__.columns]


@pytest.mark.parametrize(("table", "column"), all_cells())
def test_one_changed_cell_of_any_projected_table_is_named(project, table, column):
    """Whichever column of whichever table is changed, exit 3 names the table."""
    with closing(sqlite3.connect(project / ".labeltrail" / "trail.db")) as connection:
        filled = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
    if filled:
        # An integer that is one more, a text that is one letter longer, in the last row, where no other one is in the way.
        keys = ", ".join(f'"{key.name}"' for key in _model(table).__table__.primary_key.columns)
        last_first = keys.replace(",", " DESC,") + " DESC"
        last = f"({keys}) = (SELECT {keys} FROM {table} ORDER BY {last_first} LIMIT 1)"  # noqa: S608
        statement = (
            f'UPDATE {table} SET "{column}" = CASE typeof("{column}") WHEN \'integer\' THEN "{column}" + 1 '  # noqa: S608
            f"WHEN 'null' THEN '0.5' ELSE \"{column}\" || 'x' END WHERE {last}"
        )
        assert change(project, statement) == 1
    else:
        values = {c.name: _filler(c) for c in _model(table).__table__.columns}
        values["log"] = Project.find(project).trail.log
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        change(project, f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any(f"table {table}" in culprit for culprit in culprits(report))


def _model(name: str):
    return next(table for table in PROJECTED if table.__tablename__ == name)


def _filler(column) -> object:
    return 1 if column.type.python_type in (int, bool) else "x"


@both_stores
def test_a_row_taken_out_of_a_projected_table_is_named(project):
    """A finding that was made to disappear from the table is named."""
    assert change(project, "DELETE FROM finding WHERE \"check\" = 'rows'") == 1
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any("table finding" in culprit for culprit in culprits(report))


@both_stores
def test_rebuilding_mends_a_changed_projection(project):
    """The log is the truth: projected anew, the tables are whole again."""
    change(project, "UPDATE finding SET outcome = 'fail'")
    assert int(verify(project).exit_code) == 3
    assert int(Project.doctor(project, rebuild=True).exit_code) == 0
    assert int(verify(project).exit_code) == 0


def entries(root: Path) -> int:
    return ask(root, "SELECT count(*) FROM trail_entry")[0][0]


@both_stores
def test_any_changed_entry_is_named(project):
    """Whichever entry is changed by one byte, exit 3 names it."""
    for seq, whole in ask(project, "SELECT seq, data FROM trail_entry"):
        data = bytearray(whole)
        data[len(data) // 2] ^= 1
        assert change(project, "UPDATE trail_entry SET data = ? WHERE seq = ?", (bytes(data), seq)) == 1
        report = verify(project)
        assert int(report.exit_code) == 3
        assert f"entry {seq}" in culprits(report)
        change(project, "UPDATE trail_entry SET data = ? WHERE seq = ?", (whole, seq))
    assert int(verify(project).exit_code) == 0


@both_stores
def test_any_entry_taken_out_is_noticed(project):
    """Whichever entry is removed, exit 3 says which is gone; of the last one only its checkpoint knows."""
    rows = ask(project, "SELECT log, seq, data, leaf FROM trail_entry")
    for row in rows:
        seq = row[1]
        assert change(project, "DELETE FROM trail_entry WHERE seq = ?", (seq,)) == 1
        report = verify(project)
        assert int(report.exit_code) == 3
        assert (f"entry {seq}" if seq < len(rows) - 1 else f"checkpoint {len(rows)}") in culprits(report)
        change(project, "INSERT INTO trail_entry (log, seq, data, leaf) VALUES (?, ?, ?, ?)", row)
    assert int(verify(project).exit_code) == 0


@both_stores
def test_an_entry_changed_together_with_its_leaf_is_noticed(project):
    """Whoever also mends the leaf hash is caught by the checkpoint that covers it."""
    from governance.store.merkle import leaf_hash

    rows = ask(project, "SELECT seq, data FROM trail_entry")
    seq, data = next((seq, data) for seq, data in rows if b'"kind":"finding"' in data)
    data = data.replace(b'"outcome":"pass"', b'"outcome":"fail"')
    change(project, "UPDATE trail_entry SET data = ?, leaf = ? WHERE seq = ?", (data, leaf_hash(data), seq))
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any("checkpoint" in culprit for culprit in culprits(report))


@both_stores
def test_an_entry_changed_with_its_leaf_and_every_frontier_is_noticed(project):
    """Whoever mends leaf and frontiers too still cannot sign: the root of a checkpoint is that of other entries."""
    from governance.store import merkle

    rows = ask(project, "SELECT seq, data, leaf FROM trail_entry ORDER BY seq")
    sizes = [row[0] for row in ask(project, "SELECT size FROM trail_checkpoint ORDER BY size")]
    leaves = [leaf for _, _, leaf in rows]
    seq, data = next((seq, data) for seq, data, _ in rows if b'"kind":"finding"' in data)
    data = data.replace(b'"outcome":"pass"', b'"outcome":"fail"')
    leaves[seq] = merkle.leaf_hash(data)
    change(project, "UPDATE trail_entry SET data = ?, leaf = ? WHERE seq = ?", (data, leaves[seq], seq))
    for size in sizes:
        frontier = merkle.Frontier()
        for leaf in leaves[:size]:
            frontier.push(leaf)
        change(project, "UPDATE trail_checkpoint SET frontier = ? WHERE size = ?", (frontier.to_text(), size))
    found = culprits(verify(project))
    assert [f"checkpoint {size}" in found for size in sizes] == [size > seq for size in sizes]


@both_stores
def test_entries_whose_checkpoint_was_taken_away_are_named(project):
    """Without its newest checkpoint nothing proves the newest entries, and the first of them is named."""
    sizes = [row[0] for row in ask(project, "SELECT size FROM trail_checkpoint ORDER BY size")]
    assert change(project, "DELETE FROM trail_checkpoint WHERE size = ?", (sizes[-1],)) == 1
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == [f"entry {sizes[-2]}"]


@both_stores
@pytest.mark.parametrize(
    ("column", "changed"),
    [
        ("note", lambda _: "nonsense"),
        ("note", lambda note: note.replace("\n1\n", "\n2\n")),
        ("frontier", lambda _: "ab"),
        ("size", lambda size: size + 100),
    ],
)
def test_a_changed_checkpoint_is_named(project, column, changed):
    """Neither note nor frontier nor size of a checkpoint can be changed unnoticed."""
    was = ask(project, f"SELECT {column} FROM trail_checkpoint WHERE size = 1")[0][0]  # noqa: S608 - our own names
    statement = f"UPDATE trail_checkpoint SET {column} = ? WHERE size = 1"  # noqa: S608 - our own names
    assert changed(was) != was
    change(project, statement, (changed(was),))
    report = verify(project)
    assert int(report.exit_code) == 3
    assert any("checkpoint" in culprit for culprit in culprits(report))


@both_stores
def test_a_checkpoint_signed_by_another_key_is_broken(project, monkeypatch, tmp_path_factory):
    """A valid note under a foreign signature is refused."""
    from governance.store.checkpoint import parse_note

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("forger")))
    keys.create_key()
    forger = keys.load_key()
    size, note = ask(project, "SELECT size, note FROM trail_checkpoint ORDER BY size DESC")[0]
    plain = parse_note(note)
    forged = type(plain)(plain.origin, plain.size, plain.root).signed(forger)
    change(project, "UPDATE trail_checkpoint SET note = ? WHERE size = ?", (forged.to_note(), size))
    report = verify(project)
    assert int(report.exit_code) == 3
    assert f"checkpoint {size}" in culprits(report)
    unsigned = type(plain)(plain.origin, plain.size, plain.root)
    change(project, "UPDATE trail_checkpoint SET note = ? WHERE size = ?", (unsigned.to_note(), size))
    report = verify(project)
    assert int(report.exit_code) == 4
    assert culprits(report, "unknown") == [f"checkpoint {size}"]


def test_a_hand_edited_lock_is_named(project):
    """An MD5 changed in dvc.lock contradicts the file that the run recorded."""
    lock = project / "dvc.lock"
    md5 = file_md5(project / "artifacts/count.json")
    lock.write_text(lock.read_text().replace(md5, "f" * 32))
    report = verify(project)
    assert int(report.exit_code) == 3
    assert "count: artifacts/count.json" in culprits(report)


def test_a_lock_with_another_input_is_named(project):
    """An input's MD5 changed in dvc.lock is noticed, since the run recorded what it read."""
    lock = project / "dvc.lock"
    md5 = file_md5(project / "pipelines/count.py")
    lock.write_text(lock.read_text().replace(md5, "f" * 32))
    report = verify(project)
    assert int(report.exit_code) == 3
    assert "count: pipelines/count.py" in culprits(report)


def test_a_replaced_file_in_the_cache_is_named(project):
    """Other bytes under a name in DVC's cache are found before they are ever checked out."""
    md5 = file_md5(project / "artifacts/count.json")
    flip(project / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:], 3)
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == ["count: artifacts/count.json"]


@both_stores
def test_an_exchanged_key_of_a_subject_is_named_by_its_table(project):
    """Under another key the rows no longer give the root that was committed to."""
    pseudonym = ask(project, "SELECT pseudonym FROM trail_subject_key")[0][0]
    statement = "UPDATE trail_subject_key SET key = ? WHERE pseudonym = ?"
    assert change(project, statement, (bytes(32), pseudonym)) == 1
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == ["artifacts/data/made.parquet"]


def test_a_result_put_together_by_hand_is_named(project):
    """A run file whose result was edited and named anew contradicts the recorded result of its recipe."""
    from governance.records import Result
    from governance.runs.runfile import RunFile, read_run

    path = project / "artifacts/runs/count.json"
    run = read_run(path)
    (project / "artifacts/count.json").write_text('{"rows":13}')
    fields = run.result.body()
    for output in fields["outputs"]:
        if output["path"] == "artifacts/count.json":
            from governance.digest import file_digest

            output["sha256"] = file_digest(project / "artifacts/count.json")
    path.write_bytes(RunFile(run.recipe, Result.make(**fields)).to_bytes())
    dvc(project, "commit", "-f", "-q")
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == ["count: artifacts/runs/count.json"]


def test_a_run_that_nobody_recorded_is_missing_evidence(project):
    """Plain DVC on another machine: exit 4, `unrecorded`; `sync` takes it in."""
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    dvc(project, "repro", "-q")
    report = verify(project)
    assert int(report.exit_code) == 4
    assert [c["says"] for c in report.data["checks"] if "unrecorded" in c["says"]]
    assert int(Project.find(project).sync().exit_code) == 0
    assert int(verify(project).exit_code) == 0


@pytest.mark.parametrize(
    ("path", "was", "now", "told"),
    [
        ("params.yaml", "rows: 12", "rows: 13", "parameter make.rows was 12, is 13"),
        ("params.yaml", "seed: 3", "seed: 4", "parameter seed was 3, is 4"),
        ("pipelines/helper.py", "a text", "a tale", "code pipelines/helper.py was edited"),
        ("pipelines/count.py", "import json", "import json as j", "code pipelines/count.py was edited"),
    ],
)
def test_what_was_edited_after_the_run_is_stale_and_not_broken(project, path, was, now, told):
    """Exit 1 says what was edited."""
    text = (project / path).read_text()
    assert was in text
    (project / path).write_text(text.replace(was, now))
    report = verify(project)
    assert int(report.exit_code) == 1
    assert told in [check["says"] for check in report.data["checks"]]


def test_an_older_revision_checked_out_whole_is_fine(project):
    """History may be walked: what was recorded then is still what it was."""
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    assert int(Project.find(project).repro().exit_code) == 0
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    git(project, "checkout", "-q", "HEAD~1")
    report = verify(project)
    assert int(report.exit_code) == 3  # files of the newer run under the older lock
    dvc(project, "checkout", "-q")
    report = verify(project)
    assert int(report.exit_code) == 0
    assert any(said.startswith("2 earlier results, whose") for said in report.data["not_checked"])


def test_an_older_revision_is_fine_also_where_a_stage_came_later(project):
    """Before that stage there was none to look at; taken out of the newest pipeline alone, it would be missed."""
    text = (project / "dvc.yaml").read_text()
    more = "  more:\n    cmd: python -m pipelines.more\n    deps: [pipelines/more.py]\n"
    more += "    outs: [artifacts/more.txt, artifacts/facts/more.jsonl, artifacts/runs/more.json]\n"
    (project / "dvc.yaml").write_text(text + more)
    code = "from governance.runs import stage\n\nwith stage('more') as run:\n"
    code += "    run.output('artifacts/more.txt').write_text('x')\n"
    (project / "pipelines/more.py").write_text(code)
    assert int(Project.find(project).repro().exit_code) == 0
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "a stage more")
    git(project, "checkout", "-q", "HEAD~1")
    dvc(project, "checkout", "-q")
    assert int(verify(project).exit_code) == 0
    git(project, "checkout", "-q", "-")
    dvc(project, "checkout", "-q")
    (project / "dvc.yaml").write_text(text)
    report = verify(project)
    assert int(report.exit_code) == 4
    assert "stage more" in culprits(report, "missing")


def test_a_missing_output_is_missing_and_not_broken(project):
    """A file that is gone proves nothing either way."""
    (project / "artifacts/count.json").unlink()
    report = verify(project)
    assert int(report.exit_code) == 4
    assert culprits(report, "missing") == ["count: artifacts/count.json"]
    shutil.rmtree(project / "artifacts")
    report = verify(project)
    assert int(report.exit_code) == 4


def test_a_lock_that_is_no_yaml_is_named(project):
    """Whatever stands in dvc.lock, verification ends in a verdict."""
    (project / "dvc.lock").write_text("{{{")
    report = verify(project)
    assert int(report.exit_code) == 3
    assert culprits(report) == ["dvc.lock"]


def test_the_answer_is_data_too(project):
    """`--json` carries schema version, exit code and every check."""
    told = json.loads(json.dumps(verify(project).to_json()))
    assert (told["schema_version"], told["verb"], told["exit_code"]) == (1, "verify", 0)


def log_alone(root: Path):
    project = Project.find(root)
    memory_path(project.trail.log).unlink(missing_ok=True)
    report = project.verify(log=True)
    project.trail.database.close()
    return report


def test_the_log_alone_is_verified_without_tables_and_files(project):
    """With `log`, what is wrong elsewhere is not looked at, and that is said; the same entries and checkpoints are."""
    whole = verify(project).data["counts"]
    flip(project / "artifacts/count.json", 3)
    change(project, "DELETE FROM finding")
    report = log_alone(project)
    assert int(report.exit_code) == 0
    assert report.data["counts"] == {name: whole[name] for name in ("entries", "checkpoints")}
    assert any("tables, files, DVC's cache and rows were not" in said for said in report.data["not_checked"])
    assert int(verify(project).exit_code) == 3


def test_any_changed_or_missing_entry_is_named_by_the_log_alone(small_project_once, tmp_path):
    """Whichever entry is changed, or is gone, or has another leaf, `verify --log` says what `verify` says of it."""
    for seq in range(entries(small_project_once)):
        for number, statement in enumerate(
            (
                "UPDATE trail_entry SET data = CAST(data || ' ' AS BLOB) WHERE seq = ?",
                "DELETE FROM trail_entry WHERE seq = ?",
                "UPDATE trail_entry SET leaf = zeroblob(32) WHERE seq = ?",
            )
        ):
            root = copy_of(small_project_once, tmp_path / f"{seq}-{number}")
            assert change(root, statement, (seq,)) == 1
            alone, whole = log_alone(root), verify(root)
            assert int(alone.exit_code) == 3
            assert set(culprits(alone)) <= set(culprits(whole))
            assert {c for c in culprits(whole) if c.startswith(("entry", "checkpoint"))} == set(culprits(alone))
            shutil.rmtree(root)


def test_an_entry_before_the_first_is_noticed(project):
    """A position that no log has is not passed over."""
    change(project, "INSERT INTO trail_entry SELECT log, -1, data, leaf FROM trail_entry WHERE seq = 3")
    assert "entry 0" in culprits(verify(project))
    assert int(log_alone(project).exit_code) == 3


def test_any_changed_cell_of_any_projected_table_of_a_server_is_named(postgres_url, tmp_path):
    """Whichever column of whichever table is changed there, its table is named, and put back it is whole."""
    keys.create_key()
    trail = Trail.open(postgres_url, root=tmp_path, project="tests", create=True)
    outputs = [{"path": "a", "sha256": "1" * 64, "bytes": 3}]
    result = Result.make(stage="s", recipe="recipe:" + "0" * 64, outputs=outputs, generated=[], used=[])
    trail.append([some_source(), some_evaluation(), finding(1), result])
    behind = Behind(postgres_url, tmp_path)
    for table in PROJECTED:
        name = table.__tablename__
        for column in (c.name for c in table.__table__.columns):
            # The last row: a number that is one more is no other row's.
            query = f'SELECT ctid::text, "{column}" FROM "{name}" ORDER BY "{column}" DESC LIMIT 1'  # noqa: S608
            place, was = behind.ask(query)[0]
            now = {bool: lambda v: not v, int: lambda v: v + 1, str: lambda v: v + "x"}.get(type(was), lambda _: "0.5")(
                was
            )
            statement = f'UPDATE "{name}" SET "{column}" = ? WHERE ctid = CAST(? AS tid) RETURNING ctid::text'  # noqa: S608
            ((place,),) = behind.ask(statement, (now, place))
            broken = [check.culprit for check in LogCheck(trail).run() if check.state == "broken"]
            assert any(f"table {name}" in culprit for culprit in broken), (name, column)
            behind.ask(statement, (was, place))
    assert not [check for check in LogCheck(trail).run() if check.state == "broken"]


PARTS: dict[State, str] = {
    "missing": "unknown whether whole, since not everything is here or can be shown",
    "returned": "rows of an erased person are here again",
    "stale": "not up to date",
}


@pytest.mark.parametrize("states", [some for n in range(4) for some in combinations(PARTS, n)], ids="-".join)
def test_the_verdict_names_everything_that_is_so(states):
    """And nothing of it once something is broken."""
    checks = [Check("files", state, "culprit", "says") for state in states]
    told = _ending(verify_report(gather(checks, counts={"files": 1}, not_checked=())))
    if states == ("stale",):
        assert told == "what was made is as recorded, but not up to date"
    else:
        assert told == (", and ".join(PARTS[state] for state in states) or "whole and unchanged")
    broken = gather([*checks, Check("files", "broken", "culprit", "says")], counts={"files": 1}, not_checked=())
    assert _ending(verify_report(broken)) == "NOT whole"


def test_a_run_that_takes_the_place_of_a_recorded_one_is_not_simply_to_be_taken_in(project):
    """It may be a colleague's, and it may be made up: how to take the recorded bytes back is said too."""
    path = project / "artifacts/runs/make.json"
    run = read_run(path)
    recipe = Recipe.make(**{**run.recipe.body(), "python": "3.0.0"})
    result = Result.make(**{**run.result.body(), "recipe": recipe.name})
    path.write_bytes(RunFile(recipe, result).to_bytes())
    report = verify(project).to_markdown()
    assert "unrecorded" in report
    assert "`git checkout dvc.lock` and `dvc checkout --force`" in report
