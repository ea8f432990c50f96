"""Which sources vote, on whose terms, and how do they do?"""

from __future__ import annotations

from typing import Any

from governance.facts import Facts, short
from governance.lineage.graph import Graph
from governance.project.report import Report, Table, table
from governance.records import LabelModel, Source, Votes


def list_sources(facts: Facts) -> Report:
    """`labeltrail source`: every source version of the current run, its terms and what was learned of it."""
    rows, listed = [], []
    for source in facts.of(Source):
        facts_of = _figures(source, facts)
        flags = _flags(source)
        rows.append(
            (
                source.title,
                source.source_kind,
                source.version,
                _licence(source),
                facts_of["coverage"],
                facts_of["accuracy"],
                ", ".join(flags),
                short(source.name),
            )
        )
        listed.append({"name": source.name, **source.body(), **facts_of, "flags": flags})
    columns = ("source", "kind", "version", "licence", "covers", "learned accuracy", "mind", "name")
    return Report("source", {"sources": listed}, (table(columns, rows),))


def show_source(source: Source, facts: Facts) -> Report:
    """`labeltrail source NAME`: one source version, and what stands on it."""
    figures = _figures(source, facts)
    touched: dict[str, int] = {}
    for step in Graph(facts.edges).reach(source.name, "down"):
        kind = step.name.partition(":")[0]
        touched[kind] = touched.get(kind, 0) + 1
    body: dict[str, Any] = source.body()
    rows = [(field, _plain(value)) for field, value in body.items() if value not in ("", [], None)]
    blocks: list[str | Table] = [
        f"source “{source.title}” {source.name}",
        table(("field", "value"), rows),
        f"covers {figures['coverage'] or 'unknown'}, learned accuracy {figures['accuracy'] or 'unknown'}",
        "led to: " + (", ".join(f"{count} {kind}" for kind, count in sorted(touched.items())) or "nothing yet"),
        *(f"mind: {flag}" for flag in _flags(source)),
    ]
    data = {"name": source.name, **body, **figures, "flags": _flags(source), "led_to": touched}
    return Report("source", data, tuple(blocks))


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
