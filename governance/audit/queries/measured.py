"""What was measured, how sure is it, and does the measuring itself hold?"""

from __future__ import annotations

from governance.audit.query import Context, query
from governance.claims import Answer, before, claim, data, figures, gap, labels, lines, said
from governance.claims.words import counted, joined, metric_name, number
from governance.facts import Facts


@query
def risk_to_metric(_: Facts, context: Context) -> Answer:
    """Which metrics there are and which have no value; risks are recorded nowhere yet."""
    thread = context.thread
    if thread.evaluation is None:
        return gap("figures against gold") + context.unheld("risks, each with its metric")
    names = joined(metric_name(name) for name in dict.fromkeys(item.metric for item in thread.evaluation.metrics))
    answer = said(claim(f"Measured: {names}, on {number(len(figures.slices(thread)), 'slice')}.", thread.evaluation))
    return (
        answer
        + figures.unmeasured(thread)
        + context.unheld("risks, each with its metric or the reason why it has none")
    )


@query
def tevv_inventory(_: Facts, context: Context) -> Answer:
    """Test sets with digest and size, metrics, tools and their versions."""
    thread = context.thread
    answer = data.gold(thread) + figures.intervals(thread) + lines.pinned(thread)
    dataset = thread.dataset
    if dataset is None or not dataset.splits:
        return answer + gap("size and digest of the test set")
    digest = f"SHA-256 begins {dataset.sha256[:12]}"
    text = f"Test examples come from dataset “{dataset.title}” ({digest}): {counted(dataset.splits)}."
    return answer + said(claim(text, dataset))


@query
def metrics_with_ci(_: Facts, context: Context) -> Answer:
    """Accuracy with intervals on the domain trained on and on the others."""
    thread = context.thread
    answer = figures.headline(thread) + figures.intervals(thread) + figures.fall(thread)
    return answer + context.unheld("distance of the test set from what is met in use")


@query
def validity(_: Facts, context: Context) -> Answer:
    """Gold figures, calibration, falls, slices and reproduction."""
    thread = context.thread
    answer = figures.headline(thread) + figures.calibration(thread) + figures.fall(thread) + figures.weakest(thread)
    return answer + lines.reproduced(thread) + context.unheld("variance of the figures over seeds")


@query
def slice_disparity(_: Facts, context: Context) -> Answer:
    """How far slices are apart; groups of people are recorded nowhere."""
    thread = context.thread
    return figures.disparity(thread) + figures.weakest(thread)


@query
def impact_inputs(_: Facts, context: Context) -> Answer:
    """Where errors are most frequent; incidents and feedback are recorded nowhere yet."""
    thread = context.thread
    return figures.weakest(thread, 5) + figures.fall(thread) + context.unheld("incidents and feedback for each risk")


@query
def estimator_check(_: Facts, context: Context) -> Answer:
    """What was learned without gold beside gold, and label model beside majority vote."""
    thread = context.thread
    noise = data.told(thread, thread.about("rater", "rating"), otherwise="how well the raters agree")
    return labels.honesty(thread) + figures.versus_majority(thread) + noise


@query
def human_ratings(_: Facts, context: Context) -> Answer:
    """How the gold ratings were collected, and what was found about them."""
    thread = context.thread
    return data.gold(thread) + data.origin(thread)


@query
def unmeasured(_: Facts, context: Context) -> Answer:
    """Findings that ended as unknown, and figures without a value."""
    thread = context.thread
    return data.open_findings(thread, "unknown") + figures.unmeasured(thread)


@query
def version_delta(_: Facts, context: Context) -> Answer:
    """What changed since the evaluation before."""
    return before.change(context.thread) + context.unheld("figures of batches met in use")


@query
def control_effect(_: Facts, context: Context) -> Answer:
    """What the guards caught."""
    thread = context.thread
    answer = data.outcomes(thread) + data.refused(thread)
    return answer + context.unheld("errors that no guard caught, and reviews of the metrics")


@query
def compute_ledger(_: Facts, context: Context) -> Answer:
    """Where processor time is noted; energy is measured nowhere."""
    return lines.cost(context.thread) + context.unheld("energy and emissions of training")


@query
def cost_ledger(_: Facts, context: Context) -> Answer:
    """Where cost is noted; what a mistake costs is a person's to say."""
    answer = lines.cost(context.thread) + figures.weakest(context.thread)
    return answer + context.unheld("what each kind of mistake costs")
