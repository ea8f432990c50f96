"""Label sets that are odd: other classes, erased rows, sources that contradict themselves, files that are gone."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from label_worlds import CLASSES, World, changed_world, facts_of, project_of, recorded, world_of

from governance.erased import Erased
from governance.errors import InvalidRecord, MissingEvidence
from governance.facts import Facts
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.refitting import learned_from
from governance.project.label_diff import LabelDiff, label_diff
from governance.project.label_told import Wanted, told
from governance.records import ErasedFile, Erasure, Labels


def diff_of(
    root: Path, one: World, two: World, *, gone: tuple[str, ...] = (), erased: Erased | None = None, **more
) -> LabelDiff:
    """The difference, with `gone` files taken away first."""
    config = project_of(root)
    sides = [recorded(config, name, world, **more.get(name, {})) for name, world in (("was", one), ("now", two))]
    for path in gone:
        (root / "artifacts" / path).unlink()
    return label_diff(config, facts_of(sides[0][1], sides[1][1]), sides[0][0], sides[1][0], erased=erased or Erased())


def causes(diff: LabelDiff) -> dict[str, str]:
    return dict(diff.rows.select("id", "cause").iter_rows())


@pytest.fixture
def worlds() -> tuple[World, World]:
    draw = np.random.default_rng(77)
    was = replace(world_of(draw, luck=77, rows=60), classes=CLASSES)
    return was, changed_world(was, draw, {"rows", "text", "new source version", "source added"})


def test_classes_in_another_order_are_the_same_classes(worlds, tmp_path):
    """Labels, votes and models are compared by the names of classes; every cause stays."""
    was, now = worlds
    plain = causes(diff_of(tmp_path / "plain", was, now))
    turn = {0: 2, 1: 0, 2: 1}  # where each class stands in the turned order
    amended = {(i, c): turn.get(now.vote(i, c), now.vote(i, c)) for i in now.texts for c in now.sources}
    names = tuple(CLASSES[old] for old in sorted(turn, key=lambda k: turn[k]))
    turned = diff_of(tmp_path / "turned", was, replace(now, classes=names, amended=amended))
    assert causes(turned) == plain
    assert plain
    assert set(turned.rows["now"].drop_nulls().to_list()) <= {*CLASSES, "no label"}


def test_other_classes_are_other_questions(worlds, tmp_path):
    """Refused by name, with what to do instead."""
    was, now = worlds
    with pytest.raises(InvalidRecord, match="the same classes") as caught:
        diff_of(tmp_path, was, replace(now, classes=("no", "perhaps", "never")))
    assert "labeltrail diff STAGE" in (caught.value.hint or "")


def test_a_source_that_contradicts_itself_is_not_explained(worlds, tmp_path):
    """The same version, the same text, another vote: unknown, and the source is named."""
    was, _ = worlds
    amended = {(f"e/{i}", column): (was.vote(f"e/{i}", column) + 1) % 3 for i in range(5) for column in was.sources}
    diff = diff_of(tmp_path, was, replace(was, amended=amended))
    found = {example for example, cause in causes(diff).items() if cause == "unknown"}
    assert found
    assert found <= {f"e/{i}" for i in range(5)}
    assert any("voted otherwise on the same text" in one["says"] for one in diff.unknown)
    assert int(told(diff, Wanted(), known=facts_of()).exit_code) == 4


def test_labels_that_no_model_gave_are_not_explained(worlds, tmp_path):
    """Somebody wrote a label over: that row is unknown, the others keep their causes."""
    was, now = worlds
    plain = causes(diff_of(tmp_path / "plain", was, now))
    example = next(i for i, cause in plain.items() if cause == "new source version")
    fitted = now.fitted()
    label = int(fitted.predict(now.table())[now.table().ids.to_list().index(example)])
    before = int(was.fitted().predict(was.table())[was.table().ids.to_list().index(example)])
    other = next(k for k in range(3) if k not in (label, before))
    written = causes(diff_of(tmp_path / "written", was, now, now={"labels": {example: other}}))
    assert written == plain | {example: "unknown"}


@pytest.mark.parametrize(
    "gone", ["was/votes.parquet", "now/votes.parquet", "was/rows.parquet", "now/model.json", "was/model.json"]
)
def test_what_is_gone_makes_rows_unknown_and_none_guessed(worlds, tmp_path, gone):
    """Rows keep their cause, or it is unknown; it is never another one."""
    was, now = worlds
    plain = causes(diff_of(tmp_path / "plain", was, now))
    diff = diff_of(tmp_path / "gone", was, now, gone=(gone,))
    left = causes(diff)
    assert left.keys() == plain.keys()
    assert {example for example in plain if left[example] != plain[example]} == {
        example for example in plain if left[example] == "unknown"
    }
    assert diff.unknown
    alone = {example for example, cause in plain.items() if cause in ("new row", "removed row")}
    assert all(left[example] == plain[example] for example in alone)
    if gone == "was/rows.parquet":
        # Where no vote of a source in the same version differs, a text has moved nothing.
        assert "refit" in left.values() or "source added" in left.values()


def test_a_fit_on_a_device_that_is_not_here_leaves_causes_unknown(worlds, tmp_path):
    """Whether the later model comes out again cannot be tried: exit 4, rows counted, no error of configuration."""
    was, now = worlds
    model = now.fitted()
    model.device = "cuda:99"
    assert not learned_from(model, now.table())
    diff = diff_of(tmp_path, was, now, now={"model": model})
    report = told(diff, Wanted(), known=Facts([]))
    assert int(report.exit_code) == 4
    assert set(causes(diff)) == set(causes(diff_of(tmp_path / "plain", was, now)))
    assert any("does not come out again" in one["says"] for one in report.data["unknown"])


def test_without_the_labels_there_is_no_answer(worlds, tmp_path):
    """Missing, with where to look."""
    with pytest.raises(MissingEvidence, match="the earlier labels") as caught:
        diff_of(tmp_path, *worlds, gone=("was/labels.parquet",))
    assert "dvc fetch" in (caught.value.hint or "")


def test_a_changed_file_is_not_read(worlds, tmp_path):
    """Bytes that are not the recorded ones are not there at all."""
    config = project_of(tmp_path)
    one, two = (recorded(config, name, world) for name, world in zip(("was", "now"), worlds, strict=True))
    path = tmp_path / "artifacts/now/votes.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    diff = label_diff(config, facts_of(one[1], two[1]), one[0], two[0], erased=Erased())
    assert set(causes(diff).values()) <= {"unknown", "new row", "removed row"}


def test_majority_votes_are_walked_as_well(worlds, tmp_path):
    """Any label model of the shelf can be asked; a change of method is a parameter."""
    was, now = worlds
    tables = [world.table() for world in (was, now)]
    models = [MajorityVote().fit(table) for table in tables]
    diff = diff_of(tmp_path / "same", was, now, was={"model": models[0]}, now={"model": models[1]})
    assert not diff.unknown
    assert {"changed text", "new source version", "source added"} & set(causes(diff).values())
    assert "parameter" not in causes(diff).values()


def erasure(before: str, after: str, rows: int) -> Erasure:
    file = ErasedFile(path="labels.parquet", before=before, after=after, bytes=1, rows=rows, amended=0)
    return Erasure.make(at=1, who="us", reason="she asked", files=[file], rows=[], keys=1, others=0)


@pytest.mark.parametrize("which", ["was", "now", "both"])
def test_erased_rows_are_counted_and_nobody_is_named(worlds, tmp_path, which):
    """Of one set alone they are changed rows with the entry that erased them; of both, nothing can be said of them."""
    was, now = worlds
    config = project_of(tmp_path)
    sides = [recorded(config, name, world) for name, world in (("was", was), ("now", now))]
    entries = []
    for name, (label_set, _) in zip(("was", "now"), sides, strict=True):
        if which not in (name, "both"):
            continue
        # What an erasure leaves: two rows less, in another file, which the log names.
        path = tmp_path / f"artifacts/{name}/labels.parquet"
        frame = pl.read_parquet(path)
        frame.filter(~pl.col("example_id").is_in(["e/0", "e/1"])).write_parquet(path)
        left = path.read_bytes()
        made = erasure(label_set.record.sha256, hashlib.sha256(left).hexdigest(), 2)
        made = made.model_copy(update={"files": (made.files[0].model_copy(update={"bytes": len(left)}),)})
        entries.append((41 + len(entries), made))
    diff = label_diff(config, facts_of(*(side[1] for side in sides)), sides[0][0], sides[1][0], erased=Erased(entries))
    report = told(diff, Wanted(rows=1000), known=facts_of())
    data = report.data
    assert sum(data["causes"].values()) == data["changed"] == len(data["examples"])
    if which == "both":
        assert "erased" not in data["causes"]
        assert data["erased"]["was"] == {"rows": 2, "says": "erased by entry 41"}
        assert "cannot be told any more" in report.to_markdown()
        return
    rows = [row for row in data["examples"] if row["cause"] == "erased"]
    assert [row["id"] for row in rows] == [None, None]
    assert all("erased by entry 41" in row["what"] for row in rows)
    assert "erased by entry 41" in report.to_markdown()


def test_empty_label_sets_and_a_single_row(tmp_path):
    """One row that changes is all of the difference; sets without a change have no causes."""
    draw = np.random.default_rng(3)
    was = world_of(draw, luck=3, rows=30)
    few = replace(was, texts=dict(list(was.texts.items())[:1]))
    diff = diff_of(tmp_path / "one", was, few)
    assert set(causes(diff).values()) <= {"removed row", "refit"}
    assert len(diff.rows) >= 29
    same = diff_of(tmp_path / "same", was, replace(was))
    assert (len(same.rows), same.unknown, same.because) == (0, [], ())


def test_shuffled_rows_are_the_same_rows(worlds, tmp_path):
    """Tables match by id, in whatever order they lie."""
    was, now = worlds
    shuffled = replace(now, texts={one: now.texts[one] for one in sorted(now.texts, key=lambda one: one[::-1])})
    assert causes(diff_of(tmp_path / "a", was, now)) == causes(diff_of(tmp_path / "b", was, shuffled))


def test_a_record_that_the_trail_does_not_hold_is_missing(worlds, tmp_path):
    """A label set whose votes nobody recorded cannot be told."""
    config = project_of(tmp_path)
    one, two = (recorded(config, name, world) for name, world in zip(("was", "now"), worlds, strict=True))
    known = facts_of([record for record in one[1] if isinstance(record, Labels)], two[1])
    with pytest.raises(MissingEvidence, match="not in the trail"):
        label_diff(config, known, one[0], two[0], erased=Erased())
