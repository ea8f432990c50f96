"""Which sources err together, how much less does each of them count for it, and what balance do their accuracies tell?

Two sources that err by themselves agree as often as their accuracies let them. Where classes are balanced and errors alike,
(agreement - 1/K) / (1 - 1/K) of two sources is a product, u_i u_j, of one number a source (Platanios et al. 2014 and Fu et
al. 2020 find accuracies so, without a label). Here u_i is the median over j of what each pair says of it, which a few pairs
of copies cannot move. What a pair agrees beyond that product, as a share of what it could, is what they have in common.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from governance.labelmodels._vote_rows import Spoken, voting
from governance.votes.product import product

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels._canonical import Arranged

#: so many rows two sources must share before their agreement is looked at, so many sources there must be, and so many for
#: copies to be told from others
_SHARED, _FEWEST, _FEWEST_VOICES = 30, 3, 4
#: common errors count where they are so many standard errors above nothing, and from this share
_SURE, _LEAST = 4.0, 0.3
#: bounds of u, and how often it is made anew, unless nothing moves by more than the last
_LOWEST, _HIGHEST, _ROUNDS, _STILL = 0.05, 0.98, 60, 1e-4
#: places for votes that are multiplied together, which stay in the processor's cache, and so many rows at least
_AT_ONCE, _ROWS_AT_ONCE = 1 << 16, 256
#: how many cells of a dense product cost as much as two sources that both vote on a row, counted by themselves
_A_PAIR = 20
#: pairs of votes that are counted together: so many at least where there are that many, and so many at most
_PAIRS, _MOST_PAIRS = 1 << 18, 1 << 21
#: digits of a voice and of a balance: how a sum was added up cannot be seen in them; and half of the last one
_DIGITS, _ROUNDED = 6, 5e-7


class Pairs:
    """On how many rows two sources vote both, and say the same, counted once for all that are ever asked about."""

    def __init__(self, votes: Arranged, spoken: Spoken | None, *, classes: int) -> None:
        """`spoken`: the patterns' votes one by one, where they are at hand."""
        import numpy as np

        self.sources, self.classes, self._votes, self._spoken = len(votes.order), classes, votes, spoken
        self._counted, self._alone_at_it = np.zeros(self.sources, dtype=bool), Lock()
        self._tables = (np.empty((0, 0)), np.empty((0, 0)))

    def of(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(both vote, both say the same), float64 (sources x sources) each; other sources than `asked` may be missing."""
        import numpy as np

        with self._alone_at_it:
            if not (asked & ~self._counted).any():
                return self._tables
            weights, spoken = self._votes.weights.astype(np.float64), self._spoken
            if spoken is not None and _is_sparse(spoken.many, self.sources):
                self._counted[:] = True
                self._tables = _sparse_pairs(spoken, weights)
                return self._tables
            self._counted = self._counted | asked
            whole, places = bool(self._counted.all()), np.flatnonzero(self._counted)
            patterns = self._votes.patterns if whole else self._votes.patterns[:, places]
            if spoken is None and _may_be_sparse(patterns) and _is_sparse(voting(patterns), len(places)):
                counted = _sparse_pairs(Spoken.of(patterns), weights)
            else:
                counted = _pairs(patterns, weights, classes=self.classes)
            if not whole:
                among_all = np.zeros((2, self.sources, self.sources))
                among_all[:, places[:, None], places] = counted
                counted = (among_all[0], among_all[1])
            for table in counted:
                table.setflags(write=False)
            self._tables = counted
            return self._tables


@dataclass(frozen=True, eq=False)
class Agreement:
    """How often sources agree beyond chance: of those in `judged`, bool (sources), square in their number each.

    `shared`: rows that two of them share; `beyond`: their agreement beyond chance; `seen`: where they share enough of
    them; `alone`: u, float64 (as many as are judged), which is how right a source is beyond chance.
    """

    judged: np.ndarray
    shared: np.ndarray
    beyond: np.ndarray
    seen: np.ndarray
    alone: np.ndarray

    @classmethod
    def of(cls, pairs: Pairs, *, judged: np.ndarray, left_out: np.ndarray | None = None) -> Agreement | None:
        """None where there are too few sources, or rows that two of them share.

        Only sources in `judged`, bool (sources), are looked at: those that name all classes. Of two sources that can name
        one class each, agreement says nothing. Nothing is seen of those in `left_out`.
        """
        import numpy as np

        # Pairs are counted of all that are judged, so that leaving out another source does not count them again.
        asked, judged = judged, judged if left_out is None else judged & ~left_out
        if judged.sum() < _FEWEST:
            return None
        classes = pairs.classes
        shared, agreed = pairs.of(asked)
        if not judged.all():
            shared, agreed = (table[judged][:, judged] for table in (shared, agreed))
        # Weights of .6 on 50 rows are 30 rows, however their sum was rounded.
        seen = shared >= _SHARED - _ROUNDED
        seen.flat[:: len(seen) + 1] = False
        if not seen.any():
            return None
        many = np.maximum(shared, 1.0)
        beyond = (agreed / many - 1 / classes) * classes / (classes - 1)
        return cls(judged, many, beyond, seen, _alone(np.where(seen, beyond, np.nan)))

    def voices(self) -> np.ndarray:
        """1 / (1 + the shares of errors that a source has in common with others), float64 (sources): copies share one
        voice."""
        import numpy as np

        found = np.ones(len(self.judged))
        if len(self.alone) < _FEWEST_VOICES:
            return found
        expected = self.alone[:, None] * self.alone[None, :]
        common = (self.beyond - expected - _SURE / np.sqrt(self.shared)) / (1 - expected)
        together = self.seen & (common >= _LEAST)
        if not together.any():
            return found
        common = np.where(together, np.minimum(common, 1.0), 0.0)
        found[self.judged] = np.round(1 / (1 + common.sum(axis=1)), _DIGITS)
        return found

    def balance(self, cast: np.ndarray, *, voices: np.ndarray, majority: np.ndarray) -> np.ndarray:
        """P(class), float64 (classes), if each source names every wrong class equally often.

        Then source i names class k on 1/K + u_i (P(k) - 1/K) of its votes, and P is found by least squares. `cast`: how
        often each source names each class, sources x classes. No class gets less than a tenth of what `majority` has it.
        """
        import numpy as np

        votes = cast[self.judged]
        total = votes.sum(axis=1, keepdims=True)
        weight = (total[:, 0] * voices[self.judged] * self.seen.any(axis=1) * self.alone)[:, None]
        even = 1 / votes.shape[1]
        told = even + (weight * (votes / total - even)).sum(axis=0) / (weight[:, 0] * self.alone).sum()
        told = np.maximum(np.round(np.maximum(told, 0.1 * majority), _DIGITS), 0.1**_DIGITS)
        return told / told.sum()


def _alone(beyond: np.ndarray) -> np.ndarray:
    """u, float64 (sources), from the agreement beyond chance, sources x sources, NaN where it was not looked at."""
    import numpy as np

    known = ~np.isnan(beyond)
    there = np.sort(beyond[known])
    begin = np.sqrt(max(float(there[(len(there) - 1) // 2] + there[len(there) // 2]) / 2, _LOWEST**2))
    u = np.full(len(beyond), min(begin, _HIGHEST))
    some = np.flatnonzero(known.any(axis=1))
    # NaN is sorted behind every number, so that the median of a row stands in the middle of what is known there.
    many, first = known[some].sum(axis=1), np.arange(len(some)) * len(some)
    below, above, beyond = first + (many - 1) // 2, first + many // 2, beyond[some[:, None], some]
    one = bool((many % 2).all())
    moved, half = u[some], beyond if one else beyond / 2
    told = np.empty_like(half)
    for turn in range(_ROUNDS):
        np.divide(half, moved, out=told)
        told.sort(axis=1)
        middle = told.take(below) if one else told.take(below) + told.take(above)
        np.minimum(np.maximum(middle, _LOWEST, out=middle), _HIGHEST, out=middle)
        # Two thirds of the way, in logarithms: two sources that explain each other would swing for ever, and then what all
        # have in common, which overshoots, and what tells them apart, which does not, both shrink to a third.
        before, moved = moved, np.cbrt(moved * middle * middle)
        # To look takes a third of a round.
        if turn % 2 and np.abs(moved - before).max() <= _STILL:
            break
    u[some] = moved
    return u


def _pairs(patterns: np.ndarray, weights: np.ndarray, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """On how many rows two sources vote both, and say the same, float64 (sources x sources) each."""
    import numpy as np

    rows, sources = patterns.shape
    shared, agreed = (np.zeros((sources, sources)) for _ in range(2))
    step, whole = max(_ROWS_AT_ONCE, _AT_ONCE // sources), bool((weights == np.floor(weights)).all())
    for start in range(0, rows, step):
        block, weight = np.ascontiguousarray(patterns[start : start + step].T), weights[start : start + step]
        # Whole numbers below 2^24 are exact as short floats, and so are their sums.
        weight = weight.astype(np.float32 if whole and float(weight.sum()) < 1 << 24 else np.float64)
        cells, weighed = (np.empty(block.shape, dtype=weight.dtype) for _ in range(2))
        if classes == 2 and whole:
            # Of two classes one is 1 and the other -1: what agrees less what does not takes one product for both.
            of_class = [((block == 0).view(np.int8) - (block == 1).view(np.int8), agreed)]
        else:
            of_class = [(block == k, agreed) for k in range(classes)]
        for said, total in ((block >= 0, shared), *of_class):
            np.copyto(cells, said)
            np.multiply(cells, weight, out=weighed)
            np.add(total, product(weighed, cells.T), out=total)
    return shared, (shared + agreed) / 2 if classes == 2 and whole else agreed


def _may_be_sparse(patterns: np.ndarray) -> bool:
    """Whether so few votes may be few in each pattern: the sum of squares is at least the square of the sum, shared out
    evenly."""
    import numpy as np

    return _A_PAIR * int(np.count_nonzero(patterns >= 0)) ** 2 < patterns.size**2


def _is_sparse(votes: np.ndarray, sources: int) -> bool:
    """Whether so few vote, of all sources, that their pairs are sooner counted one by one; votes: whole (patterns)."""
    import numpy as np

    return _A_PAIR * float(np.square(votes, dtype=np.float64).sum()) < len(votes) * sources**2


def _sparse_pairs(spoken: Spoken, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, where few sources vote on a row: each vote with those that follow it in its row."""
    import numpy as np

    sources, weight = spoken.sources, np.repeat(weights, spoken.many)
    # Counted apart: what agrees, and what does not.
    counted = np.zeros(2 * sources**2)
    follow = np.repeat(spoken.starts[1:], spoken.many).astype(np.int64) - 1 - np.arange(len(spoken.vote))
    before, pairs = np.cumsum(follow), int(follow.sum())
    # As many pairs at a time as there are counters to go through, so that neither is most of the work.
    step = min(max(_PAIRS, 2 * sources**2), _MOST_PAIRS)
    bounds = np.searchsorted(before, np.arange(step, pairs + step, step)) + 1
    for start, end in itertools.pairwise([0, *bounds.tolist()]):
        many = follow[start:end]
        first = np.repeat(np.arange(start, start + len(many)), many)
        # From the next vote of its row to the last.
        begins = np.cumsum(many) - many
        other = first + 1 + np.arange(len(first)) - np.repeat(begins, many)
        place = spoken.source.take(first) * np.int64(sources) + spoken.source.take(other)
        place *= 2
        place += spoken.vote.take(first) != spoken.vote.take(other)
        counted += np.bincount(place, weight.take(first), minlength=len(counted))
    agreed, apart = counted.reshape(sources, sources, 2).transpose(2, 0, 1)
    # What is above the diagonal stands below it too.
    shared, agreed = (table + table.T for table in (agreed + apart, agreed))
    alone = np.bincount(spoken.source, weight, minlength=sources)
    for table in (shared, agreed):
        np.fill_diagonal(table, alone)
    return shared, agreed
