"""Products of votes, whatever flags a library leaves behind."""

from __future__ import annotations

import numpy as np

from governance.votes.product import product


class Flagged(np.ndarray):
    """Numbers whose product comes with the flag of an invalid operation, as OpenBLAS may leave it."""

    def __matmul__(self, other):
        np.sqrt(np.array([-1.0]))
        return np.asarray(self) @ np.asarray(other)


def test_a_flag_beside_a_right_product_is_no_warning():
    """Warnings are errors here: the product is told and nothing is raised."""
    left, right = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0])
    np.testing.assert_array_equal(product(left.view(Flagged), right), [2.0, 5.0])
    np.testing.assert_array_equal(product(left, right), [2.0, 5.0])
