"""Why did each label change? One cause a row, by walking from the former label to the new one in a fixed order.

The walk starts with the former votes under the former label model and ends with the new votes under the new one. Its steps:

1. the row's text: every vote on it is a new vote  2. removed sources fall silent, one after another  3. new versions of
sources vote in the place of the former ones, one after another  4. the label model: fitted anew (refit), then with other
parameters  5. added sources speak, one after another.

Steps 1 to 3 are judged by the former model, which knew those sources, and step 5 by the new one, which knows these; so no
step asks a model about a source that it never learned of. The cause of a change is the step at which the label took its
new value for good: after it no step moves the label away again. A row that no step explains is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governance.facts import short

if TYPE_CHECKING:
    import numpy as np

NEW, REMOVED, ERASED = "new row", "removed row", "erased"
TEXT, SOURCE_REMOVED, VERSION = "changed text", "source removed", "new source version"
REFIT, PARAMETER, SOURCE_ADDED, UNKNOWN = "refit", "parameter", "source added", "unknown"
#: every cause, in the order in which it is told
CAUSES = (NEW, REMOVED, ERASED, TEXT, SOURCE_REMOVED, VERSION, REFIT, PARAMETER, SOURCE_ADDED, UNKNOWN)

SAME_TEXT, OTHER_TEXT, TEXT_NOT_KNOWN = 0, 1, -1
NO_MODEL = "several things changed on the row, and a label model that could tell them apart cannot be asked"
NOT_ITS_WORD = "the recorded label is not what the recorded label model says of the recorded votes"
NOTHING = "nothing that is recorded differs on the row"
SAME_VERSION = "the same version of {column} voted otherwise on the same text"
TEXT_OR_VERSION = "{column} voted otherwise, and whether the text changed is not known"

#: votes int8 (rows x columns of that model) -> labels int8 (rows)
Ask = Callable[["np.ndarray"], "np.ndarray"]


@dataclass(frozen=True, eq=False)
class Side:
    """One label set on the rows whose labels differ, in the order of classes that both sides share.

    `votes` int8 (rows x columns), in the order of the label model's columns; `labels` int8 (rows), as recorded; `ask` is
    the label model, or None where it cannot be asked.
    """

    columns: tuple[str, ...]
    sources: tuple[str, ...]
    votes: np.ndarray
    labels: np.ndarray
    ask: Ask | None


@dataclass(frozen=True)
class Step:
    """One step of the walk: a cause, and which source or parameter it was."""

    cause: str
    what: str = ""


@dataclass(frozen=True, eq=False)
class Switch:
    """A step from one label model to another on the new side's columns; None where that model cannot be asked."""

    step: Step
    ask: Ask | None


@dataclass(frozen=True, eq=False)
class Traced:
    """The step of each row, int64 (rows, an index of `steps`), and how often its label moved on the way, int64 (rows)."""

    steps: tuple[Step, ...]
    step: np.ndarray
    moves: np.ndarray


@dataclass(frozen=True)
class Pairing:
    """Which columns of two sides are one source: the same version, or two versions under one name; and the rest."""

    kept: tuple[tuple[int, int], ...]
    replaced: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def pair(was: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]]) -> Pairing:
    """Pairs columns, given as (column, source version), by version and then by name; each list in order of the names."""
    versions = {source: j for j, (_, source) in enumerate(now)}
    kept = {i: versions[source] for i, (_, source) in enumerate(was) if source in versions}
    names = {column: j for j, (column, _) in enumerate(now) if j not in set(kept.values())}
    replaced = {i: names[column] for i, (column, _) in enumerate(was) if i not in kept and column in names}
    gone = {i for i in range(len(was)) if i not in kept and i not in replaced}
    come = set(range(len(now))) - set(kept.values()) - set(replaced.values())

    def named(pairs: dict[int, int]) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(pairs.items(), key=lambda both: was[both[0]][0]))

    removed, added = sorted(gone, key=lambda i: was[i][0]), sorted(come, key=lambda j: now[j][0])
    return Pairing(named(kept), named(replaced), tuple(removed), tuple(added))


def trace(was: Side, now: Side, *, text: np.ndarray, switches: Sequence[Switch]) -> Traced:
    """The step that explains each row; every row's label differs between the sides.

    `text` int8 (rows): SAME_TEXT, OTHER_TEXT or TEXT_NOT_KNOWN. `switches` lead from the former model to the new one and
    are empty where both are one. Only rows that a step touches are asked about, so the cost is that of changed votes.
    Where a model cannot be asked, a row that exactly one step touches has that cause all the same.
    """
    import numpy as np

    old, new = np.maximum(was.votes, -1), np.maximum(now.votes, -1)
    paired = pair(tuple(zip(was.columns, was.sources, strict=True)), tuple(zip(now.columns, now.sources, strict=True)))
    asked = was.ask is not None and now.ask is not None and all(switch.ask is not None for switch in switches)
    walk = _Walk(now.labels, asked=asked)
    state = old.copy()
    walk.start(state, was.ask)
    unfit = walk.label != was.labels if asked else np.zeros(len(state), dtype=bool)
    # 1.
    _new_texts(walk, state, new, was, now, paired, text)
    _other_votes(walk, state, new, was, paired, text)
    # 2.
    for i in paired.removed:
        rows = np.flatnonzero(state[:, i] >= 0)
        state[rows, i] = -1
        walk.go(Step(SOURCE_REMOVED, f"{was.columns[i]} {short(was.sources[i])}"), rows, state, was.ask)
    # 3.
    for i, j in paired.replaced:
        rows = np.flatnonzero(state[:, i] != new[:, j])
        state[rows, i] = new[rows, j]
        says = f"{now.columns[j]} {short(was.sources[i])} → {short(now.sources[j])}"
        walk.go(Step(VERSION, says), rows, state, was.ask)
    # 4.
    state = new.copy()
    state[:, list(paired.added)] = -1
    for switch in switches:
        walk.go(switch.step, np.arange(len(state)), state, switch.ask)
    # 5.
    for j in paired.added:
        rows = np.flatnonzero(new[:, j] >= 0)
        state[rows, j] = new[rows, j]
        walk.go(Step(SOURCE_ADDED, f"{now.columns[j]} {short(now.sources[j])}"), rows, state, now.ask)
    return walk.ended(unfit)


def _new_texts(
    walk: _Walk, state: np.ndarray, new: np.ndarray, was: Side, now: Side, paired: Pairing, text: np.ndarray
) -> None:
    """A vote is one of a version on a text. What the former version would say of a new text nobody knows, so that on
    such a row the text stands for both; which new versions voted otherwise there is told."""
    import numpy as np

    other = text == OTHER_TEXT
    replaced = {i: other & (state[:, i] != new[:, j]) for i, j in paired.replaced}
    differs = np.zeros(len(state), dtype=bool)
    for i, j in (*paired.kept, *paired.replaced):
        differs |= other & (state[:, i] != new[:, j])
        state[other, i] = new[other, j]
    too = np.zeros(len(state), dtype=bool)
    for rows in replaced.values():
        too |= rows
    walk.go(Step(TEXT), np.flatnonzero(differs & ~too), state, was.ask)
    if too.any():
        named = ", ".join(now.columns[j] for i, j in paired.replaced if replaced[i].any())
        walk.go(Step(TEXT, f"new versions voted on it too: {named}"), np.flatnonzero(differs & too), state, was.ask)


def _other_votes(walk: _Walk, state: np.ndarray, new: np.ndarray, was: Side, paired: Pairing, text: np.ndarray) -> None:
    """What nothing that is recorded explains: a version that contradicts itself, or a text that is not here."""
    import numpy as np

    not_known = text == TEXT_NOT_KNOWN
    for among, fits, says in (
        (paired.kept, text == SAME_TEXT, SAME_VERSION),
        (paired.kept, not_known, TEXT_OR_VERSION),
        (paired.replaced, not_known, TEXT_OR_VERSION),
    ):
        for i, j in among:
            rows = np.flatnonzero(fits & (state[:, i] != new[:, j]))
            state[rows, i] = new[rows, j]
            walk.go(Step(UNKNOWN, says.format(column=was.columns[i])), rows, state, was.ask)


@dataclass(eq=False)
class _Walk:
    """Where each row stands: its label so far, the last step at which it took its new value, and what touched it."""

    end: np.ndarray
    asked: bool
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        import numpy as np

        rows = len(self.end)
        self.label = np.full(rows, -2, dtype=np.int8)
        self.took = np.full(rows, -1, dtype=np.int64)
        self.moves = np.zeros(rows, dtype=np.int64)
        self.touched = np.zeros(rows, dtype=np.int64)
        self.last = np.full(rows, -1, dtype=np.int64)

    def start(self, votes: np.ndarray, ask: Ask | None) -> None:
        if self.asked and ask is not None and len(votes):
            self.label[:] = ask(votes)

    def go(self, step: Step, rows: np.ndarray, votes: np.ndarray, ask: Ask | None) -> None:
        """One step that touches `rows`; `votes` are those of all rows after it."""
        if not len(rows):
            return
        self.touched[rows] += 1
        self.last[rows] = len(self.steps)
        if self.asked and ask is not None:
            before, after = self.label[rows], ask(votes[rows])
            self.moves[rows] += before != after
            self.took[rows[(before != after) & (after == self.end[rows])]] = len(self.steps)
            self.label[rows] = after
        self.steps.append(step)

    def ended(self, unfit: np.ndarray) -> Traced:
        """Each row's step; where the walk does not begin and end with what is recorded, nothing is claimed."""
        import numpy as np

        steps = [*self.steps, Step(UNKNOWN, NOT_ITS_WORD), Step(UNKNOWN, NO_MODEL), Step(UNKNOWN, NOTHING)]
        not_its_word, no_model, nothing = range(len(self.steps), len(steps))
        if self.asked:
            found = np.where(unfit | (self.label != self.end), not_its_word, self.took)
            return Traced(tuple(steps), np.where(found < 0, nothing, found), self.moves)
        found = np.where(self.touched == 1, self.last, np.where(self.touched == 0, nothing, no_model))
        return Traced(tuple(steps), found, np.ones_like(self.moves))
