"""Where does P(class) come from: was it given, counted on gold, or estimated from the votes?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from governance.errors import InvalidRecord
from governance.votes.table import check_classes

if TYPE_CHECKING:
    import numpy as np

Origin = Literal["given", "estimated", "gold"]


class GoldBalance(tuple[float, ...]):
    """P(class), one number a class, that was counted on rows with gold: the label model keeps where it comes from."""

    __slots__ = ()


def balance_of_gold(gold: Sequence[int] | np.ndarray, *, n_classes: int, smoothing: float = 1.0) -> GoldBalance:
    """(rows of the class + smoothing) / (rows + smoothing * classes).

    `gold` holds class indices, and anything below 0 where there is no gold; a few dozen rows drawn at random will do, rows
    chosen for their label will not. Without smoothing every class must have a row. Raises InvalidRecord.
    """
    import numpy as np

    where = "balance of gold"
    check_classes([str(k) for k in range(n_classes)], where=where)
    if isinstance(smoothing, bool) or not isinstance(smoothing, (int, float)) or not 0 <= smoothing < float("inf"):
        raise InvalidRecord("smoothing", smoothing, "a finite number from 0", where=where)
    found = np.asarray(gold)
    if found.ndim != 1 or not (np.issubdtype(found.dtype, np.integer) or not len(found)):
        raise InvalidRecord("gold", f"{found.dtype} {list(found.shape)}", "a class index for each row", where=where)
    known = found[found >= 0].astype(np.int64)
    if not len(known):
        raise InvalidRecord("gold", "no row with gold", "at least one row with gold", where=where)
    if known.max() >= n_classes:
        raise InvalidRecord("gold", int(known.max()), f"a class index from 0 to {n_classes - 1}", where=where)
    counts = np.bincount(known, minlength=n_classes) + float(smoothing)
    if counts.min() <= 0:
        missing = int(counts.argmin())
        raise InvalidRecord("gold", f"no row of class {missing}", "a row of every class, or smoothing", where=where)
    return GoldBalance((counts / counts.sum()).tolist())


def as_told(balance: Sequence[float] | None, origin: str) -> Sequence[float] | None:
    """The constructor's `balance` as it was, from the numbers and the origin that a file keeps."""
    return GoldBalance(balance) if origin == "gold" and balance is not None else balance


def origin_of(balance: object) -> Origin:
    """Where the constructor's `balance` comes from."""
    if balance is None:
        return "estimated"
    return "gold" if isinstance(balance, GoldBalance) else "given"
