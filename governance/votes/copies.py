"""Which sources vote as copies of one another would, more than one truth explains?

Three signs, any of which makes a pair one to look at, and none of which says who copied:

`same`: both vote on nearly the same rows and say nearly the same there.

`mistakes`: they agree as often as copies with noise would, and more often than the truth that the other sources point at
makes two witnesses agree. If nobody copies, sources that meet on a row are independent given its class, so that agreement
beyond chance is a product of one number for each source (Dawid and Skene, 1979; the products of pairs are those of
C. Spearman's single factor, 1904). The numbers are read off agreements with third sources, never off the pair itself.

`rows`: they agree as copies would and vote on the same rows, far more than chance puts them there, where too few others
vote to tell what a truth explains.

Third sources are only those that agree less with the pair than the pair agrees with itself. A crowd of copies would
otherwise vouch for itself; so where two camps contradict each other, both may be named, because without gold nobody can
say which of them speaks with one voice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from governance.errors import InvalidRecord
from governance.parquet import read_parts
from governance.votes.answers import Answers
from governance.votes.patterns import Patterns
from governance.votes.product import product
from governance.votes.table import ABSTAIN, ID_COLUMN, VoteTable, read_votes, votes_told

if TYPE_CHECKING:
    import numpy as np

Sign = Literal["same", "mistakes", "rows"]

#: two copies of which each changes a tenth of the votes agree on this share of them at least
COPIED = 0.81
#: a pair that meets on fewer rows is not judged by its mistakes or its rows
LEAST_ROWS = 100
#: so often at most is a set of independent sources said to hold copies, where the theory holds
FALSE_ALARMS = 0.001
#: the share of the votes left to chance and truth that must be unexplained
_LEAST_UNEXPLAINED = 0.1
#: how far beyond chance two sources vote on the same rows, from 0 (as chance has it) to 1 (one's rows are the other's)
_SAME_ROWS = 0.8
#: so many third sources say enough of a pair
_MOST_OTHERS = 32
_VOTES_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Meetings:
    """Counts over rows, which add up over partitions: `both` and `agreed` (sources x sources), int64, rows on which both
    voted and on which both voted the same; `said` (sources x classes x sources), int64, on how many rows with a vote
    of the last source the first named which class."""

    rows: int
    both: np.ndarray
    agreed: np.ndarray
    said: np.ndarray

    def __add__(self, other: Meetings) -> Meetings:
        if self.said.shape != other.said.shape:
            raise InvalidRecord("meetings", list(other.said.shape), f"sources x classes as {list(self.said.shape)}")
        return Meetings(
            self.rows + other.rows, self.both + other.both, self.agreed + other.agreed, self.said + other.said
        )


@dataclass(frozen=True)
class Suspect:
    """A pair to look at: `shared` of the rows on which either votes, `agreement` on those, and `expected` of it where
    truth and chance could be weighed (None where not)."""

    columns: tuple[str, str]
    sign: Sign
    shared: float
    agreement: float
    expected: float | None


@dataclass(frozen=True)
class Alike:
    """The suspects among `columns`, and how many pairs more may be copies but meet on too few rows to be weighed."""

    columns: tuple[str, ...]
    pairs: tuple[Suspect, ...]
    unweighed: int

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The columns that the pairs hang together."""
        return groups([pair.columns for pair in self.pairs], self.columns)

    def told(self) -> dict[str, Any]:
        """What the check of near copies is given."""
        return {
            "pairs": [(*pair.columns, pair.shared, pair.agreement) for pair in self.pairs],
            "groups": self.groups,
            "explained": {pair.columns: pair.expected for pair in self.pairs if pair.expected is not None},
            "unweighed": self.unweighed,
        }


def meetings(votes: np.ndarray, counts: np.ndarray | None = None, *, n_classes: int) -> Meetings:
    """The meetings of rows of votes, int8 (rows x sources), each of which is there `counts` times (once by default)."""
    import numpy as np

    if votes.ndim != 2 or votes.dtype != np.int8:
        raise InvalidRecord("matrix", f"{votes.dtype} {list(votes.shape)}", "int8 votes, rows x sources")
    rows, sources = votes.shape
    said = np.zeros((sources, n_classes, sources), dtype=np.int64)
    agreed = np.zeros((sources, sources), dtype=np.int64)
    step = max(1, _VOTES_AT_ONCE // max(sources, 1))
    for start in range(0, rows, step):
        part = votes[start : start + step]
        weights = None if counts is None else counts[start : start + step].astype(np.float64)[:, None]
        voted = (part >= 0).astype(np.float64)
        for k in range(n_classes):
            named = (part == k).astype(np.float64)
            weighed = (named if weights is None else named * weights).T
            # Sums of whole numbers below 2**53 are exact in float64.
            said[:, k] += product(weighed, voted).astype(np.int64)
            agreed += product(weighed, named).astype(np.int64)
    total = rows if counts is None else int(counts.sum())
    return Meetings(total, said.sum(axis=1), agreed, said)


def meetings_of(patterns: Patterns, *, n_classes: int) -> Meetings:
    """The meetings of all rows behind distinct patterns."""
    return meetings(patterns.votes, patterns.counts, n_classes=n_classes)


def meetings_in(path: Path) -> tuple[tuple[str, ...], Meetings]:
    """(columns, meetings) of a file of votes of either form, a part in memory at a time. Raises what `read_votes` raises.

    A source that answers twice about an example votes where all its votes are one class, as in `Analysis.agreed`.
    """
    import numpy as np

    told = votes_told(path)
    classes = len(told["classes"])
    if "form" not in told:
        columns: tuple[str, ...] = ()
        parts: list[Meetings] = []
        for part in read_parts(path, columns=[ID_COLUMN]):
            columns = tuple(name for name in part.columns if name != ID_COLUMN)
            matrix = np.stack([part[name].to_numpy() for name in columns], axis=1)
            parts = [reduce(add, [*parts, meetings(matrix, n_classes=classes)])]
        return columns, parts[0]
    answers = read_votes(path)
    if isinstance(answers, VoteTable):
        return answers.columns, meetings(answers.matrix, n_classes=classes)
    return answers.columns, reduce(add, (meetings(part, n_classes=classes) for part in _steady(answers)))


def _steady(answers: Answers) -> Iterator[np.ndarray]:
    """Some examples at a time, int8 (examples x sources): what each source said, if it always said the same."""
    import numpy as np

    voted = np.flatnonzero(answers.vote >= 0)
    example, source, vote = answers.example[voted], answers.source[voted], answers.vote[voted]
    step = max(1, _VOTES_AT_ONCE // len(answers.columns))
    for start in range(0, max(len(answers), 1), step):
        these = slice(*np.searchsorted(example, (start, start + step)))
        shape = (min(step, len(answers) - start), len(answers.columns))
        place = (example[these] - start, source[these])
        low, high = np.full(shape, 127, dtype=np.int8), np.full(shape, ABSTAIN, dtype=np.int8)
        np.minimum.at(low, place, vote[these])
        np.maximum.at(high, place, vote[these])
        yield np.where(low == high, high, np.int8(ABSTAIN)).astype(np.int8)


def suspects(
    met: Meetings, columns: Sequence[str], *, shared: float = 0.8, agreement: float = 0.95
) -> tuple[Suspect, ...]:
    """Every pair with one of the three signs, in the order of `columns`; `shared` and `agreement` are the limits of `same`.

    1. who meets whom, how often, and beyond chance  2. pairs that say nearly the same  3. pairs that agree as copies would
    4. of these, what the others explain  5. where they explain nothing, whether the rows are the same
    """
    import numpy as np

    # 1.
    share, agree, copied = _beside_each_other(met)
    # 2. and 3.
    same = (share > shared) & (agree > agreement)
    tight = (met.both >= LEAST_ROWS) & copied
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(tight | same, k=1))]
    one_truth = _OneTruth(met)
    found: list[Suspect] = []
    # 4.
    mistaken = _mistaken([pair for pair in pairs if tight[pair]], one_truth)
    for i, j in pairs:
        weighed = one_truth.weigh(i, j) if tight[i, j] else None
        sign: Sign | None = "same" if same[i, j] else "mistakes" if (i, j) in mistaken else None
        # 5.
        # One whose few rows lie among another's many is no copy of it, so that both limits have to be crossed.
        together = tight[i, j] and share[i, j] > shared and _together(met, i, j) >= _SAME_ROWS
        if sign is None and together and (weighed is None or weighed.open):
            sign = "rows"
        if sign:
            told = min(max(weighed.expected, 0.0), 1.0) if weighed and sign != "rows" else None
            found.append(Suspect((columns[i], columns[j]), sign, float(share[i, j]), float(agree[i, j]), told))
    return tuple(found)


def alike(met: Meetings, columns: Sequence[str], *, shared: float = 0.8, agreement: float = 0.95) -> Alike:
    """`suspects`, and how many pairs that vote on the same rows as copies would are not among them because these rows are
    fewer than LEAST_ROWS."""
    import numpy as np

    found = suspects(met, columns, shared=shared, agreement=agreement)
    share, agree, copied = _beside_each_other(met)
    few = (met.both < LEAST_ROWS) & (share > shared) & copied & ~(agree > agreement)
    return Alike(tuple(columns), found, int(np.triu(few, k=1).sum()))


def _beside_each_other(met: Meetings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(share of the rows of either on which both vote, share of these on which they agree, whether copies with noise might
    agree so seldom), sources x sources each; NaN where they never meet."""
    import numpy as np

    both = met.both.astype(np.float64)
    voted = both.diagonal()
    with np.errstate(divide="ignore", invalid="ignore"):
        share = both / (voted[:, None] + voted[None, :] - both)
        agree = met.agreed / both
    slack = 3 * np.sqrt(COPIED * (1 - COPIED) / np.maximum(both, 1))
    return share, agree, agree >= COPIED - slack


def groups(pairs: Iterable[tuple[str, str]], columns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Columns that pairs hang together, each group and all groups in the order of `columns`."""
    place = {column: number for number, column in enumerate(columns)}
    camps = sorted(sorted(camp) for camp in _camps((place[one], place[other]) for one, other in pairs))
    return tuple(tuple(columns[number] for number in camp) for camp in camps)


def _mistaken(pairs: Sequence[tuple[int, int]], one_truth: _OneTruth) -> set[tuple[int, int]]:
    """Those of the pairs that agree beyond what one truth explains.

    A pair of copies among the others makes honest witnesses look like a camp of their own. So a pair is in question no
    longer once it is explained by everybody outside its own camp, with no word of what the pairs in question say to
    each other; where nobody else is left to speak, the question stays.
    """
    z = NormalDist().inv_cdf(1 - FALSE_ALARMS / max(len(pairs), 1))
    found = {pair for pair in pairs if (weighed := one_truth.weigh(*pair)) is not None and weighed.beyond(z)}
    while True:
        left: set[tuple[int, int]] = set()
        for camp in _camps(found):
            others = one_truth.outside(camp)
            for pair in (pair for pair in found if pair[0] in camp):
                weighed = one_truth.weigh(*pair, others=others, without=found)
                if weighed is None or not weighed.decides(z) or weighed.beyond(z):
                    left.add(pair)
        if left == found:
            return found
        found = left


def _camps(pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    """What pairs hang together."""
    camps: list[set[int]] = []
    for pair in pairs:
        touched = [camp for camp in camps if camp & set(pair)]
        camps = [camp for camp in camps if not camp & set(pair)] + [set(pair).union(*touched)]
    return camps


def _together(met: Meetings, i: int, j: int) -> float:
    """How far beyond chance two sources vote on the same rows; 0 where chance alone puts them there."""
    one, other, both = (float(met.both[pair]) / met.rows for pair in ((i, i), (j, j), (i, j)))
    room = min(one, other) - one * other
    return (both - one * other) / room if room > 0.01 else 0.0


@dataclass(frozen=True)
class _Weighed:
    """How often a pair agrees, how often truth and chance make it agree, and the standard error of the difference."""

    agreement: float
    expected: float
    error: float

    def decides(self, z: float) -> bool:
        """Whether a pair that always agrees would stand out."""
        return 1 - self.expected > z * self.error

    def beyond(self, z: float) -> bool:
        return self.agreement - self.expected > max(z * self.error, _LEAST_UNEXPLAINED * (1 - self.expected))

    @property
    def open(self) -> bool:
        """Whether copying cannot be ruled out."""
        return self.agreement - self.expected + 2 * self.error > _LEAST_UNEXPLAINED * (1 - self.expected)


class _OneTruth:
    """How often a pair would agree if all that its members share were the truth that others point at."""

    def __init__(self, met: Meetings) -> None:
        import numpy as np

        self._both = met.both.astype(np.float64)
        meet = np.maximum(self._both, 1)
        self._agree = met.agreed / meet
        chance = np.einsum("ikj,jki->ij", met.said.astype(np.float64), met.said.astype(np.float64)) / meet**2
        #: agreement beyond chance, and its variance; one row more on either side, since none disagreeing is not certain
        self._beyond = self._agree - chance
        smooth = (met.agreed + 1) / (meet + 2)
        self._variance = smooth * (1 - smooth) / meet

    def weigh(
        self, i: int, j: int, *, others: np.ndarray | None = None, without: Collection[tuple[int, int]] = ()
    ) -> _Weighed | None:
        """None where fewer than two others that know the truth meet the pair; pairs in `without` say nothing of it.

        With x and y the agreement of i and of j with the others beyond chance, and M that of the others among each other,
        one truth makes the pair's own x'My / sum of M squared. The error is that of the sum by its derivatives.
        """
        import numpy as np

        others = self._further(i, j) if others is None else self._known(i, j, others)
        if len(others) < 2:
            return None
        inside = np.ix_(others, others)
        apart = ~np.eye(len(others), dtype=bool) & (self._both[inside] >= LEAST_ROWS)
        if without:
            place = {int(other): at for at, other in enumerate(others)}
            for one, other in without:
                if one in place and other in place:
                    apart[place[one], place[other]] = apart[place[other], place[one]] = False
        m, noise = np.where(apart, self._beyond[inside], 0.0), np.where(apart, self._variance[inside], 0.0)
        x, y = self._beyond[i, others], self._beyond[j, others]
        square, blur = float((m * m).sum()), float(noise.sum())
        # What the others agree on has to stand out of what they would agree on by accident.
        if square < 2 * blur or square == 0:
            return None
        square -= blur
        explained = float(product(product(x, m), y)) / square
        by_x, by_y = product(m, y) / square, product(m, x) / square
        by_m = (np.outer(x, y) - 2 * explained * m) / square
        by_m = np.where(apart, by_m + by_m.T, 0.0)
        variance = (
            self._variance[i, j]
            + float(by_x**2 @ self._variance[i, others])
            + float(by_y**2 @ self._variance[j, others])
            + float((by_m**2 * noise).sum()) / 2
        )
        agree = float(self._agree[i, j])
        return _Weighed(agree, agree - float(self._beyond[i, j]) + explained, float(np.sqrt(variance)))

    def outside(self, camp: Collection[int]) -> np.ndarray:
        """bool (sources): everybody who is not of this camp."""
        import numpy as np

        return ~np.isin(np.arange(len(self._both)), list(camp))

    def _further(self, i: int, j: int) -> np.ndarray:
        """Those who are clearly further from either of a pair than they are apart: copies of it would not be."""
        import numpy as np

        here = self.outside((i, j))
        for one in (i, j):
            spread = np.sqrt(self._variance[one] + self._variance[i, j])
            here &= self._agree[one] < self._agree[i, j] - 0.03 - 2 * spread
        return self._known(i, j, here)

    def _known(self, i: int, j: int, here: np.ndarray) -> np.ndarray:
        """Those of `here`, bool (sources), who meet both, as indices; the best known where there are many."""
        import numpy as np

        meet = np.minimum(self._both[i], self._both[j])
        found = np.flatnonzero(here & (meet >= LEAST_ROWS))
        return np.sort(found[np.lexsort((self._agree[i, found], -meet[found]))][:_MOST_OTHERS])
