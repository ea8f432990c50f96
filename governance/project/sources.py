"""Which sources vote, on whose terms, and how do they do?"""

from __future__ import annotations

from typing import Any

from governance.facts import Facts, short
from governance.lineage.graph import Graph
from governance.project.report import Report, Table, table
from governance.project.source_decisions import standing
from governance.records import LabelModel, Source, SourceText, Votes


def list_sources(facts: Facts, everything: Facts) -> Report:
    """`labeltrail source list`: every source version of the current run, its terms and what was learned of it.

    Who approved it stands in the whole log.
    """
    rows, listed = [], []
    for source in facts.of(Source):
        facts_of = _figures(source, facts)
        decided = standing(source, everything)
        flags = _flags(source)
        approved = decided.approver(source)
        rows.append(
            (
                source.title,
                source.source_kind,
                source.version,
                _licence(source),
                facts_of["coverage"],
                facts_of["accuracy"],
                approved or "nobody",
                ", ".join([*flags, *_expired(decided.since)]),
                short(source.name),
            )
        )
        decisions = {"approved_by": approved, "expired_since": decided.since}
        listed.append({"name": source.name, **_body(source), **facts_of, "flags": flags, **decisions})
    columns = ("source", "kind", "version", "licence", "covers", "learned accuracy", "approved by", "mind", "name")
    return Report("source", {"sources": listed}, (table(columns, rows),))


def show_source(source: Source, facts: Facts) -> Report:
    """`labeltrail source show NAME`: one source version, what its code says, who decided about it, what stands on it."""
    figures = _figures(source, facts)
    touched: dict[str, int] = {}
    for step in Graph(facts.edges).reach(source.name, "down"):
        kind = step.name.partition(":")[0]
        touched[kind] = touched.get(kind, 0) + 1
    body = _body(source)
    rows = [(field, _plain(value)) for field, value in body.items() if value not in ("", [], None)]
    silent = [field for field, value in body.items() if value in ("", []) and field != "opaque"]
    decided = standing(source, facts)
    texts = [text for text in facts.of(SourceText) if text.source == source.name]
    code = {part.path: part.text for text in texts[-1:] for part in text.parts}
    blocks: list[str | Table] = [
        f"source “{source.title}” {source.name}",
        table(("field", "value"), rows),
        *([f"not recorded: {', '.join(silent)}"] if silent else []),
        f"approved by: {decided.approver(source) or 'nobody'}",
        *_expired(decided.since),
        *(table(("line", path), enumerate(text.splitlines(), start=1)) for path, text in code.items()),
        f"covers {figures['coverage'] or 'unknown'}, learned accuracy {figures['accuracy'] or 'unknown'}",
        "led to: " + (", ".join(f"{count} {kind}" for kind, count in sorted(touched.items())) or "nothing yet"),
        *(f"mind: {flag}" for flag in _flags(source)),
    ]
    data = {
        **{"name": source.name, **body, **figures, "flags": _flags(source), "led_to": touched, "not_recorded": silent},
        **{"approved_by": decided.approver(source), "expired_since": decided.since, "code": code},
    }
    return Report("source", data, tuple(blocks))


def _body(source: Source) -> dict[str, Any]:
    """Every field; those that an earlier form of the record could not hold were not recorded."""
    return source.model_dump(mode="json")


def _expired(since: str) -> list[str]:
    return [f"expired by a decision since {since}"] if since else []


def _figures(source: Source, facts: Facts) -> dict[str, str]:
    coverage = accuracy = ""
    for votes in facts.of(Votes):
        for column in votes.sources:
            if column.source == source.name and votes.rows:
                coverage = f"{100 * votes.voted_by(column) / votes.rows:.1f} %"
    for fitted in facts.of(LabelModel):
        for learned in fitted.learned:
            if learned.source == source.name:
                accuracy = f"{100 * float(learned.accuracy):.1f} %"
    return {"coverage": coverage, "accuracy": accuracy}


def _licence(source: Source) -> str:
    if source.licence_conflict:
        return f"{source.licence_declared} declared, {source.licence_found} found"
    return source.licence_found


def _flags(source: Source) -> list[str]:
    flags = ["licence conflict"] if source.licence_conflict else []
    flags += [f"has seen {c.domain}" for c in source.contamination]
    flags += ["personal data"] if source.personal_data else []
    flags += [f"expires {source.expiry}"] if source.expiry else []
    flags += [f"opaque: {name}" for name in source.opaque]
    return flags


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {inner}" for key, inner in value.items())
    return str(value)
