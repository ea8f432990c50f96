"""What does every reader gather, and how does it say which row is at fault?"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from governance.errors import InvalidRecord
from governance.votes.table import ABSTAIN, ERROR, SKIPPED, check_classes

if TYPE_CHECKING:
    import numpy as np

#: how the votes that are no class are written where a format has no word of its own for them
WORDS = {"ABSTAIN": ABSTAIN, "ERROR": ERROR, "SKIPPED": SKIPPED}
#: what a program writes in the place of an id that is missing
_MISSING = ("", "nan", "NaN", "<NA>")
#: kinds of sources that are people
PEOPLE = ("crowd", "gold")


@dataclass(frozen=True)
class Options:
    """What the file cannot say of itself; what is left empty is the format's own default, or guessed and told."""

    classes: tuple[str, ...] = ()
    id_column: str = ""
    text_column: str = ""
    source_column: str = ""
    label_column: str = ""
    #: which of the columns are sources, or what the columns of a matrix are called
    sources: tuple[str, ...] = ()
    #: which question, where the tool asked several
    question: str = ""
    #: the kind of source that columns are
    kind: str = ""
    #: those of the annotators whose answers are gold
    gold: tuple[str, ...] = ()
    #: the file with the ids, where the votes hold none
    ids: Path | None = None
    #: whether rows at fault are put aside; otherwise the first of them ends the whole
    aside: bool = False


@dataclass(frozen=True)
class Voter:
    """Somebody or something that answered, by the name that the tool gives it."""

    kind: str
    name: str

    @property
    def is_person(self) -> bool:
        return self.kind in PEOPLE


@dataclass(frozen=True)
class Fault:
    """A row that was put aside, as it stood, and why."""

    row: int
    field: str
    given: object
    wanted: str
    record: object


@dataclass(frozen=True, eq=False)
class Gathered:
    """What stands in an export: `answers` is int64 (answers x 4), each row an example, a voter, a repeat and a vote.

    `texts` is empty where there are none. `layout` is what a writer has to know to write the same again: names of columns,
    questions and controls. `notes` are for people: what was guessed, and what was left out.
    """

    ids: tuple[str, ...]
    texts: tuple[str | None, ...]
    classes: tuple[str, ...]
    voters: tuple[Voter, ...]
    answers: np.ndarray
    layout: dict[str, str]
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Gathered):
            return NotImplemented
        fields = ("ids", "texts", "classes", "voters", "layout", "faults")
        return all(getattr(self, name) == getattr(other, name) for name in fields) and np.array_equal(
            self.answers, other.answers
        )

    __hash__ = None  # type: ignore[assignment]


def word_of(vote: int, classes: Sequence[str]) -> str:
    """How a vote is written in a cell. Raises InvalidRecord where a class has the name that the vote would need."""
    if vote >= 0:
        return classes[vote]
    name = next(word for word, code in WORDS.items() if code == vote)
    for word in (name, str(vote)):
        if word not in classes:
            return word
    raise InvalidRecord("classes", name, f"no class called {name} beside a vote that is written so")


def vote_of(label: object, classes: Sequence[str]) -> int | None:
    """The vote that a cell holds: a class by its name, a word for what is no class, a class index; None for neither."""
    text = str(label) if isinstance(label, int) and not isinstance(label, bool) else label
    if not isinstance(text, str):
        return None
    if text in classes:
        return classes.index(text)
    if text in WORDS:
        return WORDS[text]
    number = whole(text)
    return number if number is not None and SKIPPED <= number < len(classes) else None


def whole(text: str) -> int | None:
    """The whole number that a text is, in its one spelling."""
    digits = text.removeprefix("-")
    return (
        int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 10 and str(int(text)) == text else None
    )


def guessed_classes(labels: Iterable[str], *, indices: bool, words: bool) -> tuple[str, ...]:
    """Classes from the labels that were given: in alphabetical order, or by number where all are whole numbers.

    With `indices`, numbers are class indices, so that there is a class for each up to the largest. With `words`, a word for
    what is no class is none.
    """
    names = sorted({label for label in labels if not (words and label in WORDS)})
    numbers = [whole(name) for name in names]
    known = [number for number in numbers if number is not None]
    if len(known) != len(names):
        return tuple(names)
    if indices:
        return tuple(str(number) for number in range(max(known, default=-1) + 1))
    return tuple(str(number) for number in sorted(known))


@dataclass
class Gathering:
    """Takes rows one by one and answers them whole: ids are judged, labels become votes, repeats are counted.

    `record` answers the row as it stood, for the quarantine.
    """

    path: Path
    options: Options
    record: Callable[[int], object]
    #: whether an example may stand in several rows
    many_rows: bool = False
    #: numbers are class indices where no classes are named, and labels of other kinds are refused then
    indices: bool = False
    #: labels are names of classes and nothing else: no index, and no word for an abstention
    names_only: bool = False
    #: whether the order of the sources means something; otherwise they stand by name
    in_order: bool = False
    layout: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._examples: dict[str, int] = {}
        self._texts: list[str | None] = []
        self._rows_of: list[list[int]] = []
        self._voters: dict[Voter, int] = {}
        self._labels: dict[object, int] = {}
        self._bad: dict[int, Fault] = {}
        # example, voter, repeat (-1: in order), label, row
        self._answers = array("q")
        self._fields: dict[int, str] = {}

    def fault(self, row: int, column: str, given: object, wanted: str) -> None:
        """Puts a row aside, or ends the whole where rows are not put aside. Raises InvalidRecord."""
        where = f"rows[{row}].{column}" if column else f"rows[{row}]"
        if not self.options.aside:
            hint = "--quarantine FILE puts such rows aside, where they can be opened"
            raise InvalidRecord(where, given, wanted, where=str(self.path), hint=hint)
        self._bad.setdefault(row, Fault(row, column, given, wanted, self.record(row)))

    def refuse(self, given: str, wanted: str, *, field: str = "task") -> NoReturn:
        """Ends the whole for a task of a kind that is not taken. Raises InvalidRecord."""
        raise InvalidRecord(field, given, wanted, where=str(self.path))

    def example(self, row: int, given: object, *, column: str, text: object = None) -> int | None:
        """The number of an example, or None where its id or its text cannot be used."""
        name = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        if not isinstance(name, str) or name.strip() in _MISSING or not _is_text(name):
            self.fault(row, column, None if given is None else type(given).__name__, "an id that is not empty")
            return None
        if text is not None and not (isinstance(text, str) and _is_text(text)):
            self.fault(row, self.layout.get("text_column", "text"), type(text).__name__, "a text")
            return None
        number = self._examples.get(name)
        if number is None:
            number = self._examples[name] = len(self._examples)
            self._texts.append(text)
            self._rows_of.append([row])
            return number
        if not self.many_rows:
            self.fault(row, column, "an id that an earlier row has", "each example once")
            return None
        if text is not None and self._texts[number] not in (None, text):
            self.fault(
                row, self.layout.get("text_column", "text"), "another text than an earlier row", "one text an example"
            )
            return None
        self._texts[number] = self._texts[number] if text is None else text  # type: ignore[assignment]
        self._rows_of[number].append(row)
        return number

    def voter(self, kind: str, name: str) -> int:
        """The number of somebody or something that answers; who is named gold is gold."""
        kind = "gold" if kind == "crowd" and name in self.options.gold else kind
        return self._voters.setdefault(Voter(kind, name), len(self._voters))

    def answer(self, row: int, example: int, voter: int, label: object, *, column: str, repeat: int = -1) -> None:
        """One answer; `label` is the text of a cell, or a vote that is no class as a number."""
        number = self._labels.setdefault(("vote", label) if isinstance(label, int) else label, len(self._labels))
        self._answers.extend((example, voter, repeat, number, row))
        self._fields.setdefault(number, column)

    def whole(self) -> Gathered:
        """1. the classes  2. every label a vote  3. rows at fault, whole, aside  4. repeats in the order of the file"""
        import numpy as np

        table = (
            np.frombuffer(self._answers, dtype=np.int64).reshape(-1, 5) if self._answers else np.zeros((0, 5), np.int64)
        )
        # 1.
        classes = self.options.classes or self._guessed()
        check_classes_here(classes, where=str(self.path))
        # 2.
        codes = np.zeros(len(self._labels), dtype=np.int64)
        words = "" if self.names_only else f", or {', '.join(WORDS)}"
        wanted = f"one of {', '.join(classes[:8])}{', …' if len(classes) > 8 else ''}{words}"
        for label, number in self._labels.items():
            vote = label[1] if isinstance(label, tuple) else self._vote(label, classes)
            codes[number] = ERROR if vote is None else vote
            if vote is None:
                for row in table[table[:, 3] == number][:, 4]:
                    self.fault(int(row), self._fields[number], label, wanted)
        # 3.
        bad = np.isin(table[:, 4], np.array(sorted(self._bad), dtype=np.int64))
        kept = [n for n, rows in enumerate(self._rows_of) if any(row not in self._bad for row in rows)]
        place = np.full(len(self._examples), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        table = table[~bad]
        said = np.stack([place[table[:, 0]], table[:, 1], table[:, 2], codes[table[:, 3]]], axis=1)
        # 4.
        voters, said = self._voters_of(said)
        names, texts = list(self._examples), [self._texts[n] for n in kept]
        if not kept:
            wanted = "at least one row that is not at fault" if self._bad else "at least one row"
            raise InvalidRecord("rows", 0, wanted, where=str(self.path))
        if not self._voters:
            raise InvalidRecord("sources", 0, "at least one source", where=str(self.path))
        for name in self.options.gold:
            if Voter("gold", name) not in self._voters:
                raise InvalidRecord("gold", "a name that nobody has", "annotators of this export", where=str(self.path))
        return Gathered(
            ids=tuple(names[n] for n in kept),
            texts=tuple(texts) if any(text is not None for text in texts) else (),
            classes=classes,
            voters=voters,
            answers=_numbered(said, where=str(self.path)),
            layout=dict(self.layout),
            faults=tuple(self._bad[row] for row in sorted(self._bad)),
            notes=tuple(self.notes),
        )

    def _vote(self, label: object, classes: Sequence[str]) -> int | None:
        if self.names_only:
            return classes.index(label) if label in classes else None  # type: ignore[arg-type]
        return vote_of(label, classes)

    def _voters_of(self, said: np.ndarray) -> tuple[tuple[Voter, ...], np.ndarray]:
        """Who answered, by name, and the answers with their numbers; columns stay as they are, also without an answer."""
        import numpy as np

        known = list(self._voters)
        if self.in_order:
            return tuple(known), said
        answered = set(said[:, 1].tolist())
        ordered = sorted(answered, key=lambda number: (known[number].kind, known[number].name))
        place = np.full(len(known), -1, dtype=np.int64)
        place[ordered] = np.arange(len(ordered))
        said[:, 1] = place[said[:, 1]]
        return tuple(known[number] for number in ordered), said

    def _guessed(self) -> tuple[str, ...]:
        labels = [label for label in self._labels if isinstance(label, str)]
        if self.indices:
            for label in labels:
                number = whole(label)
                if label in WORDS or (number is not None and number >= SKIPPED):
                    continue
                column = self._fields[self._labels[label]]
                wanted = "a class index; where cells hold names, --classes says which there are"
                said, of = self._answers, self._labels[label]
                for row in [said[at + 4] for at in range(0, len(said), 5) if said[at + 3] == of]:
                    self.fault(row, column, label, wanted)
            labels = [label for label in labels if (number := whole(label)) is not None and number >= 0]
        classes = guessed_classes(labels, indices=self.indices, words=not self.names_only)
        self.notes.append(f"classes, as they stand in the file: {', '.join(classes)} (--classes names them)")
        return classes


def check_classes_here(classes: Sequence[str], *, where: str) -> None:
    """Raises InvalidRecord for a task that is none of 2 to 127 classes, and says how to name those that nobody chose."""
    try:
        check_classes(classes, where=where)
    except InvalidRecord as error:
        hint = "--classes A,B names all classes, also those that nobody chose"
        raise InvalidRecord(error.field, error.given, error.wanted, where=where, hint=hint) from None


def _numbered(said: np.ndarray, *, where: str) -> np.ndarray:
    """Answers with a repeat each: as the file says it, or in the order of the file; sorted by example, voter and repeat."""
    import numpy as np

    order = np.lexsort((np.arange(len(said)), said[:, 1], said[:, 0]))
    said = said[order]
    pair = said[:, :2]
    new = np.ones(len(said), dtype=bool)
    new[1:] = (pair[1:] != pair[:-1]).any(axis=1)
    start = np.maximum.accumulate(np.where(new, np.arange(len(said)), 0))
    numbers = np.arange(len(said)) - start
    said[:, 2] = np.where(said[:, 2] < 0, numbers, said[:, 2])
    said = said[np.lexsort((said[:, 2], said[:, 1], said[:, 0]))]
    if len(said) > 1 and (said[1:, :3] == said[:-1, :3]).all(axis=1).any():
        wanted = "each answer of a source on an example under a repeat of its own"
        raise InvalidRecord("repeat", "an answer that another row has", wanted, where=where)
    return said


def _is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON may hold half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def by_example(gathered: Gathered) -> list[list[tuple[int, int, int]]]:
    """The answers on each example: (voter, repeat, vote)."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in gathered.ids]
    for example, voter, repeat, vote in gathered.answers.tolist():
        found[example].append((voter, repeat, vote))
    return found


def plain(value: Any) -> Any:
    """A value as JSON holds it, for the quarantine."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)
