"""What do sources say on which row, added up row by row and cell by cell? A cell is what one source can say."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
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
        return self._added(self._loops.csr_matvec, self._loops.csr_matvecs, self._shape, of_cells, out)

    def by_cell(self, of_rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """`out`, cells or cells x several, and for each cell what stands in `of_rows` at its rows, added to it."""
        rows, width = self._shape
        return self._added(self._loops.csc_matvec, self._loops.csc_matvecs, (width, rows), of_rows, out)

    def _added(self, one: Any, several: Any, shape: tuple[int, int], given: np.ndarray, out: np.ndarray) -> np.ndarray:
        """`out` after a loop for one number a place, or for several. Raises IndexError: the loops look at no bounds."""
        if given.shape != (shape[1], *out.shape[1:]) or len(out) != shape[0] or not out.flags.c_contiguous:
            raise IndexError(f"sums of {given.shape} into {out.shape}, where there are {shape[1]} and {shape[0]}")
        if out.ndim == 1:
            one(*shape, *self._held, given, out)
        else:
            several(*shape, out.shape[1], *self._held, given.ravel(), out.ravel())
        return out


@cache
def _loops() -> Any:
    """scipy's loops, without all of scipy.sparse where they can be had so: that takes a fifth of a second to import."""
    # Whoever records what a process imports sees scipy itself.
    import scipy

    name = "scipy.sparse._sparsetools"
    spec = PathFinder.find_spec(name, [str(Path(place) / "sparse") for place in scipy.__path__])
    if name in sys.modules or spec is None or spec.loader is None:
        return import_module(name)
    loops = module_from_spec(spec)
    spec.loader.exec_module(loops)
    return loops
