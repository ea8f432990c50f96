"""What a watched process noted is read as it was seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from watching.scripts import HEAD, plain, project_with

from governance.errors import InvalidRecord
from governance.fingerprint import Behaviour
from governance.limits import TimeLimit
from governance.process import look
from governance.watching import notes
from governance.watching.aligned import Alignment
from governance.watching.held import Held, held_by
from governance.watching.notes import Told, read_notes, write_notes
from governance.watching.points import Points
from governance.watching.session import Application, Fitted, Labelled, Session, Trained, Voter


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """One of everything, with what text and numbers have of the odd."""
    seen = Session(id_column="example_id")
    columns = {"text": ["a", None, "\ud800"], "share": [0.1, float("inf"), None], "whole": [1, 2**62, None]}
    points = Points(["x", "y", "ÿ"], "column example_id", None, columns, ("left",))
    voter = Voter("says", "what it says", Behaviour("0" * 64, ("opaque",), (("numpy", "2"),)))
    votes = Application(
        "PandasLFApplier",
        points,
        [voter],
        matrix=np.array([[1], [-1], [0]]),
        errors={(1, 0): "raised ValueError"},
        odd={"says": {"answered float": 2}},
        limit=TimeLimit(0.25),
        seconds=1.5,
        alignment=Alignment(3, 1, ("says",), (), None, True),
    )
    arrays = {"mu": np.array([[0.25, 0.75]], dtype=np.float32), "balance": np.array([0.1, 0.9])}
    model = Fitted("LabelModel", votes, 2, {"lr": 0.01, "odd": float("nan")}, arrays, seed=7, objective=1e-300)
    labels = Labelled(model, votes, np.array([[0.1, 0.9]] * 3), np.array([1, -1, 1]), "abstain")
    held = Held("some.Kind", {"C": "1.0"}, "1" * 64, 10, 3)
    seen.applications, seen.fitted, seen.labelled = [votes], [model, Fitted("Lonely", None, 3, {}, {})], [labels]
    seen.trained = [Trained(labels, "all rows", 3, "3 x 2", {0: 1, 1: 2}, 0.5, held=held)]
    seen.faults, seen.unknown, seen.seconds = ["one fault"], {"something": 2}, 0.25
    return Told(seen, look(root=tmp_path, started=5), 2, {"/a/b.py": ("2" * 64, 9)}, ["/a/c.csv"])


def test_what_is_read_is_what_was_written(told, tmp_path):
    """Numbers to the last bit, texts that no encoding takes, and which votes, model and labels belong together."""
    write_notes(told, tmp_path / "notes")
    back = read_notes(tmp_path / "notes")
    assert back is not None
    assert dataclasses.replace(back, seen=told.seen) == told
    for kind in ("id_column", "faults", "unknown", "seconds"):
        assert getattr(back.seen, kind) == getattr(told.seen, kind)
    (votes,), (model, lonely), (labels,), (trained,) = (
        back.seen.applications,
        back.seen.fitted,
        back.seen.labelled,
        back.seen.trained,
    )
    assert model.votes is labels.votes is votes
    assert (lonely.votes, labels.model, trained.labels) == (None, model, labels)
    for one, other in ((votes, told.seen.applications[0]), (votes.points, told.seen.applications[0].points)):
        _same(one, other, but=("points", "started", "limit"))
    assert votes.limit is not None
    assert votes.limit.seconds == 0.25
    _same(model, told.seen.fitted[0], but=("votes",))
    _same(labels, told.seen.labelled[0], but=("votes", "model"))
    _same(trained, told.seen.trained[0], but=("labels",))


def _same(one: object, other: object, *, but: tuple[str, ...]) -> None:
    for field in dataclasses.fields(one):  # type: ignore[arg-type]
        if field.name not in but:
            mine, yours = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_equal(mine, yours)
            assert getattr(mine, "dtype", type(mine)) == getattr(yours, "dtype", type(yours))


@pytest.mark.parametrize(
    ("votes", "kept"),
    [
        (np.array([[-1, 1], [0, 126]]), "int8"),
        (np.array([[-1], [128]]), "int16"),
        (np.array([[-(2**40)], [2**62]]), "int64"),
        (np.array([[-1], [2**20]], dtype=np.int32), "int32"),
        (np.asfortranarray([[0, 1], [2, 3]]), "int8"),
        (np.array([[0.5]]), "float64"),
        (np.zeros((0, 3), dtype=np.int64), "int64"),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_votes_are_written_in_few_bytes_and_read_bit_by_bit(told, tmp_path, votes, kept):
    """The same type, order and numbers."""
    told.seen.applications[0].matrix = votes
    write_notes(told, tmp_path / "notes")
    assert np.load(tmp_path / "notes" / "votes0.npy").dtype == kept
    back = read_notes(tmp_path / "notes")
    assert back is not None
    matrix = back.seen.applications[0].matrix
    assert (matrix.dtype, matrix.shape, matrix.tobytes("A")) == (votes.dtype, votes.shape, votes.tobytes("A"))


def test_notes_that_were_cut_short_are_none(told, tmp_path, monkeypatch):
    """The index comes last: a process that is killed before has told nothing."""
    told.seen.trained = [None]
    with pytest.raises(TypeError):
        write_notes(told, tmp_path / "notes")
    assert read_notes(tmp_path / "notes") is None
    assert read_notes(tmp_path / "nowhere") is None


def test_notes_of_another_labeltrail_are_refused(told, tmp_path, monkeypatch):
    """The script's environment may hold another version than the command's."""
    monkeypatch.setattr(notes, "__version__", "0.0.1")
    write_notes(told, tmp_path / "notes")
    monkeypatch.undo()
    with pytest.raises(InvalidRecord, match=r"0\.0\.1"):
        read_notes(tmp_path / "notes")


def test_equal_estimators_hold_the_same():
    """A vectorizer keeps the address of its stop words, which says nothing of it; what it learned does."""
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["a good film", "a bad film"]
    one, other, third = (held_by(CountVectorizer(stop_words=[*"ab"]).fit(given)) for given in (texts, texts, texts[:1]))
    assert one == other
    assert one.pickle_sha256 != third.pickle_sha256


_ALONE = (
    HEAD
    + """
from pathlib import Path
from governance.process import imported_modules
from governance.watching import child, session
before = set(sys.modules)
seen = child.watch(root=str(Path.cwd()), id_column="example_id")
PandasLFApplier(functions).apply(frame, progress_bar=False, fault_tolerant=True)
session.end()
from governance.watching.notes import write_notes
told = child.look_back(seen, root=Path.cwd(), started=0, imported=imported_modules())
write_notes(told, Path("notes"))
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))
"""
)


def test_the_process_of_a_script_imports_nothing_for_its_notes(tmp_path):
    """Neither what records are made of nor what tables are written with."""
    folder = project_with(tmp_path, alone=_ALONE)
    done = plain(folder, "alone.py")
    assert done.stdout == "['governance']\n", done.stderr
    assert read_notes(folder / "notes") is not None
