"""Metrics and findings before and after, and which evaluation belongs to a run."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governance.digest import decimal, sha256
from governance.facts import Facts
from governance.records import Evaluation, Finding, Metric, Recipe, Record, Result
from governance.runs.effects import MetricChange, evaluations, finding_changes, metric_changes, same_metrics


def evaluation(values: dict[str, str | None], title: str = "figures") -> Evaluation:
    metrics = [
        Metric(metric=name, of="model", slice="all", value=value, low="0.2", high="0.4", examples=9)
        for name, value in values.items()
    ]
    dataset = f"dataset:{sha256(b'd')}"
    return Evaluation.make(
        title=title,
        gold="g",
        dataset=dataset,
        compared=[],
        sha256=sha256(repr(values).encode()),
        metrics=metrics,
        classes=[],
    )


def file(path: str, content: str) -> dict[str, Any]:
    return {"path": path, "sha256": sha256(content.encode()), "bytes": len(content)}


def run(
    stage: str, *, reads: list[Any], makes: list[Any], states: list[Record] | None = None, note: str = ""
) -> list[Record]:
    recipe = Recipe.make(
        stage=stage,
        inputs=reads,
        parameters={"note": note},
        seed=0,
        code=[],
        distributions=[],
        python="3",
        threads=1,
        hash_seed="0",
    )
    generated = [record.name for record in states or []]
    result = Result.make(stage=stage, recipe=recipe.name, outputs=makes, generated=generated, used=[])
    return [recipe, *(states or []), result]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_delta_is_exact_in_the_digits_that_are_recorded(was, now):
    """Before and change add up to after, digit by digit, for figures of any usual size."""
    was, now = round(was % 1000, 12), round(now % 1000, 12)
    change = MetricChange("m", "model", "all", was=decimal(was), now=decimal(now), low=None, high=None)
    from decimal import Decimal

    assert change.delta is not None
    assert Decimal(change.delta) + Decimal(decimal(was)) == Decimal(decimal(now))


def test_figures_that_came_went_or_lost_their_value_are_told():
    """None is no zero; the old interval says whether the new figure lies in it."""
    was = evaluation({"accuracy": "0.3", "recall": "0.5", "ece": "0.1", "f1": None})
    now = evaluation({"accuracy": "0.35", "recall": None, "f1": None, "auc": "0.9"})
    found = {
        change.metric: (change.was, change.now, change.delta, change.inside) for change in metric_changes(was, now)
    }
    assert found == {
        "accuracy": ("0.3", "0.35", "0.05", True),
        "recall": ("0.5", None, None, None),
        "auc": (None, "0.9", None, None),
        "ece": ("0.1", None, None, None),
    }
    assert same_metrics(was, now) == 1


def test_the_evaluation_of_a_run_is_the_one_that_read_exactly_what_it_made():
    """Two versions of a stage share an output; an evaluation of the newer labels is none of the older run's."""
    shared = file("shared", "same")
    old, new = file("labels", "old"), file("labels", "new")
    first, second = evaluation({"accuracy": "0.3"}), evaluation({"accuracy": "0.4"})
    combine_old = run("combine", reads=[], makes=[old, shared], note="old")
    combine_new = run("combine", reads=[], makes=[new, shared], note="new")
    train_old = run("train", reads=[old], makes=[file("model", "of old")])
    train_new = run("train", reads=[new], makes=[file("model", "of new")])
    evaluate_old = run("evaluate", reads=[file("model", "of old"), old, shared], makes=[], states=[first])
    evaluate_new = run("evaluate", reads=[file("model", "of new"), new, shared], makes=[], states=[second])
    facts = Facts([*combine_old, *train_old, *evaluate_old, *combine_new, *train_new, *evaluate_new])
    for made, expected in ((combine_old, first), (combine_new, second), (train_old, first), (evaluate_new, second)):
        result = made[-1]
        assert isinstance(result, Result)
        assert evaluations(result, facts) == {"figures": expected}
    without = Facts(record for record in facts if record not in evaluate_old)
    assert isinstance(combine_old[-1], Result)
    assert evaluations(combine_old[-1], without) == {}


def test_of_several_evaluations_the_current_one_goes_first():
    """Otherwise the one that was stated last."""
    made = file("labels", "x")
    combine = run("combine", reads=[], makes=[made])
    one = run("evaluate", reads=[made], makes=[], states=[evaluation({"accuracy": "0.3"})], note="1")
    two = run("evaluate", reads=[made], makes=[], states=[evaluation({"accuracy": "0.4"})], note="2")
    facts, result = Facts([*combine, *one, *two]), combine[-1]
    assert isinstance(result, Result)
    assert evaluations(result, facts) == {"figures": two[1]}
    assert evaluations(result, facts, current=frozenset([one[-1].name])) == {"figures": one[1]}


def test_findings_are_known_again_by_check_and_subject():
    """A subject of another content with the same title is the same subject; equal outcomes are no change."""

    def stated(check: str, outcome: str, title: str, says: str = "x") -> tuple[Record, Finding]:
        subject = evaluation({"accuracy": None}, title=title)
        return subject, Finding.make(check=check, subject=subject.name, outcome=outcome, says=says)

    was = [stated("a", "pass", "one"), stated("b", "fail", "one"), stated("c", "fail", "one")]
    now = [stated("a", "fail", "one"), stated("b", "fail", "one", says="y"), stated("d", "unknown", "one")]
    facts = Facts(record for pair in (*was, *now) for record in pair)
    found = finding_changes([f for _, f in was], [f for _, f in now], facts)
    assert [(change.check, change.was, change.now) for change in found] == [
        ("a", "pass", "fail"),
        ("d", None, "unknown"),
        ("c", "fail", None),
    ]


def test_many_findings_of_one_subject_cost_little():
    """Each is held against the one in its place; ten thousand take seconds, not minutes."""
    subject = evaluation({"accuracy": None})
    was, now = (
        [
            Finding.make(check="c", subject=subject.name, outcome=outcome if number == 7 else "pass", says=str(number))
            for number in range(10_000)
        ]
        for outcome in ("pass", "fail")
    )
    started = time.process_time()
    found = finding_changes(was, now, Facts([subject]))
    assert time.process_time() - started < 5
    assert [(change.was, change.now, change.says) for change in found] == [("pass", "fail", "7")]
