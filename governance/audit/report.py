"""What does a framework's report say: a summary, the gaps, every control with its state, and everything cited?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from governance.audit.assess import Assessment, assess
from governance.audit.attestations import day
from governance.audit.summary import states, summary
from governance.claims import Block, Document, Gap, Note, Section, Tally, Thread
from governance.claims.entry import appendix
from governance.claims.states import STATES
from governance.controls import Framework, load_framework
from governance.facts import Facts

_READ = Note(
    "Every sentence ends with the records that it stands on; the appendix lists them, and labeltrail show opens each. A "
    "state says which evidence is at hand. Whether that evidence is good enough is for those who "
    "read it to judge."
)


def report(facts: Facts, framework: str = "nist_ai_rmf", *, as_of: str) -> Document:
    """The report on `framework`, judged as of a date YYYY-MM-DD. Raises UnknownName, InvalidRecord."""
    day(as_of, field="as_of", where="audit")
    asked = load_framework(framework)
    thread = Thread.of_model(facts)
    judged = assess(facts, asked, as_of=as_of, thread=thread)
    sections = (
        Section("Summary", "summary", (_READ, *summary(thread, asked, judged))),
        Section("Overview", "overview", tuple(_tallies(asked, judged))),
        Section(
            "How to read a state",
            "states",
            tuple(Note(f"{state}: {words.meaning}.") for state, words in STATES.items()),
        ),
        *_gaps(judged),
        *_controls(asked, judged),
    )
    about = tuple(record.name for record in (thread.model, thread.dataset) if record is not None)
    head = {"framework": framework, "as_of": as_of}
    document = Document("audit_report", f"{asked.short_title} report, as of {as_of}", sections, head, about)
    return replace(document, appendix=appendix(facts, document.cites))


def _tallies(framework: Framework, judged: list[Assessment]) -> Iterable[Tally]:
    for function in framework.functions:
        own = [item for item in judged if item.control.function == function.id]
        yield states(function.id, f"{function.id}, {function.topic}: {len(own)} {framework.units}", own)


def _gaps(judged: list[Assessment]) -> Iterable[Section]:
    """What is not recorded, before anything that is: first what the records lack, then what waits for a person."""
    recorded: dict[Gap, list[str]] = {}
    waiting: dict[Gap, list[str]] = {}
    for item in judged:
        for silence in item.answer.gaps:
            into = waiting if silence.person else recorded
            into.setdefault(silence, []).append(item.control.id)
    yield _listed("Gaps: what is not recorded", "gaps", recorded)
    yield _listed("Gaps: what only a person can state", "gaps-person", waiting)


def _listed(title: str, anchor: str, found: dict[Gap, list[str]]) -> Section:
    blocks: list[Block] = [
        Gap(silence.text, silence.command, silence.edit, silence.person, of=tuple(asking))
        for silence, asking in found.items()
    ]
    return Section(title, anchor, tuple(blocks) or (Note("Nothing is missing here."),))


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
