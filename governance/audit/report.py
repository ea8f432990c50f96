"""What does a framework's report say: a summary, the gaps, every control with its state, and everything cited?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from governance.audit.assess import Assessment, assess
from governance.audit.attestations import day
from governance.audit.summary import states, summary
from governance.claims import PERSON, RECORD, UNHELD, Block, Document, Gap, Note, Section, Tally, Thread
from governance.claims.entry import appendix
from governance.claims.states import STATES
from governance.claims.words import number
from governance.controls import Framework, load_framework
from governance.facts import Facts

_READ = Note(
    "Every sentence ends with the records that it stands on; the appendix lists them, and labeltrail show opens each. A "
    "state says which evidence is at hand. Whether that evidence is good enough is for those who "
    "read it to judge."
)
_GAPS = {
    RECORD: ("gaps", "Gaps: what a record could hold", "The command named with each makes the record."),
    UNHELD: (
        "gaps-unheld",
        "Gaps: what no kind of record holds yet",
        "LabelTrail has no kind of record for these. A statement by a person can stand in until it has; the gap stays.",
    ),
    PERSON: ("gaps-person", "Gaps: what only a person can state", "A statement in force closes each of these."),
}


def _day(as_of: str) -> Note:
    return Note(
        f"Only expiry is judged as of {as_of}: whether statements of people and descriptions of sources are in force on "
        "that day. Everything else is what the current runs recorded, whenever that was."
    )


def report(facts: Facts, framework: str = "nist_ai_rmf", *, as_of: str) -> Document:
    """The report on `framework`, judged as of a date YYYY-MM-DD. Raises UnknownName, InvalidRecord."""
    day(as_of, field="as_of", where="audit")
    asked = load_framework(framework)
    thread = Thread.of_model(facts)
    judged = assess(facts, asked, as_of=as_of, thread=thread)
    sections = (
        Section("Summary", "summary", (_READ, _day(as_of), *summary(thread, asked, judged))),
        *_gaps(judged),
        Section("Overview", "overview", tuple(_tallies(asked, judged))),
        Section(
            "How to read a state",
            "states",
            tuple(Note(f"{state}: {words.meaning}.") for state, words in STATES.items()),
        ),
        *_controls(asked, judged),
    )
    about = tuple(record.name for record in (thread.model, thread.dataset) if record is not None)
    head = {"framework": framework, "as_of": as_of}
    document = Document(
        "audit_report", f"{asked.short_title} report, expiry judged as of {as_of}", sections, head, about
    )
    return replace(document, appendix=appendix(facts, document.cites))


def _tallies(framework: Framework, judged: list[Assessment]) -> Iterable[Tally]:
    for function in framework.functions:
        own = [item for item in judged if item.control.function == function.id]
        yield states(
            function.id, f"{function.id}, {function.topic}: {number(len(own), framework.unit, framework.units)}", own
        )


def _gaps(judged: list[Assessment]) -> Iterable[Section]:
    """What is not recorded, before anything that is: one list for each sort, for each gap the controls that ask for it."""
    asking: dict[Gap, list[str]] = {}
    for item in judged:
        for silence in item.answer.gaps:
            asking.setdefault(silence, []).append(item.control.id)
    for sort, (anchor, title, note) in _GAPS.items():
        own = [replace(silence, of=tuple(controls)) for silence, controls in asking.items() if silence.sort == sort]
        blocks: tuple[Block, ...] = (Note(note), *own) if own else (Note("Nothing is missing here."),)
        yield Section(title, anchor, blocks)


def _controls(framework: Framework, judged: list[Assessment]) -> Iterable[Section]:
    for function in framework.functions:
        yield Section(f"{function.id}: {function.topic}", f"function-{function.id.lower()}", ())
        for category in framework.categories:
            if category.function != function.id:
                continue
            yield Section(f"{category.id}: {category.topic}", _anchor(category.id), (), level=3)
            for item in judged:
                if item.control.category == category.id:
                    yield _control(item)


def _control(item: Assessment) -> Section:
    control = item.control
    notes = [Note(_asked(item))]
    if control.because:
        notes.append(Note(f"Who can answer ({control.evidence}): {control.because}."))
    return Section(
        f"{control.id}: {control.outcome}",
        _anchor(control.id),
        (*notes, *item.answer.blocks),
        level=4,
        group=control.function,
        state=item.state,
        person="" if item.person == "not needed" else item.person,
    )


def _asked(item: Assessment) -> str:
    asked = []
    if item.control.question:
        asked.append(f"asked of the records: {item.control.question}")
    if item.control.human:
        outside = ", outside this store" if item.control.evidence == "out" else ""
        asked.append(f"asked of a person{outside}: {item.control.human}")
    text = "; ".join(asked)
    return f"{text[:1].upper()}{text[1:]}."


def _anchor(control: str) -> str:
    return control.lower().replace(" ", "-").replace(".", "-")
