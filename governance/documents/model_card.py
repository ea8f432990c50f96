"""What is this model, what may it be used for, how well does it do, and where does it fail?"""

from __future__ import annotations

from governance.claims import (
    PERSON,
    REPRO,
    UNHELD,
    Answer,
    Document,
    Gap,
    Note,
    Thread,
    attest,
    claim,
    data,
    figures,
    gap,
    labels,
    lines,
    said,
    sources,
)
from governance.claims.words import counted, ended, joined, number, upper
from governance.documents import front_matter
from governance.documents.sections import section, with_appendix
from governance.facts import Facts
from governance.records import Attestation

_READ = Note(
    "Every sentence ends with the records that it stands on; labeltrail show opens each of them. Where nothing is "
    "recorded, the card says so and names the command that would record it, or a stand-in where no kind of record exists."
)
_FIGURES = Note(
    "Figures in brackets are 95 % intervals. The label model, plain majority vote and a supervised reference trained on "
    "gold stand beside the model; where they were measured on fewer examples, because no source votes, the number stands "
    "with them. Precision, recall and F1 are macro means: computed for each class, then averaged with equal weight."
)
_TRACE = Note(
    "labeltrail trace follows the model to every source version and back; labeltrail why EXAMPLE shows the votes behind "
    "one label and what each contributed; labeltrail verify compares files with their records."
)


def model_card(facts: Facts) -> Document:
    """The card of the newest model; whatever is not recorded is a silence and is counted."""
    thread = Thread.of_model(facts)
    model = thread.model
    title = f"Model card: {model.title}" if model else "Model card"
    slices = tuple(cut for cut in dict.fromkeys(item.cut for item in figures.slices(thread)) if cut != "domain")
    sections = (
        section("What it is", _READ, _model(thread)),
        section("Intended use", _intended(thread), sources.uses(thread)),
        section("Limits", _silent(thread), figures.unmeasured(thread), data.open_findings(thread)),
        section("Performance", _FIGURES, figures.headline(thread), figures.intervals(thread),
                figures.table(thread, cuts=("domain", ""), caption="By domain")),
        section("On domains that it never saw", figures.fall(thread)),
        section("Slices", figures.weakest(thread), figures.disparity(thread),
                figures.table(thread, cuts=slices, caption="By slice") if slices else None),
        section("Calibration", figures.calibration(thread), figures.bins(thread)),
        section("Contamination", sources.contamination(thread)),
        section("Training data", _trained(thread), data.composition(thread), data.origin(thread), data.licence(thread)),
        section("Sources, licences and conflicts", sources.listed(thread), sources.table(thread), sources.licences(thread),
                sources.terms(thread), _licence(thread)),
        section("Label model", labels.learned(thread), labels.labelled(thread), labels.coverage(thread),
                labels.table(thread), figures.versus_majority(thread)),
        section("Personal data", sources.persons(thread)),
        section("Size and parameters of training", _parameters(thread)),
        section("Time and cost", lines.cost(thread)),
        section("How to trace", _TRACE, lines.pinned(thread), lines.outputs(thread), lines.dangling(thread)),
    )  # fmt: skip
    about = (model.name,) if model else ()
    head = front_matter.for_model(thread, model.title if model else "not recorded")
    return with_appendix(Document("model_card", title, sections, head, about), facts)


def _model(thread: Thread) -> Answer:
    model = thread.model
    if model is None:
        return gap("a trained model")
    what = f"“{model.title}” tells {joined(model.classes, 'from')}. Architecture: {ended(model.architecture)}"
    how = "It was trained on soft labels that a label model made from votes."
    return said(claim(what, model), claim(how, model, thread.labels, thread.label_model))


def _parameters(thread: Thread) -> Answer:
    model = thread.model
    if model is None:
        return gap("size of the model and parameters of its training")
    parameters = joined(f"{key} {value}" for key, value in sorted(model.parameters.items())) or "none"
    return said(
        claim(f"It has {number(model.weights, 'weight')} in a file of {number(model.bytes, 'byte')}.", model),
        claim(f"Parameters of training: {parameters}.", model),
    )


def _licence(thread: Thread) -> Answer:
    """No record of a model holds its licence; what a person states on terms in general does not fill that in."""
    control, what = "GOVERN 6.1", "licence of the model, which the terms of its sources and data decide"
    stated = thread.attestations.get(control)
    told = claim(f"On {control}: {_statement(stated)}", stated, person=True) if stated else None
    return said(told, Gap(what, attest(control), sort=UNHELD))


def _trained(thread: Thread) -> Answer:
    model = thread.model
    if model is None or not model.trained_on:
        return gap("how many examples of which domain the model was trained on")
    return said(claim(f"Trained on: {counted(model.trained_on)}.", model))


def _intended(thread: Thread) -> Answer:
    return _stated(thread, "MAP 1.1", "intended use of the model") + _stated(
        thread, "MAP 3.3", "scope, and uses out of scope"
    )


def _stated(thread: Thread, control: str, what: str) -> Answer:
    """What only a person can say, under the control where people say it."""
    stated = thread.attestations.get(control)
    if stated is None:
        return said(Gap(what, attest(control), sort=PERSON))
    return said(claim(f"{upper(what)}: {_statement(stated)}", stated, person=True))


def _statement(stated: Attestation) -> str:
    who = f"Stated by {stated.by} ({stated.role}) on {stated.made}, in force until {stated.expires}."
    return f"{ended(stated.statement)} {who}"


def _silent(thread: Thread) -> Answer:
    votes = thread.votes
    if votes is None:
        return said(Gap("on how many examples every source is silent", REPRO))
    silent = number(votes.rows - votes.covered, "example")
    text = f"Where no source votes there is no label to learn from: {silent} of {number(votes.rows)}."
    return said(claim(text, votes))
