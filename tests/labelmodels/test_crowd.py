from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelmodel_votes import source_name

from governance import labelmodels
from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.votes.answers import Answers

CLASSES = ("bad", "good")


def answers_of_crowd(*, examples=600, workers=40, each=4, classes=2, seed=0):
    """(answers, gold): workers of whom three in ten guess; each example is answered by a few of them."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, classes, examples)
    right = np.where(np.arange(workers) % 10 < 3, 1 / classes, rng.uniform(0.7, 0.95, workers))
    example = np.repeat(np.arange(examples), each)
    # Steps that do not go round the whole circle meet nobody twice.
    steps = rng.integers(1, workers // each + 1, (examples, each)).cumsum(axis=1)
    source = ((rng.integers(0, workers, examples)[:, None] + steps) % workers).reshape(-1)
    wrong = (gold[example] + rng.integers(1, classes, len(example))) % classes
    vote = np.where(rng.random(len(example)) < right[source], gold[example], wrong)
    return made(example, source, vote, examples=examples, workers=workers, classes=classes), gold


def made(example, source, vote, *, examples, workers, classes=2, repeat=None, order=None):
    names = [f"w{j:04d}" for j in range(workers)]
    parts = [
        np.asarray(part) for part in (example, source, repeat if repeat is not None else 0 * np.asarray(vote), vote)
    ]
    if order is not None:
        parts = [part[order] for part in parts]
    ids = [f"d/{i:06d}" for i in range(examples)]
    return Answers(ids, names, [source_name(n) for n in names], [str(k) for k in range(classes)], *parts)  # type: ignore[arg-type]


def em_by_hand(answers, *, balance, strength, diagonal, iterations):
    """EM over single answers in plain Python, from what the module says of itself."""
    classes = len(answers.classes)
    kept = zip(answers.example.tolist(), answers.source.tolist(), answers.vote.tolist(), strict=True)
    said = [(e, s, v) for e, s, v in kept if v >= 0]
    off = [[0 if v == k else balance[v] / (1 - balance[k]) for v in range(classes)] for k in range(classes)]

    def row(accuracy, k):
        return [accuracy if v == k else (1 - accuracy) * off[k][v] for v in range(classes)]

    theta = {s: [row(diagonal, k) for k in range(classes)] for s in range(len(answers.columns))}

    def beliefs():
        found = {}
        for e in {e for e, _, _ in said}:
            joint = list(balance)
            for _, s, v in [answer for answer in said if answer[0] == e]:
                joint = [p * theta[s][k][v] for k, p in enumerate(joint)]
            found[e] = [p / sum(joint) for p in joint]
        return found

    for _ in range(iterations):
        believed = beliefs()
        for s in theta:
            mine = [(e, v) for e, worker, v in said if worker == s]
            accuracy = (sum(believed[e][v] for e, v in mine) + 10 * diagonal) / (len(mine) + 10)
            table = []
            for k in range(classes):
                votes = [strength * p for p in row(accuracy, k)]
                for e, v in mine:
                    votes[v] += believed[e][k]
                table.append([value / sum(votes) for value in votes])
            theta[s] = table
    return np.array([theta[s] for s in sorted(theta)]), beliefs()


@pytest.mark.parametrize("iterations", [1, 3])
def test_em_on_answers_is_what_the_module_says(iterations):
    """Tables and probabilities are those of EM answer by answer."""
    answers, _ = answers_of_crowd(examples=60, workers=8, each=3, classes=3)
    model = Crowd(balance=[0.2, 0.3, 0.5], strength=7.0, max_iterations=iterations, tolerance=1e-15).fit(answers)
    theta, believed = em_by_hand(answers, balance=[0.2, 0.3, 0.5], strength=7.0, diagonal=0.7, iterations=iterations)
    np.testing.assert_allclose(np.exp(model.log_likelihood_), theta, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(answers)[list(believed)], list(believed.values()), atol=1e-12)


def test_workers_who_guess_are_found_and_the_others_carry_the_label():
    """Labels are better than by most answers, and the guessers are the worst workers."""
    answers, gold = answers_of_crowd(examples=3000, each=5)
    model = Crowd().fit(answers)
    right = np.exp(model.log_likelihood_)[:, [0, 1], [0, 1]].mean(axis=1)
    guessing = np.arange(40) % 10 < 3
    assert right[guessing].max() < right[~guessing].min()
    counts = np.zeros((len(answers), 2))
    np.add.at(counts, (answers.example, answers.vote), 1)
    assert (model.predict(answers) == gold).mean() > (counts.argmax(axis=1) == gold).mean() + 0.02


def test_answers_and_the_same_in_wide_form_come_to_the_same():
    """A wide table of the answers gives equal tables and probabilities within 1e-12."""
    answers, _ = answers_of_crowd(classes=3)
    wide = answers.wide()
    one, two = Crowd(tolerance=1e-9).fit(answers), Crowd(tolerance=1e-9).fit(wide)
    np.testing.assert_allclose(one.predict_proba(answers), two.predict_proba(wide), atol=1e-12)
    np.testing.assert_allclose(one.predict_proba(wide), two.predict_proba(answers), atol=1e-12)
    assert (one.predict(answers) == two.predict(wide)).all()


def test_rows_that_are_alike_count_as_often_in_wide_form_as_in_answers():
    """Many alike rows of workers who name one class each outweigh a few others: neither form learns the balance."""
    alike = [(e, s, 0) for e in range(60) for s in (0, 1)]
    mixed = [(60 + e, s, (e + (s == 2)) % 2) for e in range(4) for s in (2, 3)]
    example, source, vote = np.array(alike + mixed).T
    answers = made(example, source, vote, examples=64, workers=4)
    one, two, three = Crowd().fit(answers), Crowd().fit(answers.wide()), Crowd()
    three.fit(answers.wide().matrix, n_classes=2)
    np.testing.assert_allclose(one.balance_, [(62 + 1) / 66, (2 + 1) / 66], rtol=1e-12)
    for wide in (two, three):
        np.testing.assert_allclose(wide.balance_, one.balance_, rtol=1e-12)
        np.testing.assert_allclose(wide.log_likelihood_, one.log_likelihood_, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_no_order_of_answers_workers_or_examples_can_be_seen(seed):
    """Answers, columns and examples in any order give the same table for each worker, bit for bit."""
    answers, _ = answers_of_crowd(examples=50, workers=9, each=3, seed=seed % 7)
    rng = np.random.default_rng(seed)
    turn, people, rows = (rng.permutation(n) for n in (len(answers.vote), 9, 50))
    place_of_person, place_of_row = np.argsort(people), np.argsort(rows)
    moved = Answers(
        answers.ids.gather(rows),
        [answers.columns[j] for j in people],  # type: ignore[arg-type]
        [answers.sources[j] for j in people],  # type: ignore[arg-type]
        answers.classes,
        place_of_row[answers.example][turn],
        place_of_person[answers.source][turn],
        answers.repeat[turn],
        answers.vote[turn],
    )
    one, two = Crowd().fit(answers), Crowd().fit(moved)
    assert two.log_likelihood_.tobytes() == one.log_likelihood_[people].tobytes()
    assert two.predict_proba(moved).tobytes() == one.predict_proba(answers)[rows].tobytes()
    shuffled = Crowd().fit(made(answers.example, answers.source, answers.vote, examples=50, workers=9, order=turn))
    assert shuffled.to_bytes() == one.to_bytes()


def test_two_answers_of_one_worker_count_both():
    """Who says it twice says it twice: the contribution stands there twice, and which came first is not looked at."""
    answers, _ = answers_of_crowd(examples=200, workers=10)
    twice = made(
        np.append(answers.example, [0, 1]),
        np.append(answers.source, [answers.source[0], answers.source[4]]),
        np.append(answers.vote, [answers.vote[0], 1 - answers.vote[4]]),
        repeat=np.append(answers.repeat, [1, 1]),
        examples=200,
        workers=10,
    )
    model = Crowd().fit(twice)
    told = model.explain(twice, 0)
    same = [part.log_odds for part in told.contributions if part.column == f"w{answers.source[0]:04d}"]
    assert len(same) == 2
    assert same[0] == same[1]
    assert told.prior + sum(part.log_odds for part in told.contributions) == pytest.approx(told.log_odds, abs=1e-12)
    once = model.predict_scores(answers)[0]
    added = model.log_likelihood_[answers.source[0], :, answers.vote[0]]
    np.testing.assert_allclose(model.predict_scores(twice)[0], once + added, rtol=1e-12)


def test_thousands_of_workers_cost_their_answers():
    """Five thousand workers of four answers each are learned without a matrix of examples and workers."""
    answers, gold = answers_of_crowd(examples=5000, workers=5000, each=4)
    model = Crowd().fit(answers)
    assert model.converged_
    assert (model.predict(answers) == gold).mean() > 0.75


def test_every_label_comes_apart_into_answers():
    """Prior and contributions sum to the log-odds of each example; one that nobody was asked about has no label."""
    answers, _ = answers_of_crowd(examples=40, workers=6, each=2)
    silent = Answers(
        [*answers.ids.to_list(), "d/nobody"],  # type: ignore[arg-type]
        answers.columns,
        answers.sources,
        answers.classes,
        answers.example,
        answers.source,
        answers.repeat,
        np.where(np.arange(len(answers.vote)) % 7 == 3, -2, answers.vote),
    )
    model = Crowd().fit(silent)
    labels = model.predict(silent)
    for place in range(len(silent)):
        told = model.explain(silent, place)
        assert told.label == labels[place]
        if told.log_odds is not None:
            total = told.prior + sum(part.log_odds for part in told.contributions)
            assert total == pytest.approx(told.log_odds, abs=1e-12)
    nobody = model.explain(silent, 40)
    assert (nobody.label, nobody.log_odds, nobody.contributions) == (-1, None, ())
    np.testing.assert_allclose(model.predict_proba(silent)[40], model.balance_, rtol=1e-12)


def test_workers_who_name_one_class_each_leave_the_balance_as_it_is():
    """Nothing is learned of the balance from workers who cannot name another class."""
    rng = np.random.default_rng(0)
    example, source = np.repeat(np.arange(300), 2), rng.integers(0, 6, 600)
    answers = made(example, source, source % 2, repeat=np.arange(600) % 2, examples=300, workers=6)
    model = Crowd().fit(answers)
    shares = np.zeros((300, 2))
    np.add.at(shares, (answers.example, answers.vote), 0.5)
    np.testing.assert_allclose(model.balance_, (shares.sum(axis=0) + 1) / 302, rtol=1e-12)


def test_what_a_crowd_cannot_do_is_refused_by_name():
    """Nobody answers, a stranger among the workers, other classes, weights, a place that is not there."""
    answers, _ = answers_of_crowd(examples=30, workers=5, each=2)
    with pytest.raises(InvalidRecord, match="no answer that names a class"):
        Crowd().fit(made([0, 1], [0, 1], [-1, -3], examples=2, workers=2))
    with pytest.raises(ConfigurationError, match="has learned nothing yet"):
        Crowd().predict(answers)
    with pytest.raises(InvalidRecord, match="sample_weight"):
        Crowd().fit(answers, sample_weight=np.ones(30))
    model = Crowd().fit(answers)
    with pytest.raises(InvalidRecord, match="columns: given 'w0005', wanted workers that this model learned of"):
        model.predict(made([0], [5], [1], examples=1, workers=6))
    with pytest.raises(InvalidRecord, match="classes"):
        model.predict(made([0], [0], [1], examples=1, workers=5, classes=3))
    for place in (-1, 30):
        with pytest.raises(InvalidRecord, match="example"):
            model.explain(answers, place)


PARAMETERS = {
    "strength_zero": {"strength": 0},
    "strength_nan": {"strength": float("nan")},
    "diagonal_one": {"diagonal": 1.0},
    "tolerance_none": {"tolerance": 0.0},
    "iterations_none": {"max_iterations": 0},
    "balance_of_other_sum": {"balance": [0.5, 0.6]},
}


@pytest.mark.parametrize("fault", PARAMETERS)
def test_a_parameter_that_cannot_be_is_refused(fault):
    """By its name."""
    answers, _ = answers_of_crowd(examples=30, workers=5, each=2)
    with pytest.raises(InvalidRecord, match=next(iter(PARAMETERS[fault]))):
        Crowd(**PARAMETERS[fault]).fit(answers)


@pytest.mark.parametrize(
    ("field", "value"),
    [("order", [0, 0]), ("balance_origin", "guess"), ("iterations", "7"), ("objective", "good"), ("balance", ["0.5"])],
)
def test_a_faulty_file_of_a_crowd_is_refused(field, value, tmp_path):
    """By the field that is wrong; a table whose rows sum to something else too."""
    answers, _ = answers_of_crowd(examples=30, workers=5, each=2)
    whole = json.loads(Crowd().fit(answers).to_bytes())
    other = json.loads(json.dumps(whole))
    whole["state"][field] = value
    other["state"]["log_likelihood"][0][0][0] = "-0.001"
    path = tmp_path / "label_model.json"
    for told, says in ((whole, f"state.{field}"), (other, "probabilities sum to 1")):
        path.write_bytes(canonical(told) + b"\n")
        with pytest.raises(InvalidRecord, match=says):
            labelmodels.load(path)


def test_one_answer_and_one_worker_are_enough():
    """The smallest crowd has a label, and it is what was answered."""
    one = made([0], [0], [1], examples=1, workers=1)
    assert Crowd().fit(one).predict(one).tolist() == [1]
    assert DawidSkene().fit(one.wide()).predict(one.wide()).tolist() == [1]


def test_answers_are_learned_from_and_labelled_in_one_call():
    """`fit_predict` gives the labels of `fit` and `predict`; weights beside answers are refused here too."""
    answers, _ = answers_of_crowd(examples=60, workers=8, each=3, classes=3)
    model = Crowd()
    labels = model.fit_predict(answers)
    np.testing.assert_array_equal(labels, Crowd().fit(answers).predict(answers))
    assert model.to_bytes() == Crowd().fit(answers).to_bytes()
    with pytest.raises(InvalidRecord, match="weights beside answers"):
        Crowd().fit_predict(answers, sample_weight=np.ones(60))
