"""How do counterfactuals and blast radius look? What is unknown is drawn as unknown, and never as nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from governance.documents.drawing import percent
from governance.documents.effect_picture import Cell, Group, Moved, Panel, Silent, Stack, picture
from governance.project.counterfactual.told import WAYS, gold_told, share
from governance.project.report import counted

#: what becomes of a label, and in which colour
_CHANGE = (("conflict", "another label"), ("error", "no label is left"), ("alone", "a label, before none"))
_BESIDE = (("faint", "before"), ("meets", "after, of the rows that still have a label"))
_INTERVAL = ("alone", "95 % interval")
_OF = "of the rows of each part"
#: so many changes or classes have a line of their own
_MOST = 12

Told = Mapping[str, Any]


def whatif_picture(data: Told) -> str:
    """Labels that flip, and accuracy and calibration before and after, by part; the ways beside each other."""
    ways = {way: data[way] for way in WAYS if data[way] is not None}
    panels = [Panel("Which labels change", tuple(ways), _by_part(ways, data["rows"], _changed), _CHANGE, _OF)]
    panels += _pairs(ways, data["rows"])
    if data["gold"] is not None:
        right = _by_part(ways, data["rows"], lambda told: _beside(told, "accuracy"))
        gap = _by_part(ways, data["rows"], lambda told: _beside(told, "ece"))
        legend = (*_BESIDE, _INTERVAL)
        panels.append(Panel(f"How many are right: {data['gold']['says']}", tuple(ways), right, legend, zoomed=True))
        panels.append(Panel("Calibration error", tuple(ways), gap, _BESIDE))
    named = ", ".join(f"{one['title']} {one['version']}".strip() for one in data["without"])
    return picture(f"Without {named}", list(_whatif_notes(data, ways)), panels)


def blast_picture(data: Told) -> str:
    """What a source touched, decided and would let predict otherwise, by part, class and change."""
    named = f"{data['source']['title']} {data['source']['version']}".strip()
    if data["touched"] is None:
        says = "It did not vote in the current votes: what it touched is unknown."
        return picture(f"How far {named} reaches", [says], [])
    touched, tiers = data["touched"], {tier: data[tier] for tier in ("decisive", "predicted")}
    ways = {"touched": {**touched, "touched": touched["rows"]}, **tiers}
    legend = (("meets", "it voted"), *_CHANGE)
    panels = [Panel("How far it reaches", tuple(ways), _by_part(ways, data["rows"], _changed), legend, _OF)]
    panels.append(_said(touched))
    panels += _pairs(tiers, data["rows"])
    return picture(f"How far {named} reaches", list(_blast_notes(data)), panels)


def _said(touched: Told) -> Panel:
    said = sorted(((rows, name) for name, rows in touched["votes"].items()), key=lambda one: (-one[0], one[1]))
    counts = [(f"votes for {name}", rows) for rows, name in said[:_MOST]]
    if rest := said[_MOST:]:
        counts.append((f"{len(rest)} others together", sum(rows for rows, _ in rest)))
    lines = [(name, [_share(rows, touched["rows"], "meets")]) for name, rows in counts]
    return Panel("What it said", ("touched",), [Group("", lines)], of="of the rows on which it voted")


def _by_part(ways: Mapping[str, Told | None], rows: int, cell: Callable[[Told], Cell]) -> list[Group]:
    """All rows, and then every sort of part; `cell` draws one answer about one part."""
    known = {way: told for way, told in ways.items() if told is not None and "unknown" not in told}

    def line(find: Callable[[Told], Told]) -> list[Cell]:
        return [cell(find(known[way])) if way in known else _silent(ways[way]) for way in ways]

    groups = [Group("", [("all rows", line(lambda told: {**told, "rows": rows}))])]
    parts = next(iter(known.values()))["slices"] if known else ()
    for sort, places in itertools.groupby(range(len(parts)), lambda place: parts[place]["slice"].partition("=")[0]):
        lines = [
            (parts[place]["slice"].partition("=")[2], line(lambda told, place=place: told["slices"][place]))
            for place in places
        ]
        groups.append(Group(sort, lines))
    return groups


def _silent(told: Told | None) -> Silent:
    return Silent("not asked" if told is None else "unknown")


def _changed(told: Told) -> Cell:
    """Of one part: a touched row counts as one colour, a changed label by what becomes of it."""
    rows = told["rows"]
    if "touched" in told:
        return _share(told["touched"], rows, "meets")
    gained = told["changed"] - told["flipped"] - told["lost"]
    counts = (told["flipped"], told["lost"], gained)
    parts = tuple((colour, count / rows if rows else 0.0) for (colour, _), count in zip(_CHANGE, counts, strict=True))
    return Stack(parts, _counts(told["changed"], rows))


def _share(count: int, rows: int, colour: str) -> Stack:
    return Stack(((colour, count / rows if rows else 0.0),), _counts(count, rows))


def _counts(count: int, rows: int) -> str:
    return f"{count:,} ({share(count, rows)})" if rows else f"{count:,}"


def _beside(told: Told, what: str) -> Cell:
    before, after = told["before"], told["after"]
    if before is None or after is None:
        return Silent("unknown")
    low, high = ("low", "high") if what == "accuracy" else (what, what)
    was, now = ((float(one[low]), float(one[what]), float(one[high])) for one in (before, after))
    return Moved(was, now, (f" of {before['examples']:,} rows", f" of {after['examples']:,}"))


def _pairs(ways: Mapping[str, Told | None], rows: int) -> Iterator[Panel]:
    """From what to what labels change, those with the most rows first; no panel where nothing is known to."""
    found = {
        way: {(one["was"], one["now"]): one["rows"] for one in told["pairs"]}
        for way, told in ways.items()
        if told is not None and "unknown" not in told
    }
    pairs = {pair for counts in found.values() for pair in counts}
    most = {pair: max(counts.get(pair, 0) for counts in found.values()) for pair in pairs}
    order = sorted(pairs, key=lambda pair: (-most[pair], *map(str, pair)))

    def line(some: Sequence[tuple[str | None, str | None]], colour: str) -> list[Cell]:
        return [
            _share(sum(found[way].get(pair, 0) for pair in some), rows, colour) if way in found else _silent(told)
            for way, told in ways.items()
        ]

    lines = [
        (f"{was or 'no label'} → {now or 'no label'}", line([(was, now)], _colour(was, now)))
        for was, now in order[:_MOST]
    ]
    if rest := order[_MOST:]:
        lines.append((f"{len(rest)} others together", line(rest, "conflict")))
    if lines:
        yield Panel("From what to what", tuple(ways), [Group("", lines)], of="of all rows")


def _colour(was: str | None, now: str | None) -> str:
    return "error" if now is None else "alone" if was is None else "conflict"


def _whatif_notes(data: Told, ways: Mapping[str, Told]) -> Iterator[str]:
    yield f"{counted(data['covered'], 'row')} of {data['rows']:,} {'has' if data['covered'] == 1 else 'have'} a label."
    for way, told in ways.items():
        if "unknown" in told:
            yield f"{WAYS[way]}: unknown, because {told['unknown']} ({told['hint']})."
        else:
            yield f"{WAYS[way]}: {told['flipped']:,} flip, {told['lost']:,} are lost{_measured(told)}."
    for says in gold_told(data["gold"]):
        yield f"{says[0].upper()}{says[1:]}."


def _measured(told: Told) -> str:
    before, after = told["before"], told["after"]
    if before is None or after is None:
        return ""
    was, now = (f"{percent(float(one['accuracy']))} of {one['examples']:,}" for one in (before, after))
    gap = (percent(float(one["ece"])) for one in (before, after))
    return f"; {was} were right and {now} are, the calibration error goes from {' to '.join(gap)}"


def _blast_notes(data: Told) -> Iterator[str]:
    yield f"touched: it voted on {_counts(data['touched']['rows'], data['rows'])} of {counted(data['rows'], 'row')}."
    for tier, says in (
        ("decisive", "have another label or none without its votes"),
        ("predicted", "are predicted otherwise once it taught nothing"),
    ):
        told = data[tier]
        if told is None:
            yield f"{tier}: not asked."
        elif "unknown" in told:
            yield f"{tier}: unknown, because {told['unknown']} ({told['hint']})."
        else:
            yield f"{tier}: {_counts(told['changed'], data['rows'])} {says}."
