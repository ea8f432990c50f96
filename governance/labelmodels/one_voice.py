"""What do the sources say together if sources that may be copies of each other have one voice?

Dawid-Skene, as it is, on votes in which every group has one speaker: where its members vote, the speaker says what most of
them say, and nothing where several classes lead; the others are silent. So a group weighs as one source, whatever its size,
and noise that its members added to what they copied is voted out. Nobody is dropped: the record names the groups, and
the votes stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NoReturn

from governance.errors import InvalidRecord
from governance.labelmodels._base import RowLabels, weighted
from governance.labelmodels._vote_rows import VoteRows
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import votes_by_class
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels._prepared import Prepared
    from governance.votes.table import VoteTable


class OneVoice(DawidSkene):
    """MAP Dawid-Skene in which columns of one voice count once.

    `voices` holds for each column, in the order of the votes that are fitted, the number of its voice; None gives each its
    own. The first column of a voice is its speaker. Everything else is as in `DawidSkene`, `copies` too: sources that
    nobody put into a group, and that err together all the same, share a voice there.
    """

    method = "one_voice"

    def __init__(
        self,
        *,
        voices: Sequence[int] | None = None,
        balance: Sequence[float] | None = None,
        strength: float | None = None,
        diagonal: float | None = None,
        copies: Literal["share", "count"] = "share",
        tolerance: float = 1e-3,
        max_iterations: int = 1000,
        device: str | None = None,
    ) -> None:
        super().__init__(
            balance=balance,
            strength=strength,
            diagonal=diagonal,
            copies=copies,
            tolerance=tolerance,
            max_iterations=max_iterations,
            device=device,
        )
        self.voices = voices

    def voices_on(self, columns: Sequence[str]) -> list[int] | None:
        """`voices` of some of the columns that this model knows, and of others, which have one each."""
        if self.voices is None:
            return None
        known, own = dict(zip(self.columns_, self.voices, strict=True)), max(self.voices) + 1
        return [known.get(column, own + place) for place, column in enumerate(columns)]

    def prepare(self, votes: VoteTable | np.ndarray) -> Prepared:  # noqa: ARG002 - as the door above has it
        """Refused with InvalidRecord, as `without` is: patterns of speakers do not say what is left of a group."""
        raise self._not_prepared()

    def without(self, columns: Sequence[str], *, votes: Prepared) -> NoReturn:  # noqa: ARG002 - as the door above has it
        """Refused with InvalidRecord."""
        raise self._not_prepared()

    def _not_prepared(self) -> InvalidRecord:
        hint = "`counterfactuals` fits it anew on the votes without some sources"
        return InvalidRecord("model", self.method, "one whose votes nobody else speaks", where=self.method, hint=hint)

    def _learn_covered(self, given: VoteRows, *, n_classes: int) -> RowLabels | None:
        if self.voices is None:
            return super()._learn_covered(given, n_classes=n_classes)
        # Patterns that differ in what one member said may be one when the speaker has spoken: labels are not theirs.
        spoken = distinct(self._spoken(given.votes, n_classes=n_classes))
        super()._learn_covered(VoteRows(spoken.votes, weighted(spoken, given.counts)), n_classes=n_classes)
        return None

    def _matrix(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        return self._heard(super()._matrix(votes))

    def _heard(self, votes: np.ndarray) -> np.ndarray:
        return self._spoken(votes, n_classes=len(self.classes_))

    def _spoken(self, matrix: np.ndarray, *, n_classes: int) -> np.ndarray:
        if self.voices is None:
            return matrix
        voices = list(self.voices)
        if len(voices) != matrix.shape[1] or any(type(one) is not int or one < 0 for one in voices):
            wanted = f"a whole number from 0 for each of {matrix.shape[1]} columns"
            raise InvalidRecord("voices", voices, wanted, where=self.method)
        return one_voice(matrix, voices, n_classes=n_classes)


def voices_of(columns: Sequence[str], groups: Sequence[Sequence[str]]) -> list[int]:
    """The number of each column's voice: those of a group have one. Raises InvalidRecord for a column in two groups."""
    voices = list(range(len(columns)))
    seen: set[str] = set()
    for group in groups:
        odd = sorted((set(group) - set(columns)) | (set(group) & seen))
        if odd:
            raise InvalidRecord("groups", odd[0], "columns of the votes, each in one group at most")
        seen |= set(group)
        places = sorted(columns.index(column) for column in group)
        for place in places:
            voices[place] = places[0]
    return voices


def one_voice(matrix: np.ndarray, voices: Sequence[int], *, n_classes: int) -> np.ndarray:
    """The votes in which the first column of each voice says what most of its columns say, int8 (rows x sources)."""
    import numpy as np

    spoken = np.array(matrix, order="C")
    for voice in sorted(set(voices)):
        members = [column for column, own in enumerate(voices) if own == voice]
        if len(members) < 2:
            continue
        named = votes_by_class(matrix[:, members], n_classes=n_classes)
        most = named.max(axis=1, keepdims=True)
        leads = (named == most) & (most > 0)
        spoken[:, members] = ABSTAIN
        spoken[:, members[0]] = np.where(leads.sum(axis=1) == 1, named.argmax(axis=1), ABSTAIN)
    return spoken


Model = OneVoice
