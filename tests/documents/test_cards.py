"""Do cards and report say what the records say, the same each time, and nothing else?"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from documents.told_facts import datasets, learned, sources
from huggingface_hub import DatasetCard, ModelCard

from governance.audit import report
from governance.claims import PERSON, RECORD, SORTS, UNHELD, Claim, Document, Gap, Tally, Thread, labels
from governance.claims.states import STATES
from governance.digest import sha256
from governance.documents import (
    check_document,
    check_markdown,
    dataset_card,
    document_record,
    model_card,
    render_html,
    render_markdown,
)
from governance.documents.front_matter import licence, size
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.facts import Facts
from governance.records import Attestation, Dataset, Finding, LabelModel, Model, Record

Build = Callable[[Facts], Document]


def test_every_claim_can_be_checked(build: Build, facts: Facts, templates: Path):
    """No sentence is without evidence in the facts, as data and as Markdown."""
    document = build(facts)
    assert document.claims
    assert check_document(document, facts) == []
    assert check_markdown(render_markdown(document, templates), facts) == []


def test_no_facts_make_no_claims(build: Build, templates: Path):
    """Without facts a document claims nothing, says so in each section, counts its silences and still renders."""
    document = build(Facts())
    assert document.claims == ()
    assert document.cites == ()
    assert len(document.gaps) > 20
    text = render_markdown(document, templates)
    assert check_document(document, Facts()) == []
    assert check_markdown(text, Facts()) == []
    assert text.count("not recorded — ") >= len(document.gaps)


def test_every_missing_kind_is_a_silence(build: Build, facts: Facts, templates: Path):
    """Leaving out any kind of record breaks no document, and no sentence cites what is not there."""
    for kind in sorted({record.kind for record in facts}):
        without = Facts(record for record in facts if record.kind != kind)
        document = build(without)
        assert check_document(document, without) == [], kind
        assert check_markdown(render_markdown(document, templates), without) == [], kind


def test_each_record_alone_can_be_told(build: Build, facts: Facts):
    """A document of any single record stands on that record at most."""
    for record in facts:
        alone = Facts([record])
        assert check_document(build(alone), alone) == []


def test_repetition_gives_the_same_bytes(build: Build, facts: Facts, templates: Path):
    """The same facts, also in another order, give the same document, data and bytes."""
    shuffled = list(facts)
    random.Random(11).shuffle(shuffled)  # noqa: S311
    first, again = build(facts), build(Facts(shuffled))
    assert first == again
    assert json.dumps(first.to_json()) == json.dumps(again.to_json())
    assert render_markdown(first, templates) == render_markdown(again, templates)


def test_the_document_as_data_is_plain_json(build: Build, facts: Facts):
    """The document as JSON has a schema version, its counts, and survives a round trip."""
    told = build(facts).to_json()
    assert told["schema_version"] == 1
    assert json.loads(json.dumps(told)) == told
    assert told["claims"] == len(build(facts).claims) > 0
    assert told["cites"] == sorted(set(told["cites"]))


def test_the_appendix_lists_exactly_what_is_cited(build: Build, facts: Facts):
    """Every cited record stands in the appendix once, and no other does."""
    document = build(facts)
    assert [name for name, _, _ in document.appendix] == list(document.cites)


def test_nobody_is_called_compliant(build: Build, facts: Facts, templates: Path):
    """The word that nobody here may say stands in no document."""
    assert "complian" not in render_markdown(build(facts), templates).lower()


def test_the_model_card_loads_at_the_hub(facts: Facts, templates: Path):
    """huggingface_hub reads the model card's head, with figures as they were recorded."""
    card = ModelCard(render_markdown(model_card(facts), templates), ignore_metadata_errors=False)
    assert card.data.pipeline_tag == "text-classification"
    assert card.data.license == "other"
    found = {result.metric_type: result.metric_value for result in card.data.eval_results or []}
    evaluation = facts.of(Model) and next(r for r in facts if r.kind == "evaluation")
    recorded = evaluation.metric("accuracy", of="model", slice="domain=tweets")
    assert found["accuracy"] == float(recorded.value)


def test_the_dataset_card_loads_at_the_hub(templates: Path):
    """huggingface_hub reads the dataset card's head: licence, language, size and task come from the facts."""
    collected, screened = datasets(language="en")
    card = DatasetCard(render_markdown(dataset_card(Facts([collected, screened])), templates))
    assert card.data.license == "other"
    assert card.data.to_dict()["license_name"] == "licenseref-third-party"
    assert card.data.to_dict()["license_link"] == "https://example.org/data.tar.gz"
    assert card.data.language == ["en"]
    assert card.data.size_categories == ["1K<n<10K"]
    assert card.data.task_categories == ["text-classification"]
    assert card.data.pretty_name == "reviews"


def test_empty_cards_load_at_the_hub(templates: Path):
    """Also a card of nothing has a head that the hub reads, and claims no licence."""
    for kind, build in ((ModelCard, model_card), (DatasetCard, dataset_card)):
        card = kind(render_markdown(build(Facts()), templates))
        assert card.data.license == "other"
        assert card.data.to_dict()["license_name"] == "not-recorded"


def test_a_licence_known_to_the_hub_is_named_as_the_hub_does():
    """SPDX ids become the hub's, and anything else is `other` with its name; `NO` and `1.10` stay text."""
    assert licence("MIT", unknown="x") == {"license": "mit"}
    assert licence("ODbL-1.0", unknown="x") == {"license": "odbl"}
    assert licence("GPL-3.0-only", unknown="x") == {"license": "gpl-3.0"}
    assert licence("NO", unknown="x") == {"license": "other", "license_name": "no"}
    assert licence("", unknown="not-recorded") == {"license": "other", "license_name": "not-recorded"}


def test_sizes_are_the_hubs_words():
    """A number of rows falls into the hub's size category, borders included."""
    assert [size(rows) for rows in (0, 999, 1000, 23703, 10**6)] == [
        "n<1K",
        "n<1K",
        "1K<n<10K",
        "10K<n<100K",
        "1M<n<10M",
    ]
    assert size(10**13) == "n>1T"


def test_front_matter_is_text_where_yaml_would_guess(templates: Path):
    """A dataset called `NO` or `1.10` keeps its name at the hub."""
    for title in ("NO", "1.10", "null", "2026-01-01"):
        card = DatasetCard(render_markdown(dataset_card(Facts(datasets(title))), templates))
        assert card.data.pretty_name == title


def test_the_newest_model_is_told(facts: Facts):
    """Of two models the last one stated is the one that the card is about."""
    collected, screened = datasets()
    described = sources()
    made: list[Record] = [collected, screened, *described]
    learned(made, described, screened, "first")
    learned(made, described, screened, "second", lift=0.01)
    document = model_card(Facts(made))
    newest = next(r for r in made if isinstance(r, Model) and r.title == "second")
    assert document.title == "Model card: second"
    assert document.about == (newest.name,)
    told = " ".join(item.text for item in document.claims if isinstance(item, Claim))
    assert "0.860 (0.840 to 0.880)" in told
    assert "0.850 (0.830 to 0.870) over" not in told
    change = " ".join(c.text for c in report(Facts(made), as_of="2026-11-22").claims if isinstance(c, Claim))
    before = "that of model “first”, evaluated before it, 0.850 (0.830 to 0.870)"
    assert f"is 0.860 (0.840 to 0.880), {before}, a difference of +0.010." in change
    assert "went from" not in change


def test_the_newest_dataset_is_told():
    """Of two datasets the dataset card tells the last one, and of its two roles the screened one."""
    old, new = datasets("old"), datasets("new")
    document = dataset_card(Facts([*old, *new]))
    assert document.about == (new[1].name,)
    assert dataset_card(Facts([old[0]])).about == (old[0].name,)


def test_figures_stand_beside_majority_vote_and_supervision(facts: Facts):
    """The headline names interval, number of examples, label model, majority vote and supervised reference."""
    told = " ".join(item.text for item in model_card(facts).claims if isinstance(item, Claim))
    assert (
        "Accuracy of the model on tweets is 0.850 (0.830 to 0.870) over 80 examples, beside 0.900 (0.880 to 0.920) of the "
        "label model over 76 examples, 0.880 (0.860 to 0.900) of majority vote over 76 examples "
        "and 0.890 (0.870 to 0.910) of the supervised reference"
    ) in told
    assert "On nyt, which the model never saw, its accuracy is 0.555 (0.535 to 0.575) (-0.295 against tweets)" in told
    assert "figures of source vader on tweets are not independent evidence" in told


def test_a_figure_without_a_value_is_unknown(facts: Facts, templates: Path):
    """What could not be measured reads as unknown, on the card and in words."""
    text = render_markdown(model_card(facts), templates)
    assert "Not measured, and therefore unknown: 1 figure, on coverage 0 sources" in text


def test_a_persons_statement_ends_a_silence(facts: Facts, templates: Path):
    """Intended use is a silence until a person states it, and then stands with name, role and end."""
    before = model_card(facts)
    stated = Attestation.make(
        control="MAP 1.1", statement="For the weekly report", by="A. Ode", role="owner", made="2026-01-01",
        expires="2027-01-01",
    )  # fmt: skip
    after = model_card(facts | Facts([stated]))
    assert len(after.gaps) == len(before.gaps) - 1
    text = render_markdown(after, templates)
    assert "**A person states:** Intended use of the model: For the weekly report. Stated by A. Ode (owner)" in text


def test_the_record_of_a_document_counts_its_silences(build: Build, facts: Facts):
    """The record of a document names what it is about, all it cites, and both counts; it can be read again."""
    document = build(facts)
    record = document_record(document, sha256=sha256(b"x"), form="Markdown")
    assert record.cites == document.cites
    assert (record.claims, record.not_recorded) == (len(document.claims), len(document.gaps))
    assert set(record.about) <= {item.name for item in facts}


def test_the_report_tells_ten_lines_then_gaps_then_controls(facts: Facts):
    """The report begins with ten lines, goes on with the gaps and then judges all 72 subcategories."""
    document = report(facts, as_of="2026-11-22")
    titles = [section.anchor for section in document.sections]
    assert titles[0] == "summary"
    lines = [block for block in document.sections[0].blocks if type(block).__name__ != "Note"]
    assert len(lines) == 10
    assert titles.index("gaps") < titles.index("function-govern")
    assert sum(bool(section.state) for section in document.sections) == 72
    assert sum(section.level == 3 for section in document.sections) == 19


def test_a_report_needs_a_day_and_a_framework(facts: Facts):
    """A day that is none and a framework that is none are refused by name."""
    with pytest.raises(InvalidRecord, match="as_of"):
        report(facts, as_of="soon")
    with pytest.raises(UnknownName):
        report(facts, "nist", as_of="2026-11-22")


def test_an_older_report_is_no_evidence(facts: Facts):
    """A report that was recorded before changes nothing in the next one."""
    document = report(facts, as_of="2026-11-22")
    record = document_record(document, sha256=sha256(b"x"), form="HTML")
    assert report(facts | Facts([record]), as_of="2026-11-22") == document


def test_templates_are_where_the_caller_says(build: Build, facts: Facts, tmp_path: Path, templates: Path):
    """A missing folder, a missing template, an undefined name and a syntax error are one clear error each."""
    document = build(facts)
    name = f"{document.kind}.md.j2"
    with pytest.raises(ConfigurationError, match="no such folder"):
        render_markdown(document, tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="no template"):
        render_markdown(document, tmp_path)
    for text, says in (
        ("{{ documnet.title }}", "documnet"),
        ("{% for %}", "line 1"),
        ("{{ document.titel }}", "titel"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=says):
            render_markdown(document, tmp_path)
    (tmp_path / name).write_text("{{ document }}", encoding="utf-8")
    with pytest.raises(InvalidRecord, match="Document"):
        render_markdown(document, tmp_path)


def test_a_card_has_no_page_of_its_own(facts: Facts, templates: Path):
    """A document without an HTML template is refused with the templates that there are."""
    with pytest.raises(ConfigurationError) as caught:
        render_html(model_card(facts), templates)
    assert "audit_report.html.j2" in str(caught.value.hint)


def told_of(document: Document) -> list[str]:
    return [block.text for section in document.sections for block in section.blocks if isinstance(block, Claim)]


def lines_below(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_the_gaps_follow_the_summary_in_three_lists(facts: Facts, templates: Path):
    """Markdown, HTML and JSON tell the three sorts of gap apart, count each, and list them right after the summary."""
    document = report(facts, as_of="2026-11-22")
    anchors = [section.anchor for section in document.sections]
    assert anchors[:4] == ["summary", "gaps", "gaps-unheld", "gaps-person"]
    counts = {sort: sum(gap.sort == sort for gap in document.gaps) for sort in SORTS}
    assert all(counts.values())
    lists = {section.anchor: section for section in document.sections}
    for sort, anchor in zip(SORTS, anchors[1:4], strict=True):
        own = [block for block in lists[anchor].blocks if isinstance(block, Gap)]
        assert {gap.sort for gap in own} == {sort}
        assert len(own) == counts[sort]
    (tally,) = [block for block in lists["summary"].blocks if isinstance(block, Tally) and block.what == "gaps"]
    assert dict(tally.counts) == counts
    text = render_markdown(document, templates)
    assert lines_below(text, "Gaps: what a record could hold").count("`labeltrail repro`") == counts[RECORD]
    unheld = lines_below(text, "Gaps: what no kind of record holds yet")
    assert (
        unheld.count(
            ": not recorded — no kind of record holds this yet; a stand-in, which leaves the gap: `labeltrail attest "
        )
        == (counts[UNHELD])
    )
    assert "Only a person" not in unheld
    assert (
        lines_below(text, "Gaps: what only a person can state").count("**Only a person can state:**") == counts[PERSON]
    )
    page = render_html(document, templates)
    listed = page[page.index('id="gaps"') : page.index('id="overview"')]
    found = [listed.count(f'<li class="{sort}">') for sort in ("gap", "unheld", "person")]
    assert found == [counts[sort] for sort in SORTS]
    blocks = [block for section in document.to_json()["sections"][1:4] for block in section["blocks"]]
    gaps = [block for block in blocks if block["block"] == "not recorded"]
    assert {sort: sum(gap["sort"] == sort for gap in gaps) for sort in SORTS} == counts
    assert all(gap["closes"] == (gap["sort"] != UNHELD) for gap in gaps)


def test_a_gap_is_long_in_its_list_and_short_in_its_control(facts: Facts, templates: Path):
    """The whole attest command stands once for each control that asks a person; the control itself names its beginning."""
    text = render_markdown(report(facts, as_of="2026-11-22"), templates)
    control = text.split("#### GOVERN 1.2: ", 1)[1].split("#### ", 1)[0]
    assert '`labeltrail attest "GOVERN 1.2" …`' in control
    assert "--statement" not in text.split("\n## Overview\n", 1)[1]
    assert text.count('`labeltrail attest "GOVERN 1.2" --statement') == 1


def test_the_day_of_judging_is_explained(facts: Facts, templates: Path):
    """A report judged on a day long past says that only expiry is judged on that day."""
    text = render_markdown(report(facts, as_of="2019-01-01"), templates)
    assert text.startswith("# NIST AI RMF report, expiry judged as of 2019-01-01\n")
    assert "> Only expiry is judged as of 2019-01-01: " in text
    assert "Everything else is what the current runs recorded, whenever that was." in text


def test_contents_lead_to_every_section(facts: Facts, templates: Path):
    """Each section of the report has one link whose anchor is the one that its heading gets."""
    text = render_markdown(report(facts, as_of="2026-11-22"), templates)
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    links = re.findall(r"^\d+\. \[(.+)\]\(#(.+)\)$", text, re.MULTILINE)
    assert [title for title, _ in links] == [title for title in titles if title != "Evidence"]
    assert dict(links)["Gaps: what a record could hold"] == "gaps-what-a-record-could-hold"
    assert len({anchor for _, anchor in links}) == len(links)


def test_overview_and_legend_are_tables(facts: Facts, templates: Path):
    """Counts stand in one row a function and meanings in one row a state."""
    text = render_markdown(report(facts, as_of="2026-11-22"), templates)
    assert (
        len(re.findall(r"^\| (?:GOVERN|MAP|MEASURE|MANAGE), .*: \d+ subcategories( \| \d+)+ \|$", text, re.MULTILINE))
        == 4
    )
    legend = lines_below(text, "How to read a state").split("\n")
    assert sum(line.startswith("| ") for line in legend) == len(STATES) + 2


def test_the_model_card_is_ordered_for_readers(facts: Facts):
    """What it is, intended use, limits and performance come first, parameters late."""
    titles = [section.title for section in model_card(facts).sections]
    assert titles[:4] == ["What it is", "Intended use", "Limits", "Performance"]
    assert titles.index("Size and parameters of training") > titles.index("Label model")
    first = [claim.text for claim in model_card(facts).sections[0].blocks if isinstance(claim, Claim)]
    assert not any("Parameters" in text for text in first)


def test_macro_means_say_so(facts: Facts, templates: Path):
    """Precision, recall and F1 are named as macro means in tables and in the head of the card."""
    text = render_markdown(model_card(facts), templates)
    assert "| macro F1 |" in text
    assert "| F1 |" not in text
    assert "macro means: computed for each class, then averaged with equal weight" in text
    results = ModelCard(text, ignore_metadata_errors=False).data.eval_results or []
    (f1,) = [result for result in results if result.metric_type == "f1"]
    assert (f1.metric_name, f1.metric_args) == ("macro F1 on tweets", {"average": "macro"})


def test_how_the_prior_was_chosen_is_a_sentence(facts: Facts):
    """A parameter that is a sentence stands on its own, and not among the numbers."""
    chosen = Facts(
        LabelModel.make(**{**record.body(), "parameters": {"prior": "100", "prior_chosen_on": "no gold; a guess"}})
        if isinstance(record, LabelModel)
        else record
        for record in facts
    )
    answer = labels.learned(replace(Thread.of_model(facts), label_model=chosen.one(LabelModel)))
    told = [claim.text for claim in answer.claims]
    assert "How the prior was chosen: no gold; a guess." in told
    assert "Parameters of the label model: prior 100." in told


def test_a_statement_on_terms_is_no_licence(facts: Facts):
    """What a person states on third parties is shown beside the missing licence of the model and does not fill it in."""
    stated = Attestation.make(
        control="GOVERN 6.1", statement="We read all terms", by="A. Ode", role="counsel", made="2026-01-01",
        expires="2027-01-01",
    )  # fmt: skip
    for given in (facts, facts | Facts([stated])):
        assert any(gap.text.startswith("licence of the model") and gap.sort == UNHELD for gap in model_card(given).gaps)
    assert any(
        text.startswith("On GOVERN 6.1: We read all terms.") for text in told_of(model_card(facts | Facts([stated])))
    )


def test_each_figure_says_which_side_of_screening_it_is_on():
    """Counts and findings of two dataset versions name the one each is about, and no two sentences read alike."""
    collected, screened = datasets(counts={"exact duplicates": 74, "texts read": 900, "single ratings": 7})
    collected = Dataset.make(**{**collected.body(), "rows": 1003})
    screened = Dataset.make(
        **{
            **screened.body(),
            "counts": {"exact duplicates": 72, "rows in quarantine": 3},
            "derived_from": [collected.name],
        }
    )
    says = "0 of 200 test texts also appear in the train split"
    leaks = [
        Finding.make(
            check="leakage", subject=item.name, outcome="pass", measured="0.0", limit="0.0", says=says, contract=None
        )
        for item in (collected, screened)
    ]
    document = dataset_card(Facts([collected, screened, *leaks]))
    below = {section.title: [b.text for b in section.blocks if isinstance(b, Claim)] for section in document.sections}
    split = " ".join(below["Splits and duplicates"])
    assert "Exact duplicates: 74 before screening and 72 after screening." in split
    assert f"leakage (pass), dataset before screening: {says}." in split
    assert f"leakage (pass), dataset after screening: {says}." in split
    assert "Texts read" not in split
    assert "Single ratings" not in split
    assert "Texts read: 900 before screening." in below["Collection and origin"]
    assert "Single ratings: 7 before screening." in below["Gold labels and rating noise"]
    assert "Rows in quarantine: 3 after screening." in below["Checks and quarantine"]
    assert any("dataset before screening" in line for _, kind, line in document.appendix if kind == "finding")


def test_the_page_can_be_read_on_a_narrow_screen(templates: Path):
    """Below 40 rem the overview stacks, so that its first column keeps its words whole."""
    css = (templates / "audit_report.html.j2").read_text(encoding="utf-8")
    narrow = css.split("@media (max-width: 40rem) {", 1)[1].split("@media print", 1)[0]
    assert ".stack td { display: block" in narrow
    assert '<table class="stack">' in css
