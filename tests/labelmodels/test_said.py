"""Do votes add up as the products of scipy's sparse arrays, whose loops they are, do?"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from governance.labelmodels._vote_rows import Spoken

VOTES = hnp.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2))


@given(VOTES, st.integers(0, 1000), st.sampled_from([None, 1, 3]), st.sampled_from([float, np.uint64]))
def test_votes_add_up_as_a_product_does(votes, seed, several, dtype):
    """Row by row and cell by cell, one number or several, bit for bit, and numbers of 64 bits wrap around."""
    rng = np.random.default_rng(seed)
    cells = votes.shape[1] * 3
    onehot = csr_array((votes[:, :, None] == np.arange(3)).reshape(len(votes), cells).astype(dtype))
    said = Spoken.of(votes).said(classes=3, dtype=dtype)

    def drawn(length):
        shape = (length,) if several is None else (length, several)
        return rng.integers(1 << 60, 1 << 63, shape).astype(np.uint64) if dtype is np.uint64 else rng.random(shape)

    for add, product, given_length, length in (
        (said.by_row, onehot, cells, len(votes)),
        (said.by_cell, onehot.T, len(votes), cells),
    ):
        numbers = drawn(given_length)
        begun = np.zeros((length,) if several is None else (length, several), dtype=dtype)
        found = add(numbers, begun)
        assert found is begun
        np.testing.assert_array_equal(found, product @ numbers)
        again = np.array(add(numbers, found.copy()))
        np.testing.assert_allclose(
            again, (product @ numbers) + (product @ numbers), rtol=1e-14 if dtype is float else 0
        )


def test_sums_of_other_lengths_are_no_sums():
    """The loops look at no bounds: whoever gives them arrays of other votes is stopped before."""
    said = Spoken.of(np.array([[0, 1], [1, -1], [-1, 0]], dtype=np.int8)).said(classes=2)
    for given_shape, out in (((4, 2), np.zeros((2, 3)).T), ((4, 3), np.zeros(3)), ((4,), np.zeros((3, 1)))):
        with pytest.raises(IndexError):
            said.by_row(np.zeros(given_shape), out)
    for add, given_length, length in ((said.by_row, 4, 3), (said.by_cell, 3, 4)):
        for wrong in ((given_length + 1, length), (given_length, length - 1)):
            with pytest.raises(IndexError):
                add(np.zeros(wrong[0]), np.zeros(wrong[1]))
        with pytest.raises(IndexError):
            add(np.zeros((given_length, 2)), np.zeros((length, 3)))


@pytest.mark.parametrize("before", ["", "import scipy.sparse"])
def test_a_fit_does_not_wait_for_all_of_scipy(before):
    """Its loops are had alone where nobody has imported it, and it can be imported afterwards; they add up the same."""
    code = f"""{before}
import sys
import numpy as np
from governance.labelmodels._said import Said
ones = Said(np.array([0, 1, 3], dtype=np.int32), np.array([1, 0, 1], dtype=np.int32), width=2)
assert ones.by_row(np.array([1.0, 2.0]), np.zeros(2)).tolist() == [2.0, 3.0]
assert "scipy" in sys.modules
assert ("scipy.sparse" in sys.modules) == bool({before!r})
from scipy.sparse import csr_array
assert (csr_array(np.array([[0.0, 1.0], [1.0, 1.0]])) @ np.array([1.0, 2.0])).tolist() == [2.0, 3.0]
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
