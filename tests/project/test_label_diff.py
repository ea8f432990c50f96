"""`diff LABELS LABELS`: which label sets are meant, what made each label change, and what is told where files are gone."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from labelled_project import BAD, GOOD, make_labelled_project, posts, write_posts, write_source
from small_project import copy_of, once

from governance.errors import AmbiguousName, ConfigurationError, InvalidRecord, MissingEvidence, UnknownName
from governance.project import Project
from governance.records import Labels


@pytest.fixture(scope="session")
def labelled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "labelled", make_labelled_project)


@pytest.fixture
def labelled(labelled_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the labelled project, with the key that signed its log."""
    copy_of(labelled_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    return copy_of(labelled_once, tmp_path / "project")


def rerun(root: Path) -> Project:
    governed = Project.find(root)
    report = governed.repro()
    assert int(report.exit_code) == 0, report.to_markdown()
    return governed


def labeltrail(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def labels(root: Path) -> dict[str, int]:
    return dict(pl.read_parquet(root / "artifacts/labels.parquet").select("example_id", "label").iter_rows())


def names(governed: Project) -> list[str]:
    return [record.name for record in governed.facts().of(Labels)]


def add_word(root: Path) -> None:
    write_source(root, "plain", [*GOOD[:2], "blue"], BAD[:2])


def all_rows(governed: Project, *given: str) -> list[dict]:
    return governed.diff(*given, rows=10_000).data["examples"]


def test_every_kind_of_change_is_named_by_its_cause(labelled):
    """One change after another, each with a repro, each told by the command line as what it was."""
    said = {}
    texts = posts()
    before = labels(labelled)

    def after(what: str) -> dict:
        rerun(labelled)
        done = labeltrail(labelled, "diff", "labels", "--json", "--rows", "1000")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert sum(told["causes"].values()) == told["changed"] == len(told["examples"])
        nonlocal before
        now = labels(labelled)
        changed = {one for one in {*before, *now} if before.get(one) != now.get(one)}
        assert {row["id"] for row in told["examples"]} == changed
        before = now
        said[what] = told["causes"]
        return told

    add_word(labelled)
    told = after("a word more")
    assert set(told["causes"]) <= {"new source version", "refit"}
    assert told["causes"]["new source version"]
    assert all(one["what"].startswith("plain source:") for one in told["what"])
    blue = {example for example, (_, text) in texts.items() if "blue" in text.split()}
    assert {row["id"] for row in told["examples"] if row["cause"] == "new source version"} <= blue
    assert {row["slice"] for row in told["examples"]} <= {"forum", "mail"}

    write_source(labelled, "extra", ["today", *GOOD[:1]], ["again"])
    assert set(after("a source more")["causes"]) <= {"source added", "refit"}
    assert said["a source more"]["source added"]

    (labelled / "pipelines/sources/rare.py").unlink()
    (labelled / "pipelines/sources/rare.yaml").unlink()
    assert set(after("a source less")["causes"]) <= {"source removed", "refit"}
    assert said["a source less"]["source removed"]

    (labelled / "params.yaml").write_text("seed: 3\nthreads: 1\nlabel: {strength: 400}\n")
    told = after("a parameter")
    assert set(told["causes"]) == {"parameter"}
    assert told["what"] == [{"cause": "parameter", "what": "strength 10.0 → 400.0", "rows": told["changed"]}]

    one = next(example for example, label in before.items() if label == 1)
    texts[one] = (texts[one][0], "a bad post that came late again")
    write_posts(labelled, texts)
    told = after("a text")
    assert [row["id"] for row in told["examples"] if row["cause"] == "changed text"] == [one]
    assert set(told["causes"]) <= {"changed text", "refit"}

    gone = list(texts)[5:8]
    texts = {example: told for example, told in texts.items() if example not in gone}
    texts |= {"p/500": ("mail", "a good and great post"), "p/501": ("mail", "nothing to say")}
    write_posts(labelled, texts)
    told = after("rows")
    assert {row["id"] for row in told["examples"] if row["cause"] == "new row"} == {"p/500", "p/501"}
    assert {row["id"] for row in told["examples"] if row["cause"] == "removed row"} == set(gone)
    assert set(told["causes"]) <= {"new row", "removed row", "refit"}

    # From the first label set to the last everything has happened, and each row has one of the causes.
    last = Project.find(labelled).diff("labels~6", "labels").data
    assert sum(last["causes"].values()) == last["changed"]
    assert not last["causes"].get("unknown")
    assert not last["unknown"]
    assert last["refit_because"]
    back = Project.find(labelled).diff("labels", "labels~6").data
    assert back["changed"] == last["changed"]
    assert back["causes"]["new row"] == last["causes"]["removed row"]


def test_a_word_and_a_parameter_at_once_are_told_apart_with_a_model_between(labelled):
    """The former parameter on the later votes is fitted, since the later model comes out of its own again."""
    add_word(labelled)
    (labelled / "params.yaml").write_text("seed: 3\nthreads: 1\nlabel: {strength: 1000}\n")
    told = rerun(labelled).diff("labels").data
    assert set(told["causes"]) <= {"new source version", "refit", "parameter"}
    assert {"new source version", "parameter"} <= set(told["causes"])
    assert not told["unknown"]


def test_label_sets_are_named_in_every_way(labelled):
    """Kind, title, steps back, name, prefix, file, stage, result and commit."""
    add_word(labelled)
    governed = rerun(labelled)
    first, second = names(governed)
    shutil.copy(labelled / "artifacts/labels.parquet", labelled / "kept.parquet")
    result = next(r.name for r in governed.facts() if first in getattr(r, "generated", ()))
    for was, now in (
        ("labels~1", "labels"),
        ("labels~", second),
        (first, "labels of posts"),
        (first[:15], "labels~0"),
        (first.partition(":")[2][:12], "artifacts/labels.parquet"),
        ("labels of posts~1", str(labelled / "kept.parquet")),
        (result, "labels"),
        ("HEAD", "labels"),
        ("labels~1", "label"),
    ):
        told = governed.diff(was, now).data
        assert (told["was"]["labels"], told["now"]["labels"]) == (first, second), (was, now)
    assert governed.diff("labels").data["changed"] == governed.diff("labels~1", "labels").data["changed"] > 0


def test_what_names_no_label_set_is_one_error_with_the_way_out(labelled, tmp_path):
    """Each refusal says what was wrong and what to write."""
    governed = Project.find(labelled)
    shutil.copy(labelled / "artifacts/labels.parquet", labelled / "other.parquet")
    pl.read_parquet(labelled / "other.parquet").head(3).write_parquet(labelled / "other.parquet")
    for given, error, says in (
        (("labels",), MissingEvidence, "no label set before"),
        (("labels~3",), MissingEvidence, "no label set before"),
        (("lables",), UnknownName, "did you mean labels"),
        (("labels", "nowhere"), UnknownName, "nowhere"),
        ((f"labels:{'0' * 64}", "labels"), UnknownName, "another log"),
        (("other.parquet", "labels"), MissingEvidence, "no recorded label set has the bytes"),
        (("nowhere.parquet", "labels"), UnknownName, "nowhere.parquet"),
        (("labels", "labels", "labels"), InvalidRecord, "one run or two"),
        (("label",), MissingEvidence, "`labeltrail repro` and ask again"),
    ):
        with pytest.raises(error) as caught:
            governed.diff(*given)
        assert says in f"{caught.value.message} {caught.value.hint}", given
    for asked, error, says in (
        ({"cause": "refitt"}, UnknownName, "refit"),
        ({"rows": -1}, InvalidRecord, "from 0"),
        ({"csv": "rows.txt"}, InvalidRecord, ".csv"),
        ({"parquet": tmp_path / "no/such/rows.parquet"}, InvalidRecord, "folder"),
    ):
        with pytest.raises(error) as caught:
            governed.diff("labels", "labels", **asked)
        assert says in f"{caught.value.message} {caught.value.hint}"
    with pytest.raises(ConfigurationError, match="for label sets"):
        governed.diff("label", "label", cause="refit")


def test_the_same_label_set_twice_differs_in_nothing(labelled):
    """It says so and answers 0."""
    report = Project.find(labelled).diff("labels", "labels")
    assert int(report.exit_code) == 0
    assert (report.data["changed"], report.data["causes"], report.data["examples"]) == (0, {}, [])
    assert "same label set twice" in report.to_markdown()


def test_a_prefix_that_fits_two_label_sets_is_ambiguous():
    """More of the name is asked for."""
    from governance.erased import Erased
    from governance.facts import Facts
    from governance.project.label_sets import LabelSets

    sets = LabelSets(None, Facts(), erased=Erased())  # type: ignore[arg-type]
    sets._all = {f"labels:aaaa{k}": None for k in range(2)}  # type: ignore[dict-item]
    with pytest.raises(AmbiguousName):
        sets._shortened("labels:aaaa", "labels")


def test_every_changed_row_goes_into_a_file_and_the_screen_shows_some(labelled):
    """CSV and Parquet hold the same rows, in order of the causes; a cause lists its own."""
    add_word(labelled)
    governed = rerun(labelled)
    done = labeltrail(labelled, "diff", "labels", "--csv", "rows.csv", "--parquet", "rows.parquet", "--rows", "0")
    assert done.returncode == 0
    assert "p/" not in done.stdout
    table = pl.read_parquet(labelled / "rows.parquet")
    csv = pl.read_csv(labelled / "rows.csv", schema_overrides=table.schema)
    told = governed.diff("labels").data
    assert len(table) == told["changed"]
    assert dict(table.group_by("cause").len().iter_rows()) == told["causes"]
    assert csv["id"].to_list() == table["id"].to_list()
    assert csv["what"].fill_null("").to_list() == table["what"].to_list()
    listed = governed.diff("labels", cause="new-source-version", rows=2).data["examples"]
    assert [row["cause"] for row in listed] == ["new source version"] * 2
    assert not list(labelled.glob(".rows*"))
    assert "no row has the cause removed row" in governed.diff("labels", cause="removed-row").to_markdown()
    assert "no row has" not in governed.diff("labels").to_markdown()


def test_a_label_set_that_is_nowhere_is_missing_and_votes_that_are_are_unknown(labelled):
    """Without labels there is no answer, exit 4; without votes each row is counted and its cause is unknown, exit 4."""
    add_word(labelled)
    governed = rerun(labelled)
    record = governed.facts().of(Labels)[0]
    votes = governed.facts().get(record.votes)
    cache = {place: place.read_bytes() for place in (labelled / ".dvc/cache/files/md5").glob("*/*")}
    for wanted, digest in (("votes", votes.sha256), ("labels", record.sha256)):
        (place,) = [place for place, data in cache.items() if hashlib.sha256(data).hexdigest() == digest]
        place.chmod(0o600)
        place.unlink()
        if wanted == "labels":
            with pytest.raises(MissingEvidence, match="neither here nor in DVC's cache"):
                Project.find(labelled).diff("labels")
            continue
        report = Project.find(labelled).diff("labels")
        assert int(report.exit_code) == 4
        assert set(report.data["causes"]) == {"unknown"}
        assert sum(report.data["causes"].values()) == report.data["changed"] > 0
        assert any("dvc fetch" in one["hint"] for one in report.data["unknown"])


def test_a_stage_that_labels_by_more_than_its_model_is_not_believed(labelled):
    """A label that the recorded model does not give has no cause that records could tell: unknown, exit 4."""
    path = labelled / "pipelines/label.py"
    path.write_text(path.read_text().replace("model.predict(table), dtype", "1 - abs(model.predict(table)), dtype"))
    report = rerun(labelled).diff("labels")
    assert int(report.exit_code) == 4
    assert set(report.data["causes"]) == {"unknown"}
    assert "not what the recorded label model says" in report.to_markdown()


def test_to_look_at_label_sets_enters_nothing_and_hostile_ids_steer_no_terminal(labelled):
    """Ids stand on the screen, escaped, and never in the log."""
    texts = posts() | {"p/\x1b[2J[a](http://x.example)": ("mail", "a good post")}
    write_posts(labelled, texts)
    governed = rerun(labelled)
    size = governed.trail.size()
    done = labeltrail(labelled, "diff", "labels")
    assert "p/" in done.stdout
    assert "\x1b" not in done.stdout
    assert "](" not in labeltrail(labelled, "diff", "labels", "--md").stdout.replace("\\](", "")
    assert Project.find(labelled).trail.size() == size
    assert b"p/001" not in (labelled / ".labeltrail/trail.db").read_bytes()


def test_a_row_of_somebody_who_was_erased_reads_erased_by_the_entry(labelled):
    """She is taken out at the origin, labels are made again, then her rows of before are erased: her id is nowhere."""
    texts = posts()
    del texts["p/003"]
    write_posts(labelled, texts)
    governed = rerun(labelled)
    assert governed.diff("labels").data["causes"]["removed row"] == 1
    size = governed.trail.size()
    assert int(Project.find(labelled).subject_erase("p/003").exit_code) in (0, 1, 4)
    governed = Project.find(labelled)
    report = governed.diff("labels~1", "labels", rows=1000)
    told = report.data
    assert told["causes"]["erased"] == 1
    assert "removed row" not in told["causes"]
    assert sum(told["causes"].values()) == told["changed"] == len(told["examples"])
    (row,) = [row for row in told["examples"] if row["cause"] == "erased"]
    assert (row["id"], row["what"]) == (None, f"erased by entry {size}")
    assert "p/003" not in json.dumps(told)
    assert not told["unknown"]
    assert int(report.exit_code) == 0
