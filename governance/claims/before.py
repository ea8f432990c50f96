"""What was measured of the model before, and of which model was it?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.claims.figures import main_slice
from governance.claims.model import REPRO, Answer, Code, Gap, claim, gap, said
from governance.claims.thread import Thread
from governance.claims.words import difference, measured
from governance.records import Evaluation, Model, Predictions


def change(thread: Thread) -> Answer:
    """What changed since the evaluation before, on the same slice and against the same gold; another model is named."""
    evaluation, where = thread.evaluation, main_slice(thread)
    earlier = list(_earlier(thread, evaluation))
    if evaluation is None or where is None or not earlier:
        wanted = "an earlier evaluation to compare with"
        return said(Gap(wanted, REPRO, edit=("change a source, ", Code("params.yaml"), " or the code of a stage")))
    then = earlier[-1]
    before = then.metric("accuracy", of="model", slice=where.name)
    now = evaluation.metric("accuracy", of="model", slice=where.name)
    if before is None or now is None or before.value is None or now.value is None:
        return gap(f"accuracy of an earlier model on {where.told}")
    one, other = _evaluated(thread, evaluation), _evaluated(thread, then)
    apart = difference(now.value, before.value)
    if one is not None and other is not None and one.title == other.title:
        text = f"On {where.told} accuracy of the model went from {measured(before)} to {measured(now)}, {apart}."
    else:
        that = (
            f"that of model “{other.title}”, evaluated before it" if other is not None else "that evaluated before it"
        )
        text = (
            f"On {where.told} accuracy of the model is {measured(now)}, {that}, {measured(before)}, "
            f"a difference of {apart}."
        )
    return said(claim(text, then, evaluation))


def _earlier(thread: Thread, evaluation: Evaluation | None) -> Iterator[Evaluation]:
    """Evaluations of models that were stated before this one, against the same gold."""
    for item in thread.facts.of(Evaluation):
        if evaluation is None or item.name == evaluation.name:
            return
        if item.gold == evaluation.gold and any(metric.of == "model" for metric in item.metrics):
            yield item


def _evaluated(thread: Thread, evaluation: Evaluation) -> Model | None:
    """The one model whose predictions an evaluation compared; None where it is not recorded, or one of several."""
    found = [thread.facts.get(name) for name in evaluation.compared]
    made = {item.name for item in found if isinstance(item, Model)}
    made |= {item.model for item in found if isinstance(item, Predictions)}
    model = thread.facts.get(made.pop()) if len(made) == 1 else None
    return model if isinstance(model, Model) else None
