"""Is the trail whole, from every label back to its votes, and what is left open?"""

from __future__ import annotations

from governance.audit.query import Context, query
from governance.claims import Answer, claim, data, figures, gap, labels, lines, said, sources
from governance.claims.words import joined, number
from governance.facts import Facts


@query
def integrity(_: Facts, context: Context) -> Answer:
    """Digests, rows voted again, pinned versions, guards over sources."""
    thread = context.thread
    copies = thread.about("cop", "poison", "alike", "error")
    answer = lines.outputs(thread) + labels.alignment(thread) + labels.failures(thread) + sources.pins(thread)
    answer += said(*(data.found(thread, finding) for finding in copies))
    return answer + context.unheld("an attack on sources or texts that was tried, and its result")


@query
def trace_completeness(_: Facts, context: Context) -> Answer:
    """Gaps in the lineage, and silences of the cards."""
    return lines.dangling(context.thread) + _cards(context)


@query
def label_trace(_: Facts, context: Context) -> Answer:
    """Votes and learned weights behind any label, and the cards that tell them."""
    thread = context.thread
    if thread.labels is None or thread.label_model is None or thread.votes is None:
        return gap("labels with the votes and the label model behind them") + _cards(context)
    text = (
        f"Each of {number(thread.labels.covered, 'label')} follows from votes of "
        f"{number(len(thread.votes.sources), 'source')} and what the label model learned of them; labeltrail why shows "
        f"the contribution of every vote."
    )
    answer = said(claim(text, thread.labels, thread.label_model, thread.votes))
    return answer + labels.learned(thread) + _cards(context)


@query
def risk_register_links(_: Facts, context: Context) -> Answer:
    """Cards and their silences; a register of risks is recorded nowhere yet."""
    return _cards(context) + context.unheld("risks linked to each asset")


@query
def test_and_incident_log(_: Facts, context: Context) -> Answer:
    """Which checks were run and how they ended."""
    return data.outcomes(context.thread) + context.unheld("incidents, and with whom they were shared")


@query
def risk_order(_: Facts, context: Context) -> Answer:
    """Open findings, failed ones first."""
    thread = context.thread
    answer = data.open_findings(thread, "fail")
    if any(finding.outcome == "unknown" for finding in thread.findings):
        answer += data.open_findings(thread, "unknown")
    return answer + context.unheld("a ranking of the open risks")


@query
def residual(_: Facts, context: Context) -> Answer:
    """What stays open, and where those who use the model can read it."""
    thread = context.thread
    answer = data.open_findings(thread) + figures.fall(thread) + _cards(context)
    return answer + context.unheld("risks accepted, with an end date")


def _cards(context: Context) -> Answer:
    cards = context.thread.cards
    if not cards:
        return gap("cards that tell data and model")
    told = joined(
        f"{card.title} makes {number(card.claims, 'claim')} and is silent on {card.not_recorded}" for card in cards
    )
    return said(claim(f"Cards: {told}.", *cards))
