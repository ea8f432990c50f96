"""What was seen so far: which rows were voted on, what was learned of the votes, what labels came out, who learned them?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from governance.limits import TimeLimit
from governance.watching.points import Points

if TYPE_CHECKING:
    from governance.fingerprint import Behaviour
    from governance.watching.aligned import Alignment
    from governance.watching.held import Held


@dataclass(frozen=True)
class Voter:
    """A source as it was when it began to vote: its name, what its author says of it in a line, and what it does."""

    name: str
    summary: str
    behaviour: Behaviour


@dataclass(eq=False)
class Application:
    """One call of an applier: rows bound to ids before any source ran, then what came back."""

    applier: str
    points: Points
    voters: list[Voter]
    #: the functions themselves, where this is the process in which they voted
    functions: list[Any] = field(default_factory=list)
    #: the very array that the script got, and its content at that moment
    given: Any = None
    matrix: Any = None
    #: (row, source) → "raised TypeError"; and answers that snorkel took for votes although they are no whole numbers
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    odd: dict[str, dict[str, int]] = field(default_factory=dict)
    #: what holds its functions to a time, where somebody asked for that
    limit: TimeLimit | None = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    #: None where the sample could not be voted on again
    alignment: Alignment | None = None


@dataclass(eq=False)
class Fitted:
    """A label model as it was when it had learned; `votes` are those that it learned from, where they are known."""

    method: str
    votes: Application | None
    cardinality: int
    #: parameters by name; arrays by name
    parameters: dict[str, Any]
    arrays: dict[str, Any]
    seed: int | None = None
    seed_given: bool = False
    balance_origin: str = "given"
    objective: float = 0.0


@dataclass(eq=False)
class Labelled:
    """What a label model said of every row of a vote matrix."""

    model: Fitted
    votes: Application
    probabilities: Any
    predictions: Any = None
    policy: str = ""


@dataclass(eq=False)
class Trained:
    """An estimator that learned labels of a label set; `rows` says which."""

    labels: Labelled
    rows: str
    examples: int
    features: str
    counts: dict[int, int]
    seconds: float
    #: the estimator itself, where this is the process in which it learned
    estimator: Any = None
    #: what it held in the end; None where it could not be asked
    held: Held | None = None


class Session:
    """Everything that one process was seen to do. `active` is false before and after the watch."""

    def __init__(self, *, id_column: str) -> None:
        self.id_column = id_column
        self.active = True
        self.applications: list[Application] = []
        self.fitted: list[Fitted] = []
        self.labelled: list[Labelled] = []
        self.trained: list[Trained] = []
        self.faults: list[str] = []
        self.unknown: dict[str, int] = {}
        self.seconds = 0.0
        self.current: Application | None = None
        #: off unless somebody asks for it: it can change what a script computes
        self.limit: TimeLimit | None = None
        self.models: dict[int, tuple[Any, Fitted]] = {}
        #: arrays that came of a label set: the array itself, so that its identity stays its own
        self.arrays: dict[int, tuple[Any, Labelled, str]] = {}
        self._inside = 0

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """Our own doing: its time is counted, and a fault in it is noted and goes no further."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.fault(f"{what} could not be recorded: {type(error).__name__}: {error}")
        finally:
            self.seconds += time.perf_counter() - started

    def fault(self, says: str) -> None:
        """Notes a fault of ours, once, with one line on stderr."""
        says = " ".join(says.split())[:300]
        if says not in self.faults:
            self.faults.append(says)
            print(f"labeltrail: {says}", file=sys.stderr)

    def not_known(self, what: str) -> None:
        """Counts what was seen and could not be followed back to votes."""
        self.unknown[what] = self.unknown.get(what, 0) + 1

    @contextmanager
    def outermost(self) -> Iterator[bool]:
        """Whether this call is one of the script's own and not one that a watched call makes inside."""
        self._inside += 1
        try:
            yield self._inside == 1
        finally:
            self._inside -= 1

    def votes_of(self, matrix: Any) -> Application | None:
        """The application that gave this matrix: the same array, or an equal one; the newest of several."""
        import numpy as np

        for one in reversed(self.applications):
            if one.given is matrix and _equal(matrix, one.matrix):
                return one
        array = np.asarray(matrix)
        return next((one for one in reversed(self.applications) if _equal(array, one.matrix)), None)

    def note_array(self, array: Any, labels: Labelled, rows: str) -> None:
        """Remembers an array of labels by its identity."""
        self.arrays[id(array)] = (array, labels, rows)

    def labels_of(self, y: Any) -> tuple[Labelled, str] | None:
        """(label set, which rows of it) that an array of labels is: the same array, or one of equal content."""
        import numpy as np

        known = self.arrays.get(id(y)) or self.arrays.get(id(getattr(y, "base", None)))
        array = np.asarray(y)
        if known is not None:
            # A slice is a view of the array that it was cut from.
            return known[1], known[2] if len(known[0]) == len(array) else part_of(known[2])
        for one in reversed(self.labelled):
            covered = (one.votes.matrix >= 0).any(axis=1)
            hard = one.probabilities.argmax(axis=1)
            wholes = [hard] if one.predictions is None else [one.predictions, hard]
            for whole in wholes:
                for rows, part in (
                    ("all rows", whole),
                    ("rows on which a source votes", whole[covered]),
                    ("rows with a label", whole[whole >= 0]),
                ):
                    if _equal(array, part):
                        return one, rows
        return None


def part_of(rows: str) -> str:
    """What a part of some rows is called; a part of a part is a part."""
    return rows if rows.startswith(_PART) else f"{_PART}{rows}"


_PART = "a part of "


def _equal(one: Any, other: Any) -> bool:
    import numpy as np

    return one.shape == other.shape and bool(np.array_equal(one, other))


_current: list[Session] = []


def begin(*, id_column: str) -> Session:
    """Begins a session; an earlier one of this process is over."""
    end()
    _current.append(Session(id_column=id_column))
    return _current[-1]


def current() -> Session | None:
    """The session that watches now."""
    return _current[-1] if _current else None


def end() -> Session | None:
    """Ends the watch and answers what was seen."""
    if not _current:
        return None
    session = _current.pop()
    session.active = False
    return session
