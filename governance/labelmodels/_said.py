"""What do sources say on which row, added up row by row and cell by cell? A cell is what one source can say."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Said:
    """Ones, of `dtype`, where a source says what: rows x cells, as scipy's sparse arrays hold them.

    The cells that row i names are `cells[starts[i]:starts[i + 1]]`, int32 both; a vote is at source * classes + vote. Sums
    are added up in that order, on one thread. They are scipy's own loops, without what its arrays do around each: on some
    thousand votes that takes longer than the loop.
    """

    def __init__(self, starts: np.ndarray, cells: np.ndarray, *, width: int, dtype: Any = float) -> None:
        import numpy as np

        self.width, self._loops = width, _loops()
        self._held = (starts, cells, np.ones(len(cells), dtype=dtype))
        self._shape = (len(starts) - 1, width)

    def by_row(self, of_cells: np.ndarray, out: np.ndarray) -> np.ndarray:
        """`out`, rows or rows x several, and for each row what stands at its cells in `of_cells`, added to it."""
        rows, width = self._shape
        several = _checked(of_cells, width, out, rows)
        if several is None:
            self._loops.csr_matvec(rows, width, *self._held, of_cells, out)
        else:
            self._loops.csr_matvecs(rows, width, several, *self._held, of_cells.ravel(), out.ravel())
        return out

    def by_cell(self, of_rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """`out`, cells or cells x several, and for each cell what stands in `of_rows` at its rows, added to it."""
        rows, width = self._shape
        several = _checked(of_rows, rows, out, width)
        if several is None:
            self._loops.csc_matvec(width, rows, *self._held, of_rows, out)
        else:
            self._loops.csc_matvecs(width, rows, several, *self._held, of_rows.ravel(), out.ravel())
        return out


def _checked(given: np.ndarray, length: int, out: np.ndarray, beyond: int) -> int | None:
    """How many numbers stand side by side; None for one. Raises IndexError: the loops themselves look at no bounds."""
    several = None if out.ndim == 1 else out.shape[1]
    fits = given.shape == (length, *out.shape[1:]) and len(out) == beyond
    if not (fits and out.flags.c_contiguous):
        raise IndexError(f"sums of {given.shape} into {out.shape}, where there are {length} and {beyond}")
    return several


@cache
def _loops() -> Any:
    from scipy.sparse import _sparsetools

    return _sparsetools
