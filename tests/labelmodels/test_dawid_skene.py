from __future__ import annotations

import itertools
import math
import operator
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from labelmodel_votes import pairs_of, simulated, table_of

from governance.errors import ConfigurationError, ExitCode, InvalidRecord, UnknownName
from governance.labelmodels import _codes, _em, _lookup, _onehot, _products
from governance.labelmodels._base import log_odds, normalised, ranked
from governance.labelmodels._canonical import arranged
from governance.labelmodels._onehot import OneHot
from governance.labelmodels._prepared import Prepared
from governance.labelmodels._voices import Agreement
from governance.labelmodels._vote_rows import Spoken, VoteRows
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.votes.patterns import distinct

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)
some_votes = shapes.flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 2))).filter(
    lambda matrix: (matrix >= 0).any()
)


def em_by_hand(matrix, *, classes, balance, diagonal, strength, iterations, balance_rows=None):
    """EM over single rows in plain Python: no patterns, no vectors, no log space, nothing shared with the library."""
    rows = [[v if v >= 0 else None for v in row] for row in matrix.tolist() if max(row) >= 0]
    sources, given = len(rows[0]), list(balance)
    share = [sum(row[j] is not None for row in rows) / len(rows) for j in range(sources)]
    prior = [
        [(diagonal if v == k else 0) + (1 - diagonal) * balance[v] for v in range(classes)] for k in range(classes)
    ]
    theta = [[[share[j] * p for p in row] for row in prior] for j in range(sources)]

    def posterior(row):
        joint = [
            balance[k] * math.prod(theta[j][k][v] for j, v in enumerate(row) if v is not None) for k in range(classes)
        ]
        return [value / sum(joint) for value in joint], sum(joint)

    before = None
    for iteration in range(1, iterations + 1):
        begun = logs_of(theta, balance)
        beliefs = [posterior(row)[0] for row in rows]
        held = [sum(belief[k] for belief in beliefs) for k in range(classes)]
        new = []
        for j in range(sources):
            table = []
            for k in range(classes):
                votes = [strength * prior[k][v] for v in range(classes)]
                for row, belief in zip(rows, beliefs, strict=True):
                    if row[j] is not None:
                        votes[row[j]] += belief[k]
                table.append([value / (held[k] + strength / share[j]) for value in votes])
            new.append(table)
        theta = new
        if balance_rows is not None:
            balance = [(held[k] + balance_rows * given[k]) / (len(rows) + balance_rows) for k in range(classes)]
        found = logs_of(theta, balance)
        left = [end - start for end, start in zip(found, begun, strict=True)]
        if before and iteration < iterations:
            # Anderson's acceleration of depth one.
            change = [one - other for one, other in zip(left, before[0], strict=True)]
            further = -sum(map(operator.mul, left, change)) / sum(map(operator.mul, change, change))
            ahead = [
                math.exp(end + round(min(max(further, 0), 5), 2) * (end - earlier))
                for end, earlier in zip(found, before[1], strict=True)
            ]
            theta = [
                [[ahead[(j * classes + k) * classes + v] for v in range(classes)] for k in range(classes)]
                for j in range(sources)
            ]
            balance = [one / sum(ahead[-classes:]) for one in ahead[-classes:]]
        before = left, found
    likelihood = sum(math.log(posterior(row)[1]) for row in rows)
    penalty = sum(
        strength * prior[k][v] * math.log(theta[j][k][v])
        for j in range(sources)
        for k in range(classes)
        for v in range(classes)
    )
    return np.array(theta), np.array([posterior(row)[0] for row in rows]), likelihood + penalty, balance


@pytest.mark.parametrize("iterations", [1, 2, 9])
@pytest.mark.parametrize(("classes", "balance", "diagonal"), [(2, [0.3, 0.7], None), (3, [0.2, 0.3, 0.5], 0.8)])
def test_em_on_patterns_is_em_on_rows(classes, balance, diagonal, iterations):
    """Tables, probabilities and objective on patterns equal a plain EM over single rows after as many steps."""
    matrix, _ = simulated(rows=150, classes=classes, seed=classes)
    options = {"strength": 7.0, "copies": "count", "max_iterations": iterations, "tolerance": 1e-15}
    model = DawidSkene(balance=balance, diagonal=diagonal, **options)
    model.fit(matrix, n_classes=classes)
    theta, proba, objective, _ = em_by_hand(
        matrix, classes=classes, balance=balance, diagonal=diagonal or 0.5, strength=7.0, iterations=iterations
    )
    assert (model.iterations_, model.converged_) == (iterations, False)
    np.testing.assert_allclose(np.exp(model.log_likelihood_), theta, rtol=0, atol=1e-12)
    covered = (matrix >= 0).any(axis=1)
    np.testing.assert_allclose(model.predict_proba(matrix)[covered], proba, rtol=0, atol=1e-12)
    assert model.objective_ == pytest.approx(objective, rel=1e-12)


def logs_of(theta, balance):
    return [math.log(value) for value in itertools.chain(*itertools.chain(*theta), balance)]


def majority_shares(matrix):
    shares = np.array([[(row == k).sum() / (row >= 0).sum() for k in range(2)] for row in matrix if (row >= 0).any()])
    return (shares.sum(axis=0) + 1) / (len(shares) + 2)


def told_by_accuracies(matrix):
    """P(class of two) by least squares: share of votes - 1/2 = u (P - 1/2), u being how right a source is beyond chance."""
    said = np.maximum(matrix, -1)
    found = Agreement.of(pairs_of(said, classes=2), judged=np.ones(said.shape[1], dtype=bool))
    assert found
    u = found.alone.tolist()
    over = under = 0.0
    for j, column in enumerate(said.T.tolist()):
        zeros, ones = column.count(0), column.count(1)
        over += (zeros + ones) * u[j] * (zeros / (zeros + ones) - 0.5)
        under += (zeros + ones) * u[j] ** 2
    return np.array([0.5 + over / under, 0.5 - over / under])


def test_a_balance_is_learned_from_sources_that_name_all_classes():
    """It begins at what the sources' accuracies tell, which counts for 100 rows, or 30 % of them, and goes with EM."""
    for rows in (200, 500):
        matrix, _ = simulated(rows=rows)
        first, covered = np.round(told_by_accuracies(matrix), 6), (matrix >= 0).any(axis=1).sum()
        model = DawidSkene(strength=100.0, copies="count", max_iterations=4).fit(matrix, n_classes=2)
        options = {"classes": 2, "balance": first, "diagonal": 0.7, "strength": 100.0, "iterations": 4}
        theta, _, _, learned = em_by_hand(matrix, **options, balance_rows=max(100.0, 0.3 * covered))
        np.testing.assert_allclose(model.balance_, learned, rtol=1e-9)
        np.testing.assert_allclose(np.exp(model.log_likelihood_), theta, atol=1e-9)
        assert model.balance_origin_ == "estimated"


def test_where_no_two_sources_share_rows_the_balance_begins_at_that_of_majority_vote():
    """The mean share of votes with one row added a class counts for 100 rows."""
    matrix, _ = simulated(rows=25)
    first = majority_shares(matrix)
    model = DawidSkene(strength=100.0, copies="count", tolerance=1e-9, max_iterations=4).fit(matrix, n_classes=2)
    options = {"classes": 2, "balance": first, "diagonal": 0.7, "strength": 100.0, "iterations": 4}
    _, _, _, learned = em_by_hand(matrix, **options, balance_rows=100.0)
    np.testing.assert_allclose(model.balance_, learned, rtol=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("rare", "coverage"), [(0.1, 1.0), (0.1, 0.5), (0.3, 0.5)])
def test_a_few_weak_sources_of_unbalanced_classes_do_not_fall_below_majority_vote(seed, rare, coverage):
    """Five sources right on .55 to .75, 2,000 rows: EM alone ends in tables turned around, some 20 points below."""
    rng = np.random.default_rng([seed, 9])
    gold = (rng.random(2000) < rare).astype(int)
    right = rng.uniform(0.55, 0.75, 5)
    said = np.where(rng.random((2000, 5)) < right, gold[:, None], 1 - gold[:, None])
    matrix = np.where(rng.random(said.shape) < coverage, said, -1).astype(np.int8)
    covered = (matrix >= 0).any(axis=1)

    def accuracy(model):
        return (model.fit(matrix, n_classes=2).predict(matrix) == gold)[covered].mean()

    assert accuracy(DawidSkene()) > accuracy(MajorityVote()) - 0.02


def test_where_few_sources_name_all_classes_the_balance_is_that_of_majority_vote():
    """Of sources that can name one class each nothing is learned of the balance: it could end with one class for all."""
    matrix, _ = simulated(rows=300)
    matrix[:, :4] = np.where(matrix[:, :4] == np.array([0, 1, 0, 1]), matrix[:, :4], -1)
    model = DawidSkene().fit(matrix, n_classes=2)
    np.testing.assert_allclose(model.balance_, majority_shares(matrix), rtol=1e-13)


def test_a_rare_class_is_found_rare():
    """Majority vote thinks one row in ten two in ten and more; the learned balance is within .05 of the truth."""
    rng = np.random.default_rng(0)
    gold = (rng.random(6000) < 0.1).astype(int)
    votes = np.column_stack([np.where(rng.random(6000) < a, gold, 1 - gold) for a in (0.85, 0.8, 0.8, 0.75, 0.7)])
    matrix = np.where(rng.random(votes.shape) < 0.6, votes, -1).astype(np.int8)
    assert majority_shares(matrix)[1] > 0.2
    assert DawidSkene().fit(matrix, n_classes=2).balance_[1] == pytest.approx(0.1, abs=0.05)


def test_every_step_of_em_climbs(monkeypatch):
    """Where EM does not go on ahead of its steps, the objective never falls from one iteration to the next."""
    monkeypatch.setattr(_em, "_FURTHEST", 0.0)
    matrix, _ = simulated(rows=300)
    first, climbed = told_by_accuracies(matrix), []
    for i in range(1, 15):
        model = DawidSkene(strength=5.0, max_iterations=i).fit(matrix, n_classes=2)
        # The balance has a prior too: the first guess, which counts for 100 rows.
        climbed.append(model.objective_ + 100 * float((first * np.log(model.balance_)).sum()))
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(climbed))
    assert climbed[-1] > climbed[0] + 1


@pytest.mark.parametrize("options", [{}, {"strength": 5.0}, {"balance": [0.2, 0.3, 0.5]}, {"copies": "count"}])
def test_em_that_goes_on_ahead_comes_to_the_same_end_in_fewer_steps(monkeypatch, options):
    """On votes whose end is one: tables, balance and objective are those of EM step by step, whose steps it needs two
    thirds of at most."""
    ends = []
    for furthest in (0.0, _em._FURTHEST):
        monkeypatch.setattr(_em, "_FURTHEST", furthest)
        matrices = [simulated(rows=600, classes=3, seed=seed)[0] for seed in range(5)]
        ends.append([DawidSkene(tolerance=1e-11, **options).fit(matrix, n_classes=3) for matrix in matrices])
    for plain, ahead in zip(*ends, strict=True):
        assert plain.converged_
        assert ahead.converged_
        assert ahead.iterations_ < plain.iterations_
        np.testing.assert_allclose(np.exp(ahead.log_likelihood_), np.exp(plain.log_likelihood_), rtol=0, atol=1e-8)
        np.testing.assert_allclose(ahead.balance_, plain.balance_, rtol=0, atol=1e-8)
        assert ahead.objective_ == pytest.approx(plain.objective_, rel=1e-10)
    steps = [sum(model.iterations_ for model in models) for models in ends]
    assert 3 * steps[1] <= 2 * steps[0]


@pytest.mark.parametrize(
    "options", [{}, {"tolerance": 1e-10}, {"strength": 0.01}, {"strength": 1.0, "tolerance": 1e-8}, {"copies": "count"}]
)
def test_a_refit_without_a_source_has_no_last_bits_of_its_own(options):
    """However many steps it takes, it is what a fit on the rest is, within 1e-12: last bits do not tell how far EM goes."""
    for seed in range(6):
        matrix, _ = simulated(rows=300, classes=2 + seed % 2, seed=seed)
        classes = {"n_classes": 2 + seed % 2}
        model = DawidSkene(**options).fit(matrix, **classes)
        prepared = model.prepare(matrix)
        for out in range(matrix.shape[1]):
            rest = np.delete(matrix, out, axis=1)
            fresh, refit = DawidSkene(**options).fit(rest, **classes), model.without([str(out)], votes=prepared)
            np.testing.assert_allclose(refit.predict_proba(rest), fresh.predict_proba(rest), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("copies", ["share", "count"])
def test_a_source_that_names_a_class_exactly_a_tenth_as_often_is_judged_alike_everywhere(seed, copies):
    """One of twenty votes where classes are balanced is at the threshold: no last bit of the balance decides it."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(20, 26))
    gold = rng.integers(0, 2, rows)
    said = np.where(rng.random((rows, 4)) < 0.8, gold[:, None], 1 - gold[:, None])
    said[rng.random(said.shape) < 0.3] = -1
    named = rng.permutation(rows)[:20]
    said[:, 0] = -1
    said[named, 0] = 0
    said[named[0], 0] = 1
    mirrored, silent = np.where(said >= 0, 1 - said, -1), np.full((rows, 1), -1)
    matrix = np.concatenate([np.hstack([said, silent]), np.hstack([silent, mirrored[:, 1:], mirrored[:, :1]])])
    model = DawidSkene(copies=copies).fit(matrix.astype(np.int8), n_classes=2)
    prepared = model.prepare(matrix)
    for out in range(matrix.shape[1]):
        rest = np.delete(matrix, out, axis=1)
        fresh, refit = DawidSkene(copies=copies).fit(rest, n_classes=2), model.without([str(out)], votes=prepared)
        np.testing.assert_allclose(refit.predict_proba(rest), fresh.predict_proba(rest), rtol=0, atol=1e-12)


def test_a_converged_model_says_so_and_stands_still():
    """Where no table moves any more, one more step by hand leaves it where it is."""
    matrix, _ = simulated()
    model = DawidSkene(tolerance=1e-12).fit(matrix, n_classes=2)
    assert model.converged_
    assert model.iterations_ < 1000
    more = DawidSkene(tolerance=1e-15, max_iterations=model.iterations_ + 20).fit(matrix, n_classes=2)
    np.testing.assert_allclose(more.log_likelihood_, model.log_likelihood_, atol=1e-9)
    assert not DawidSkene(max_iterations=1).fit(matrix, n_classes=2).converged_


@settings(max_examples=60, deadline=None)
@given(some_votes, st.randoms(use_true_random=False), st.integers(1, 40))
def test_no_order_of_rows_or_columns_can_be_seen(matrix, random, repeats):
    """Reordering rows and columns, duplicates and ties included, moves no probability by more than 2e-15."""
    matrix = np.concatenate([matrix] * repeats)
    rows, columns = list(range(len(matrix))), list(range(matrix.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = matrix[rows][:, columns]
    options = {"strength": 3.0, "max_iterations": 300}
    before = DawidSkene(**options).fit(matrix, n_classes=3).predict_proba(matrix)
    after = DawidSkene(**options).fit(moved, n_classes=3).predict_proba(moved)
    assert np.abs(after - before[rows]).max() <= 2e-15


def test_orders_of_a_large_table_give_the_same_bits():
    """On thousands of rows a fit on any arrangement gives bit-equal tables and labels."""
    matrix, _ = simulated(rows=4000, accuracies=(0.9, 0.9, 0.8, 0.8, 0.7, 0.7), coverage=0.5)
    model = DawidSkene().fit(matrix, n_classes=2)
    rng = np.random.default_rng(5)
    rows, columns = rng.permutation(len(matrix)), rng.permutation(matrix.shape[1])
    moved = DawidSkene().fit(matrix[rows][:, columns], n_classes=2)
    assert (moved.log_likelihood_ == model.log_likelihood_[columns]).all()
    assert (moved.predict_scores(matrix[rows][:, columns]) == model.predict_scores(matrix)[rows]).all()


def test_columns_with_equal_counts_are_told_apart_by_their_company():
    """Columns that say the same things equally often get their place from the patterns in which they stand."""
    matrix = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, -1]], dtype=np.int8)
    ordered = set()
    for columns in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]):
        found = distinct(matrix[:, columns])
        order = arranged(VoteRows(found.votes, found.counts)).order
        ordered.add(tuple(np.array(columns)[order].tolist()))
    assert len(ordered) == 1


@pytest.mark.parametrize(("codes", "at_once"), [(4, 1 << 16), (4_096, 3 * 1_024), (1 << 16, 1)])
def test_no_width_of_groups_and_no_block_changes_what_is_learned(monkeypatch, codes, at_once):
    """However many sources make up a code, and however many patterns are worked on together, the tables are the same."""
    matrix, _ = simulated(rows=4000, classes=3, accuracies=(0.9, 0.8, 0.75, 0.7, 0.6, 0.6, 0.6))
    assert DawidSkene().fit(matrix, n_classes=3).prepare(matrix)._onehot is not None
    whole = DawidSkene(max_iterations=12).fit(matrix, n_classes=3)
    monkeypatch.setattr(_onehot, "_FEW_PATTERNS", 0)
    monkeypatch.setattr(_codes, "_CODES", codes)
    monkeypatch.setattr(_lookup, "_AT_ONCE", at_once)
    other = DawidSkene(max_iterations=12).fit(matrix, n_classes=3)
    np.testing.assert_allclose(other.log_likelihood_, whole.log_likelihood_, atol=1e-12)
    assert other.objective_ == pytest.approx(whole.objective_)


def test_no_number_of_threads_changes_a_bit(monkeypatch):
    """One thread, two and five give the same bits, also where there are many blocks."""
    matrix, _ = simulated(rows=9000, classes=3, accuracies=(0.9, 0.8, 0.75, 0.7, 0.6, 0.6, 0.6))
    monkeypatch.setattr(_onehot, "_FEW_PATTERNS", 0)
    assert DawidSkene().fit(matrix, n_classes=3).prepare(matrix)._onehot is None
    learned = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        monkeypatch.setattr(_lookup, "_AT_ONCE", 1)
        learned.append(DawidSkene(max_iterations=9).fit(matrix, n_classes=3).log_likelihood_.tobytes())
    assert len(set(learned)) == 1


WEIGHED = """
import hashlib
import numpy as np
from governance.labelmodels.dawid_skene import DawidSkene
for seed, sources, classes in ((5, 19, 4), (8, 22, 4)):
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, classes, 30_000)
    right = rng.random((30_000, sources)) < rng.uniform(0.6, 0.9, sources)
    votes = np.where(right, gold[:, None], rng.integers(0, classes, (30_000, sources))).astype(np.int8)
    votes = np.where(rng.random(votes.shape) < 0.8, votes, -1).astype(np.int8)
    model = DawidSkene().fit(votes, n_classes=classes, sample_weight=rng.random(30_000))
    assert model.prepare(votes)._onehot is None
    print(hashlib.sha256(model.log_likelihood_.tobytes()).hexdigest())
"""


def test_no_number_of_threads_that_libraries_use_changes_a_bit():
    """Fractions as weights, in processes whose linear algebra begins with one, two and three threads: the same bits."""
    told = set()
    for threads in ("1", "2", "3"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, threads)}
        command = [sys.executable, "-W", "error", "-c", WEIGHED]
        told.add(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(told) == 1
    assert len(set(told.pop().split())) == 2


def test_products_on_a_device_find_what_look_ups_find(monkeypatch):
    """The one-hot products of torch, kept and made anew, find the same tables and objective within 1e-9."""
    matrix, _ = simulated(rows=2000, classes=3)
    found = distinct(np.maximum(matrix, -1))
    prepared = Prepared.of(VoteRows(found.votes, found.counts), classes=3)
    tables = DawidSkene(max_iterations=5).fit(matrix, n_classes=3).log_likelihood_[prepared.order]
    balance = np.log([0.2, 0.3, 0.5])
    votes, (likelihood, labels) = (
        prepared.lookup.expected_votes(tables, balance),
        prepared.lookup.ending(tables, balance),
    )
    for chunk, keep in ((1 << 22, 1 << 25), (45, 1 << 25), (45, 0)):
        monkeypatch.setattr(_products, "_CHUNK", chunk)
        monkeypatch.setattr(_products, "_KEEP", keep)
        products = _products.Products(prepared.patterns, prepared.weights, classes=3, device="cpu")
        for there, here in zip(products.expected_votes(tables, balance), votes, strict=True):
            np.testing.assert_allclose(there, here, rtol=1e-9)
        ended = products.ending(tables, balance)
        assert ended[0] == pytest.approx(likelihood, rel=1e-12)
        np.testing.assert_array_equal(ended[1], labels)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("surer", [1.0, 500.0])
def test_products_over_votes_find_what_look_ups_find(classes, surer):
    """Expected votes and rows, likelihood, labels and balance are equal within rounding, also where a source is left out
    and where odds are so long that their exponentials are no numbers."""
    matrix, _ = simulated(rows=700, classes=classes)
    found = distinct(np.maximum(matrix, -1))
    covered = (found.votes >= 0).any(axis=1)
    prepared = Prepared.of(VoteRows(found.votes[covered], found.counts[covered]), classes=classes)
    onehot = OneHot(Spoken.of(prepared.patterns), prepared.weights, classes=classes)
    tables = surer * DawidSkene(max_iterations=5).fit(matrix, n_classes=classes).log_likelihood_[prepared.order]
    balance = np.log(np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    assert (np.abs(np.diff(prepared.lookup.scores(tables, balance), axis=1)).max() > 750) == (surer > 1)
    out = prepared.left_out([1])
    for left_out in (None, out):
        if left_out is not None:
            tables[left_out] = 0.0
        for there, here in zip(
            onehot.expected_votes(tables, balance), prepared.lookup.expected_votes(tables, balance), strict=True
        ):
            np.testing.assert_allclose(there, here, rtol=1e-12 * surer, atol=1e-12 * surer)
        (likelihood, labels), (there, others) = (ways.ending(tables, balance) for ways in (onehot, prepared.lookup))
        assert likelihood == pytest.approx(there, rel=1e-13)
        for found in (others, onehot.labels(tables, balance), prepared.lookup.labels(tables, balance)):
            np.testing.assert_array_equal(found, labels)
        np.testing.assert_allclose(onehot.balance(left_out), prepared.lookup.balance(left_out), rtol=1e-14)
    assert (
        onehot.cast == np.stack([[(matrix[:, j] == k).sum() for k in range(classes)] for j in prepared.order])
    ).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics processor that torch can use")
def test_a_graphics_processor_finds_the_same_model():
    """Equal within 1e-9, and bit for bit from run to run."""
    matrix, _ = simulated(rows=3000, classes=3)
    here = DawidSkene().fit(matrix, n_classes=3)
    there, again = (DawidSkene(device="cuda").fit(matrix, n_classes=3) for _ in range(2))
    np.testing.assert_allclose(there.predict_proba(matrix), here.predict_proba(matrix), atol=1e-9)
    assert there.log_likelihood_.tobytes() == again.log_likelihood_.tobytes()


def test_a_device_that_is_not_there_is_refused():
    """A device of another kind is a bad parameter; a graphics processor that is missing is named with the way out."""
    votes = np.array([[0, 1], [1, 1]], dtype=np.int8)
    assert DawidSkene(device="cpu").fit(votes, n_classes=2).iterations_ > 0
    for device in ("tpu", "cuda:", "cuda:x", 3):
        with pytest.raises(InvalidRecord, match="device: given"):
            DawidSkene(device=device).fit(votes, n_classes=2)
    with pytest.raises(ConfigurationError, match="no device 'cuda:99'") as caught:
        DawidSkene(device="cuda:99").fit(votes, n_classes=2)
    assert "cpu" in caught.value.hint


@settings(max_examples=40, deadline=None)
@given(some_votes, st.data())
def test_a_source_that_is_left_out_might_not_have_been_there(matrix, data):
    """Tables, balance and objective without some sources are those of a fit on the votes of the others."""
    out = data.draw(st.lists(st.integers(0, matrix.shape[1] - 1), min_size=1, max_size=3, unique=True))
    rest = np.delete(matrix, out, axis=1)
    assume(rest.size and (rest >= 0).any())
    found = distinct(np.maximum(matrix, -1))
    covered = (found.votes >= 0).any(axis=1)
    prepared = Prepared.of(VoteRows(found.votes[covered], found.counts[covered]), classes=3)
    model, brute = DawidSkene(strength=3.0), DawidSkene(strength=3.0).fit(rest, n_classes=3)
    model._learn_prepared(prepared, *model._checked(), left_out=prepared.left_out(out))
    assert (model.log_likelihood_[out] == 0).all()
    np.testing.assert_allclose(model.balance_, brute.balance_, rtol=1e-13)
    np.testing.assert_allclose(np.delete(model.log_likelihood_, out, axis=0), brute.log_likelihood_, atol=1e-11)
    assert model.objective_ == pytest.approx(brute.objective_, rel=1e-11, abs=1e-11)


def test_a_model_without_a_source_labels_as_one_that_never_knew_it(table):
    """`without` is a model of the other columns: its tables, labels and file are those of a fit on the others."""
    alone = np.array([[-1, 1, -1, -1, -1], [0, -1, -1, -1, 1]], dtype=np.int8)
    table = table_of(np.concatenate([table.matrix, alone]))
    options = {"strength": 20.0, "tolerance": 1e-9}
    model = DawidSkene(**options).fit(table)
    prepared = model.prepare(table)
    assert (model.pattern_labels(prepared) >= 0).all()
    for out in (["s1"], ["s0", "s4"]):
        kept = [column for column in table.columns if column not in out]
        rest = table_of(table.matrix[:, [table.columns.index(column) for column in kept]], columns=kept)
        found, brute = model.without(out, votes=prepared), DawidSkene(**options).fit(rest)
        assert (found.columns_, found.sources_, found.iterations_) == (
            brute.columns_,
            brute.sources_,
            brute.iterations_,
        )
        np.testing.assert_allclose(found.predict_proba(rest), brute.predict_proba(rest), atol=1e-12)
        assert (found.predict(rest) == brute.predict(rest)).all()
        columns = [table.columns.index(column) for column in kept]
        by_hand = found.predict_scores(prepared.patterns[:, np.argsort(prepared.order)][:, columns])
        np.testing.assert_allclose(found.pattern_scores(prepared), by_hand, rtol=1e-12)
        expected = found.predict(prepared.patterns[:, np.argsort(prepared.order)][:, columns])
        assert found.pattern_labels(prepared).tolist() == expected.tolist()
        assert -1 in expected
        assert found.to_bytes()
    with pytest.raises(UnknownName, match="no column is named 's7'"):
        model.without(["s7"], votes=prepared)
    with pytest.raises(InvalidRecord, match="at least one source that votes is left"):
        model.without(table.columns, votes=prepared)
    with pytest.raises(InvalidRecord, match="no vote at all"):
        model.prepare(np.full((3, 5), -1, dtype=np.int8))


def test_errors_and_skipped_examples_are_silence():
    """A crash and a skipped example add exactly as little as an abstention."""
    matrix, _ = simulated()
    silent = np.maximum(matrix, -1)
    assert (matrix < -1).any()
    one, two = (DawidSkene().fit(m, n_classes=2) for m in (matrix, silent))
    assert (one.log_likelihood_ == two.log_likelihood_).all()
    assert (one.predict_scores(matrix) == two.predict_scores(silent)).all()


def test_silence_leaves_the_prior():
    """A row on which nobody votes has no label and the class balance as its probabilities."""
    matrix, _ = simulated()
    model = DawidSkene(balance=[0.25, 0.75]).fit(matrix, n_classes=2)
    nobody = np.array([[-1, -2, -3, -1, -1]], dtype=np.int8)
    assert model.predict(nobody).tolist() == [-1]
    np.testing.assert_allclose(model.predict_proba(nobody), [[0.25, 0.75]], rtol=1e-15)
    np.testing.assert_allclose(model.predict_scores(nobody), np.log([[0.25, 0.75]]), rtol=1e-15)


def test_the_model_learns_who_is_right_and_beats_majority_vote():
    """It ranks sources by their true accuracy, finds it within .04, and labels better than one voice each."""
    accuracies = (0.95, 0.85, 0.7, 0.6, 0.55)
    matrix, gold = simulated(rows=6000, accuracies=accuracies, coverage=0.9)
    model = DawidSkene().fit(matrix, n_classes=2)
    learned = model.accuracy(matrix)
    assert np.argsort(-learned).tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(learned, accuracies, atol=0.04)
    covered = (matrix >= 0).any(axis=1)
    majority = ((matrix == 1).sum(1) > (matrix == 0).sum(1)).astype(int)
    assert (model.predict(matrix) == gold)[covered].mean() > (majority == gold)[covered].mean() + 0.02


def test_learned_accuracy_is_the_belief_in_the_votes_cast():
    """It is the mean posterior of the class voted for over the rows voted on; a source that never votes has none."""
    matrix, _ = simulated(rows=300)
    matrix = np.column_stack([matrix, np.full(len(matrix), -2, dtype=np.int8)])
    model = DawidSkene().fit(matrix, n_classes=2)
    proba, found = model.predict_proba(matrix), model.accuracy(matrix)
    for j in range(5):
        believed = [proba[i, vote] for i, vote in enumerate(matrix[:, j]) if vote >= 0]
        assert found[j] == pytest.approx(sum(believed) / len(believed), rel=1e-12)
    assert np.isnan(found[5])
    rows = np.random.default_rng(0).permutation(len(matrix))
    assert (model.accuracy(matrix[rows])[:5] == found[:5]).all()


def test_a_source_that_names_one_class_only_is_as_accurate_as_its_votes():
    """Of a source that only ever says one class, it is the share of its votes that are right within .06.

    Silence is no evidence, so that the model holds such a source a little worse than it is; the mean of its recalls,
    by contrast, would be more than .2 off.
    """
    rng = np.random.default_rng(3)
    gold = (rng.random(8000) < 0.6).astype(np.int8)
    votes = [np.where(rng.random(8000) < 0.85, gold, 1 - gold) for _ in range(4)]
    one_sided = np.where(rng.random(8000) < np.where(gold == 1, 0.4, 0.03), 1, -1)
    matrix = np.column_stack([*votes, one_sided]).astype(np.int8)
    right = (gold == 1)[one_sided == 1].mean()
    assert right > 0.94
    assert DawidSkene().fit(matrix, n_classes=2).accuracy(matrix)[4] == pytest.approx(right, abs=0.06)


@pytest.mark.parametrize("seed", [*range(20), 40])
def test_interchangeable_columns_never_flip_a_label(seed):
    """Where votes do not change when two columns are exchanged, they have one table, and no order changes a label."""
    rng = np.random.default_rng(seed)
    half = rng.integers(-1, 2, (40, 4)).astype(np.int8)
    swapped = half[:, [1, 0, 2, 3]]
    # Classes are mirrored too, so that rows on which the exchanged columns differ are ties.
    matrix = np.concatenate([half, swapped, *(np.where(m >= 0, 1 - m, m) for m in (half, swapped))]).astype(np.int8)
    # Steps enough for last bits to grow, if there were any.
    options = {"balance": [0.5, 0.5], "strength": 2.0, "tolerance": 1e-9}
    fitted = DawidSkene(**options).fit(matrix, n_classes=2)
    assert (fitted.log_likelihood_[0] == fitted.log_likelihood_[1]).all()
    for columns in ([1, 0, 2, 3], [3, 0, 2, 1], [2, 3, 1, 0]):
        moved = matrix[:, columns]
        model = DawidSkene(**options).fit(moved, n_classes=2)
        assert (model.predict(moved) == fitted.predict(matrix)).all()


@pytest.mark.parametrize("seed", range(40))
def test_interchangeable_columns_have_one_table_without_another_source(seed):
    """Columns that may be exchanged once a source is left out are held to one table, as in a fit on the rest."""
    rng = np.random.default_rng(seed)
    half = rng.integers(-1, 3, (20, 3)).astype(np.int8)
    rest = np.concatenate([half, half[:, [1, 0, 2]]])
    votes = np.hstack([rest, rng.integers(-1, 3, (40, 1)).astype(np.int8)])
    model = DawidSkene(strength=1.0, tolerance=1e-10)
    left = model.fit(votes, n_classes=3).without(["3"], votes=model.prepare(votes))
    alone = DawidSkene(strength=1.0, tolerance=1e-10).fit(rest, n_classes=3)
    assert (left.log_likelihood_[0] == left.log_likelihood_[1]).all()
    np.testing.assert_allclose(left.log_likelihood_, alone.log_likelihood_, atol=1e-12)
    assert (left.predict(rest) == alone.predict(rest)).all()


def test_scores_that_differ_in_their_last_bits_are_equal():
    """The lower index is first among equals, also for the runner-up, and equal scores have log-odds of exactly 0."""
    tiny = 4e-16
    scores = np.array([[-1.0, -1.0 + tiny, -9.0], [-9.0, -1.0, -1.0 - tiny], [-9.0, -2.0 - tiny, -1.0], [-3, -2, -2.1]])
    scores = np.concatenate([scores, [[-5e5, -5e5 + 1e-10, -6e5], [-1.0, -1.0 + 1e-9, -2.0]]])
    label, runner_up = ranked(scores)
    assert label.tolist() == [0, 1, 2, 1, 0, 1]
    assert runner_up.tolist() == [1, 2, 1, 2, 1, 0]
    assert log_odds(scores)[[0, 1, 4]].tolist() == [0.0, 0.0, 0.0]
    assert log_odds(scores)[[2, 3]].tolist() == pytest.approx([1.0, 0.1])
    with np.errstate(divide="ignore"):
        sure = np.log(np.array([[0.0, 1.0, 0.0]]))
    assert [int(k[0]) for k in ranked(sure)] == [1, 0]
    assert log_odds(sure)[0] == np.inf


def test_probabilities_near_one_keep_their_log_odds():
    """Sixty sources that agree give log-odds far beyond what a probability near 1 could still tell apart."""
    matrix = np.repeat(np.array([[0] * 60, [1] * 60], dtype=np.int8), 500, axis=0)
    model = DawidSkene(balance=[0.5, 0.5]).fit(matrix, n_classes=2)
    scores = model.predict_scores(matrix[:1])
    assert model.predict_proba(matrix[:1])[0, 0] == 1.0
    expected = sum(table[0, 0] - table[1, 0] for table in model.log_likelihood_)
    assert log_odds(scores)[0] == pytest.approx(expected, rel=1e-12)
    assert log_odds(scores)[0] > 100


def test_scores_far_below_zero_still_give_probabilities():
    """Scores that underflow by themselves give the probabilities that their difference says."""
    expected = [[1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))]]
    np.testing.assert_allclose(normalised(np.array([[-2000.0, -2001.0]])), expected, rtol=1e-12)


def test_a_source_that_never_votes_stays_at_its_prior():
    """A silent column keeps the prior's table, and the others learn as if it were not there."""
    matrix, _ = simulated()
    silent = np.column_stack([matrix, np.full(len(matrix), -1, dtype=np.int8)])
    without = DawidSkene(balance=[0.4, 0.6]).fit(matrix, n_classes=2)
    model = DawidSkene(balance=[0.4, 0.6]).fit(silent, n_classes=2)
    np.testing.assert_allclose(np.exp(model.log_likelihood_[-1]), [[0.7, 0.3], [0.2, 0.8]], atol=1e-15)
    np.testing.assert_allclose(model.predict_proba(silent), without.predict_proba(matrix), atol=1e-12)


def test_one_source_alone_is_taken_at_its_word():
    """With a single source every vote is the label, and nothing divides by zero."""
    matrix = np.array([[0], [1], [1], [-1]], dtype=np.int8)
    model = DawidSkene().fit(matrix, n_classes=2)
    assert model.predict(matrix).tolist() == [0, 1, 1, -1]


def test_a_class_that_nobody_names_keeps_a_probability():
    """Classes without any vote stay possible, with finite scores."""
    model = DawidSkene().fit(np.array([[0, 0], [0, -1]], dtype=np.int8), n_classes=5)
    proba = model.predict_proba(np.array([[0, 0], [4, -1]], dtype=np.int8))
    assert np.isfinite(proba).all()
    assert (proba > 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"balance": [0.5, 0.6]}, "balance"),
        ({"balance": [1.0, 0.0]}, "balance"),
        ({"balance": [1.5, -0.5]}, "balance"),
        ({"balance": [math.nan, 0.5]}, "balance"),
        ({"balance": [0.2, 0.3, 0.5]}, "balance"),
        ({"balance": "half"}, "balance"),
        ({"strength": -1.0}, "strength"),
        ({"strength": 0}, "strength"),
        ({"strength": math.nan}, "strength"),
        ({"strength": math.inf}, "strength"),
        ({"strength": "100"}, "strength"),
        ({"strength": True}, "strength"),
        ({"diagonal": 1.0}, "diagonal"),
        ({"diagonal": -0.1}, "diagonal"),
        ({"diagonal": math.nan}, "diagonal"),
        ({"tolerance": 0}, "tolerance"),
        ({"tolerance": math.nan}, "tolerance"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"max_iterations": 2.5}, "max_iterations"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(options, field):
    """NaN, negative and impossible parameters are refused before anything is learned."""
    model = DawidSkene(**options)
    with pytest.raises(InvalidRecord) as caught:
        model.fit(np.array([[0, 1], [1, 1]], dtype=np.int8), n_classes=2)
    assert caught.value.field == field
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("matrix", "classes", "says"),
    [
        ([[-1, -1], [-2, -3]], 2, "votes: given 'no vote at all', wanted at least one row with a vote"),
        ([[0, 2]], 2, r"votes\[0\]\.1: given 2, wanted a class index from 0 to 1"),
        ([[0, -4]], 2, r"votes\[0\]\.1: given -4"),
        ([[0, 300]], 2, "votes that fit int8"),
        ([[0, 0]], 1, "classes: given 1, wanted 2 to 127"),
        ([[0, 0]], 128, "classes: given 128"),
        ([[0, 0]], None, "n_classes: given None"),
        ([[0.0, 0.5]], 2, r"votes\[0\]\.1: given '0.5', wanted whole numbers"),
        ([], 2, "rows x sources"),
        ([0, 1], 2, "rows x sources"),
    ],
)
def test_votes_that_teach_nothing_are_refused(matrix, classes, says):
    """All silence, unknown classes, one class, fractions and empty tables are refused with what was wanted."""
    with pytest.raises(InvalidRecord, match=says):
        DawidSkene().fit(np.array(matrix), n_classes=classes)


def test_a_model_that_has_learned_nothing_says_so():
    """Predicting or saving before fit is one clear error."""
    for ask in (lambda m: m.predict(np.zeros((1, 1), dtype=np.int8)), lambda m: m.to_bytes()):
        with pytest.raises(ConfigurationError, match="has learned nothing yet"):
            ask(DawidSkene())


def test_columns_are_matched_by_source_and_never_by_place(table):
    """A table whose columns moved gets the same labels; another source version is refused by its column."""
    model = DawidSkene().fit(table)
    moved = table_of(table.matrix[:, ::-1], columns=table.columns[::-1])
    assert (model.predict_scores(moved) == model.predict_scores(table)).all()
    other = table_of(table.matrix, columns=[*table.columns[:-1], "s9"])
    with pytest.raises(InvalidRecord, match="columns: given 's4'"):
        model.predict(other)
    with pytest.raises(InvalidRecord, match=r"votes: given \[600, 4\], wanted 5 sources"):
        model.predict(table.matrix[:, :4])
    with pytest.raises(InvalidRecord, match="classes: "):
        model.predict(table_of(table.matrix, classes=("no", "yes")))


def test_the_same_votes_give_the_same_model_file(table):
    """Two fits of the same votes are the same bytes."""
    assert DawidSkene().fit(table).to_bytes() == DawidSkene().fit(table).to_bytes()
