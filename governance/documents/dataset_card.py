"""What is this dataset, where does it come from, and on what terms?"""

from __future__ import annotations

from governance.claims import (
    Answer,
    Document,
    Note,
    Thread,
    claim,
    data,
    describe_data,
    gap,
    labels,
    lines,
    said,
    sources,
)
from governance.documents import front_matter
from governance.documents.sections import section, with_appendix
from governance.facts import Facts

_READ = Note(
    "Every sentence ends with the records that it stands on; labeltrail show opens each of them. Where nothing is "
    "recorded, the card says so and names the command that would record it, or a stand-in where no kind of record exists."
)

#: counted facts stand where their subject is told; whatever is about none of these stands with the collection
_REFUSED, _RATED = ("quarantine", "refused"), ("rating", "rater")
_ELSEWHERE = (*_REFUSED, *_RATED, "duplicate")


def dataset_card(facts: Facts) -> Document:
    """The card of the newest dataset version; whatever is not recorded is a silence and is counted."""
    thread = Thread.of_dataset(facts)
    dataset = thread.dataset
    title = f"Dataset card: {dataset.title}" if dataset else "Dataset card"
    sections = (
        section("Composition", _READ, data.composition(thread), data.table(thread), _language(thread)),
        section("Collection and origin", data.origin(thread), data.counts(thread, besides=_ELSEWHERE)),
        section("Licence and terms of third parties", data.licence(thread), sources.terms(thread)),
        section("Splits and duplicates", data.splits(thread), data.duplicates(thread)),
        section(
            "Checks and quarantine",
            data.refused(thread, listed=True),
            data.counts(thread, *_REFUSED),
            data.outcomes(thread),
            data.open_findings(thread),
        ),
        section("Gold labels and rating noise", data.balance(thread), data.counts(thread, *_RATED), data.gold(thread)),
        section("Sources of weak labels", sources.listed(thread), sources.table(thread), sources.licences(thread)),
        section(
            "How the sources were made",
            sources.collections(thread),
            sources.contamination(thread),
            sources.ends(thread),
        ),
        section("Votes, coverage and conflict", labels.coverage(thread), labels.failures(thread), labels.table(thread)),
        section("Labels", labels.labelled(thread), labels.kinds(thread)),
        section("Personal data", sources.persons(thread), sources.bases(thread)),
        section("How to trace", lines.pinned(thread), lines.outputs(thread), lines.dangling(thread)),
    )
    about = (dataset.name,) if dataset else ()
    head = front_matter.for_dataset(thread, dataset.title if dataset else "not recorded")
    return with_appendix(Document("dataset_card", title, sections, head, about), facts)


def _language(thread: Thread) -> Answer:
    stated = front_matter.language(thread.dataset) or front_matter.language(thread.collected)
    if thread.dataset is None:
        return gap("language of the texts")
    if not stated:
        return said(describe_data("language of the texts", "language"))
    return said(claim(f"Language of the texts: {', '.join(stated['language'])}.", thread.collected or thread.dataset))
