"""Does the check of documents find every sentence that nobody could check?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from governance.audit import report
from governance.claims import (
    PERSON,
    RECORD,
    REPRO,
    UNHELD,
    Claim,
    Document,
    Gap,
    Note,
    Row,
    Section,
    Table,
    Tally,
    attest,
    claim,
)
from governance.claims.model import Answer
from governance.documents import check_document, check_markdown, model_card, render_markdown, require_sound
from governance.errors import InvalidRecord, MissingEvidence
from governance.facts import Facts

NOBODY = "model:" + "0" * 64


def document(*blocks: object, **fields: object) -> Document:
    told = Document("model_card", "A card", (Section("One", "one", blocks),), {}, ())  # type: ignore[arg-type]
    return replace(told, appendix=tuple((name, "model", "x") for name in told.cites), **fields)  # type: ignore[arg-type]


def reasons(given: Document, facts: Facts | None = None) -> list[str]:
    return [fault.why for fault in check_document(given, facts or Facts())]


def test_a_sentence_without_evidence_cannot_be_made():
    """A claim or a table row without a record is refused when it is made, and so is a row of the wrong width."""
    with pytest.raises(InvalidRecord, match=r"claim\.evidence"):
        claim("The model is excellent.")
    with pytest.raises(InvalidRecord, match=r"row\.evidence"):
        Row(("a",), ())
    with pytest.raises(InvalidRecord, match=r"row\.cells"):
        Table("t", ("a", "b"), (Row(("a",), (NOBODY,)),))


def test_evidence_that_nobody_has_is_found():
    """A claim and a table row on a record outside the facts are faults that name the record."""
    assert reasons(document(Claim("It is so.", (NOBODY,)))) == [f"{NOBODY} is not in the facts"]
    table = Table("t", ("a",), (Row(("x",), (NOBODY,)),))
    assert reasons(document(table)) == [f"{NOBODY} is not in the facts"]


def test_a_silence_without_a_way_out_is_found():
    """A silence has to name a command that this library has."""
    assert reasons(document(Gap("the owner", REPRO))) == []
    assert reasons(document(Gap("the owner", attest("MAP 1.1"), sort=UNHELD))) == []
    assert "no command" in reasons(document(Gap("the owner", "ask somebody")))[0]


def test_a_way_out_of_another_sort_is_found():
    """A statement makes no record, and no run makes a statement."""
    assert "no command that fits" in reasons(document(Gap("the owner", attest("MAP 1.1"))))[0]
    for sort in (UNHELD, PERSON):
        assert "no command that fits" in reasons(document(Gap("the owner", REPRO, sort=sort)))[0]


def test_a_wrong_count_is_found():
    """A tally is counted again, over states and over silences, in all and in its group."""
    state = Section(
        "MAP 1.1", "map-1-1", (Gap("a", REPRO), Gap("b", attest("MAP 1.1"), sort=PERSON)), group="MAP", state="missing"
    )
    right = [
        Tally("", "all", (("missing", 1),)),
        Tally("MAP", "MAP", (("missing", 1),)),
        Tally("MEASURE", "MEASURE", ()),
        Tally("", "silent", ((RECORD, 1), (PERSON, 1)), "gaps"),
    ]
    wrong = [
        Tally("", "all", (("present", 1),)),
        Tally("MEASURE", "MEASURE", (("missing", 1),)),
        Tally("", "silent", ((RECORD, 2),), "gaps"),
    ]
    for tally in right:
        assert reasons(replace(document(tally), sections=(Section("s", "s", (tally,)), state))) == []
    for tally in wrong:
        assert reasons(replace(document(tally), sections=(Section("s", "s", (tally,)), state))) == [
            "the document does not hold so many"
        ]


def test_an_appendix_that_lies_is_found(facts: Facts):
    """Cited and not listed, listed and not cited, and about something unknown are faults."""
    name = next(iter(facts)).name
    told = document(Claim("It is so.", (name,)))
    assert reasons(told, facts) == []
    assert reasons(replace(told, appendix=()), facts) == ["cited and not listed"]
    assert "listed and not cited" in reasons(replace(told, appendix=(*told.appendix, (NOBODY, "model", "x"))), facts)
    assert reasons(replace(told, about=(NOBODY,)), facts) == ["not in the facts"]


def test_a_note_needs_no_evidence_and_a_stranger_is_no_block():
    """Notes help to read; anything that is none of the known blocks is a fault."""
    assert reasons(document(Note("How to read."))) == []
    assert reasons(replace(document(), sections=(Section("One", "one", ("text",)),))) == [  # type: ignore[arg-type]
        "no block that this library knows"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "The model is excellent.",
        "- The model is excellent.",
        "- The model is excellent. [`model:000000000000`]",
        "- The model is excellent. [`model:000000000000`] indeed",
        "- The owner: not recorded",
        "- The owner: not recorded — `ask somebody`",
        "- The owner: not recorded — labeltrail repro",
        "| a | b |",
        "1. The model is excellent.",
        "  The model is excellent.",
        "**The model** is excellent.",
        "A line [counted in this document]",
        "1. [The model is excellent](#performance)",
        "| MODEL: 1 subcategories | 1 |",
        "- The owner: not recorded — edit it, then `labeltrail repro`",
        "- Owner: not recorded — no kind of record holds this yet; a stand-in, which leaves the gap: `labeltrail repro`",
    ],
)
def test_a_line_without_evidence_is_found(line: str, facts: Facts, templates: Path):
    """One sentence too many in rendered Markdown is found, wherever it stands."""
    text = render_markdown(model_card(facts), templates)
    assert check_markdown(text, facts) == []
    lines = text.split("\n")
    for place in (lines.index("## Performance") + 1, len(lines) - 1):
        changed = "\n".join([*lines[:place], line, *lines[place:]])
        (fault,) = check_markdown(changed, facts)
        assert fault.says == line
        assert fault.place == f"line {place + 1}"


def test_changed_evidence_is_found(facts: Facts, templates: Path):
    """One altered digit in a name makes the sentence a fault."""
    text = render_markdown(model_card(facts), templates)
    name = next(record for record in facts if record.kind == "model").name[:18]
    other = name[:-1] + ("0" if name[-1] != "0" else "1")
    assert check_markdown(text.replace(f"[`{name}", f"[`{other}", 1), facts)


def test_faults_stop_who_asks():
    """The first fault is quoted with its place; without faults nothing happens."""
    require_sound([], what="a card")
    with pytest.raises(MissingEvidence, match="It is so"):
        require_sound(check_document(document(Claim("It is so.", (NOBODY,))), Facts()), what="a card")


def test_answers_add_up_without_repetition():
    """Two answers together say each sentence and each silence once, in order."""
    one = Answer((Claim("a", (NOBODY,)),), (Gap("x", REPRO),))
    two = Answer((Claim("b", (NOBODY,)), Claim("a", (NOBODY,))), (Gap("x", REPRO),))
    assert [item.text for item in (one + two).claims] == ["a", "b"]
    assert len((one + two).gaps) == 1


def test_a_sentence_said_twice_counts_once():
    """Claims and silences are counted once, however often they are printed."""
    told = document(Claim("a", (NOBODY,)), Claim("a", (NOBODY,)), Gap("x", REPRO), Gap("x", REPRO, of=("MAP 1.1",)))
    assert (len(told.claims), len(told.gaps)) == (1, 1)


def test_what_the_report_counts_is_counted_again(facts: Facts, templates: Path):
    """A changed count, a legend of other words and a link to no heading are faults; the report as written has none."""
    text = render_markdown(report(facts, as_of="2026-11-22"), templates)
    assert check_markdown(text, facts) == []
    row = next(line for line in text.split("\n") if line.startswith("| MAP, "))
    cells = row.split(" | ")
    wrong = " | ".join([*cells[:1], str(int(cells[1]) + 1), *cells[2:]])
    for before, after in (
        (row, wrong),
        (row, row.replace("18 subcategories", "17 subcategories")),
        (row, row.replace("| MAP, ", "| MOP, ")),
        ("| ● present | the records answer, and nothing", "| ● present | the records are excellent, and nothing"),
        ("(#gaps-what-a-record-could-hold)", "(#gaps-that-there-are-none)"),
        ("1. [Summary](#summary)", "1. [All is well](#summary)"),
    ):
        assert before in text
        (fault,) = check_markdown(text.replace(before, after, 1), facts)
        assert after in fault.says
