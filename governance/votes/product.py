"""What is the product of two arrays of finite numbers, whatever flags it leaves behind?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left @ right`, floats, of finite numbers whose products and sums are finite too.

    OpenBLAS may raise the flag of an invalid operation all the same (numpy's issues 13173 and 24067), and numpy then warns
    of a right result.
    """
    import numpy as np

    with np.errstate(all="ignore"):
        return left @ right
