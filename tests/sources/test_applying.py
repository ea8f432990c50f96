"""Is every vote bound to its example, and is a crash never an abstention?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import BrokenEvidence, ConfigurationError, ExitCode, InvalidRecord
from governance.records import Source
from governance.sources import ABSTAIN, ERROR, RegisteredSource
from governance.sources.applying import apply_sources, vote_again

CLASSES = ("negative", "positive")


def made(vote, *, title: str = "one", many: bool = False) -> RegisteredSource:
    record = Source.make(
        title=title,
        source_kind="heuristic",
        version="1",
        fingerprint="0" * 64,
        summary="s",
        owner="o",
        origin="o",
        licence_declared="MIT",
        licence_found="MIT",
        collection="c",
        personal_data=False,
    )
    return RegisteredSource(vote=vote, many=many, record=record)


def applied(vote, texts, **more):
    ids = [f"t/{number}" for number in range(len(texts))]
    return apply_sources([made(vote, **more)], ids, texts, classes=CLASSES, revote=1000)


def by_length(text: str) -> int:
    return (len(text) % 3) - 1


def test_votes_stand_beside_their_ids():
    """Every row holds what the source says of that row's text."""
    texts = ["", "a", "bb", "ccc"]
    found = applied(by_length, texts)
    assert found.table.ids.to_list() == ["t/0", "t/1", "t/2", "t/3"]
    assert found.table.matrix[:, 0].tolist() == [by_length(text) for text in texts]
    assert found.revoted == 4


def sometimes_raises(text: str) -> int:
    if "x" in text:
        raise KeyError(text)
    return 1


@given(st.lists(st.text("xy", max_size=3), min_size=1, max_size=30))
def test_every_crash_is_counted_and_none_is_an_abstention(texts):
    """As many errors are counted, by type, as the function raised."""
    found = applied(sometimes_raises, texts)
    crashed = sum("x" in text for text in texts)
    assert (found.table.matrix == ERROR).sum() == crashed
    assert (found.table.matrix == ABSTAIN).sum() == 0
    assert found.error_types["one"] == ({"raised KeyError": crashed} if crashed else {})


@pytest.mark.parametrize(
    ("value", "vote", "kind"),
    [
        (0, 0, None),
        (1, 1, None),
        (-1, ABSTAIN, None),
        (True, 1, None),
        (False, 0, None),
        (np.int64(1), 1, None),
        (np.bool_(True), 1, None),
        (2, ERROR, "answered a class out of range"),
        (-2, ERROR, "answered a class out of range"),
        (-3, ERROR, "answered a class out of range"),
        (10**30, ERROR, "answered a class out of range"),
        (1.0, ERROR, "answered float"),
        (np.float64(1), ERROR, "answered float64"),
        (float("nan"), ERROR, "answered float"),
        (None, ERROR, "answered NoneType"),
        ("1", ERROR, "answered str"),
        ([1], ERROR, "answered list"),
        (np.array(1), ERROR, "answered ndarray"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("many", [False, True])
def test_only_a_class_index_or_abstain_is_a_vote(value, vote, kind, many):
    """Anything else is an error with its type; a source cannot claim to have crashed or to have been skipped."""
    found = applied((lambda texts: [value for _ in texts]) if many else (lambda text: value), ["a"], many=many)
    assert found.table.matrix.tolist() == [[vote]]
    assert found.error_types["one"] == ({kind: 1} if kind else {})


def test_leaving_the_process_is_an_error_too():
    """A source that calls sys.exit does not end the run."""

    def leaves(text: str) -> int:
        raise SystemExit(0)

    assert applied(leaves, ["a"]).error_types["one"] == {"raised SystemExit": 1}


def test_one_bad_text_does_not_spoil_a_list():
    """A source that takes lists and crashes on one text votes on the others all the same."""

    def many(texts: list[str]) -> list[int]:
        if "bad" in texts:
            raise ValueError
        return [1 for _ in texts]

    found = applied(many, ["a", "bad", "b"], many=True)
    assert found.table.matrix[:, 0].tolist() == [1, ERROR, 1]
    assert found.error_types["one"] == {"raised ValueError": 1}


def test_a_list_of_another_length_is_an_error():
    """Votes that cannot be told apart by row are not guessed at."""
    found = applied(lambda texts: [1], ["a", "b"], many=True)
    assert found.table.matrix[:, 0].tolist() == [1, 1]
    found = applied(lambda texts: [], ["a", "b"], many=True)
    assert found.error_types["one"] == {"answered another number of votes": 2}


def test_votes_in_another_order_are_noticed():
    """A source that sorts the texts it is given ends the run with exit code 3."""

    def sorts(texts: list[str]) -> list[int]:
        return [int("g" in text) for text in sorted(texts, reverse=True)]

    texts = [f"{letter}{number}" for number in range(20) for letter in "ga"]
    with pytest.raises(BrokenEvidence) as caught:
        applied(sorts, texts, many=True)
    assert caught.value.exit_code is ExitCode.BROKEN


def test_a_source_that_remembers_is_noticed():
    """A vote that depends on the text before is no vote on this text."""
    before = [""]

    def remembers(text: str) -> int:
        last, before[0] = before[0], text
        return int(last > text)

    with pytest.raises(BrokenEvidence):
        applied(remembers, [f"{number % 7}{number}" for number in range(50)])


@given(st.lists(st.text(max_size=4), min_size=1, max_size=40), st.data())
def test_no_honest_source_is_ever_called_misaligned(texts, data):
    """Voting some rows again gives exactly these rows' votes."""
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))), unique=True, min_size=1).map(sorted))
    found = applied(by_length, texts)
    assert (vote_again([made(by_length)], texts, rows, classes=2) == found.table.matrix[rows]).all()


def test_a_missing_package_ends_the_whole():
    """An error of this library is not a property of a text, so it is not counted as one."""

    def needs(text: str) -> int:
        raise ConfigurationError("not installed", hint="install it")

    with pytest.raises(ConfigurationError):
        applied(needs, ["a"])
    with pytest.raises(ConfigurationError):
        applied(needs, ["a"], many=True)


@pytest.mark.parametrize(
    ("ids", "texts"),
    [(["a"], ["x", "y"]), (["a", "a"], ["x", "y"]), (["a", None], ["x", "y"]), (["a"], [None]), ([], [])],
    ids=["ids_too_few", "ids_twice", "id_missing", "text_missing", "empty"],
)
def test_ids_are_judged_before_any_source_runs(ids, texts):
    """What cannot be bound to rows is refused, and no source is asked."""
    asked = []
    with pytest.raises(InvalidRecord):
        apply_sources([made(asked.append)], ids, texts, classes=CLASSES)
    assert asked == []


def test_no_sources_are_refused():
    """Votes of nobody are no votes."""
    with pytest.raises(InvalidRecord, match="sources"):
        apply_sources([], ["a"], ["x"], classes=CLASSES)


def test_progress_is_told_once_a_block():
    """Every block of every source passes through the bar, and its total is right."""
    seen = []

    def bar(items, *, total, says):
        steps = list(items)
        seen.append((len(steps), total))
        yield from steps

    texts = ["a"] * 1025
    sources = [made(by_length, title="one"), RegisteredSource(by_length, False, made(by_length, title="two").record)]
    apply_sources(sources, [str(n) for n in range(1025)], texts, classes=CLASSES, progress=bar, revote=1)
    assert seen == [(6, 6)]
