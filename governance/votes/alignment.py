"""Does every row of votes belong to the example whose id it carries?

Statistics cannot tell: rows in a wrong order have the same coverage and conflicts. So a sample is voted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from governance.errors import BrokenEvidence, InvalidRecord

if TYPE_CHECKING:
    import numpy as np

    from governance.records import Votes
    from governance.votes.table import VoteTable


def sample_rows(rows: int, *, size: int, seed: int) -> np.ndarray:
    """`size` different row indices (all, where there are fewer) in ascending order, int64, decided by `seed`."""
    import numpy as np

    if size < 1:
        raise InvalidRecord("size", size, "a sample of at least one row")
    chosen = np.random.default_rng(seed).choice(rows, size=min(size, rows), replace=False)
    return np.sort(chosen).astype(np.int64)


def differing_rows(voted_again: np.ndarray, table: VoteTable, rows: Sequence[int] | np.ndarray) -> int:
    """How many of `rows` have another vote now than in the table. Raises InvalidRecord where nothing was compared."""
    import numpy as np

    rows, again = np.asarray(rows), np.asarray(voted_again)
    if not rows.size:
        raise InvalidRecord("rows", 0, "at least one row that was voted again")
    if not np.issubdtype(rows.dtype, np.integer) or rows.ndim != 1 or rows.min() < 0 or rows.max() >= len(table):
        raise InvalidRecord("rows", f"{rows.dtype} {list(rows.shape)}", f"row indices from 0 to {len(table) - 1}")
    if len(np.unique(rows)) != len(rows):
        raise InvalidRecord("rows", len(rows), "each row once")
    if again.shape != (len(rows), len(table.columns)):
        raise InvalidRecord("voted_again", list(again.shape), f"{len(rows)} rows x {len(table.columns)} sources")
    return int((again != table.matrix[rows]).any(axis=1).sum())


def check_alignment(voted_again: np.ndarray, table: VoteTable, rows: Sequence[int] | np.ndarray) -> int:
    """Compares votes cast again for `rows` (rows x sources) with the table; answers how many rows were compared.

    Raises BrokenEvidence with the number of rows that differ.
    """
    differing = differing_rows(voted_again, table, rows)
    if differing:
        raise BrokenEvidence(
            "votes cast again",
            expected=f"the same votes on all {len(rows)} sampled rows",
            actual=f"{differing} rows that differ",
            hint="a source is not deterministic, or rows lost their order between voting and writing",
        )
    return len(rows)


def need_alignment(votes: Votes) -> None:
    """Raises BrokenEvidence where votes were others when they were cast again: nothing can be said of their rows."""
    if votes.revoted_differently:
        raise BrokenEvidence(
            votes.label,
            expected="votes beside their own rows",
            actual=f"{votes.revoted_differently} of {votes.revoted} rows with other votes when voted on again",
            hint="`labeltrail status` says how the rows were moved",
        )
