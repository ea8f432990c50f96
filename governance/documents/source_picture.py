"""How do the sources look side by side? One SVG: a bar for what each says, a map of who agrees with whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from governance.documents.drawing import (
    COLOURS,
    LABEL,
    MARGIN,
    box,
    cut,
    escaped,
    legend,
    number,
    percent,
    place,
    sheet,
    text,
)

_ROW, _BAR = 24, 400
_MAP_MOST, _CELL_MOST = 640, 44
#: with more sources than this, a cell is too small to be pointed at
_POINTED_AT = 60
_LEGEND = (
    ("conflict", "contradicts another"),
    ("meets", "agrees with all others that vote"),
    ("alone", "votes alone"),
    ("error", "error"),
)


@dataclass(frozen=True)
class Bar:
    """What one source says, in shares of all rows: overlaps are part of coverage, conflicts are part of overlaps."""

    title: str
    coverage: float
    overlaps: float
    conflicts: float
    errors: float


@dataclass(frozen=True)
class Panel:
    """One vote set. `both[i][j]`: rows on which two sources vote, `agreed[i][j]`: those on which they say the same;
    `copies` are pairs of indices that somebody should look at."""

    title: str
    says: str
    bars: Sequence[Bar]
    both: Sequence[Sequence[int]]
    agreed: Sequence[Sequence[int]]
    copies: frozenset[tuple[int, int]] = frozenset()


def picture(panels: Sequence[Panel]) -> str:
    """A whole SVG file: the same panels give the same text. It loads nothing, runs nothing and names nothing by an id.

    Colours are attributes, so that it is readable where style sheets are taken away; a dark system swaps them.
    """
    drawn: list[str] = []
    top: float = MARGIN
    for panel in panels:
        top = _draw(panel, top, drawn)
    if not panels:
        drawn.append(text(MARGIN, top + 16, "There are no votes yet.", size=16))
        top += 40
    told = "; ".join(f"{panel.title}: {panel.says}" for panel in panels) or "There are no votes yet."
    return sheet(drawn, title="What the sources say", says=told, bottom=top)


def _draw(panel: Panel, top: float, drawn: list[str]) -> float:
    """Draws one vote set below `top`; answers where the next one begins."""
    drawn.append(text(MARGIN, top + 14, panel.title, size=18, weight=600))
    drawn.append(text(MARGIN, top + 36, panel.says, colour="faint"))
    top += 64
    drawn.extend(legend(_LEGEND, top))
    top += 22
    for bar in panel.bars:
        drawn.extend(_bar(bar, top))
        top += _ROW
    drawn.extend(_scale(top))
    top += 48
    return _map(panel, top, drawn) if len(panel.bars) > 1 else top


def _bar(bar: Bar, top: float) -> Iterator[str]:
    x, middle = float(MARGIN + LABEL), top + 16
    told = (
        f"{bar.title}: votes on {percent(bar.coverage)} of the rows, with another source on {percent(bar.overlaps)}, "
        f"contradicts one on {percent(bar.conflicts)}, errors on {percent(bar.errors)}"
    )
    yield f"<g><title>{escaped(told)}</title>"
    yield text(x - 10, middle, cut(bar.title, 24), anchor="end")
    yield box(x, top + 4, _BAR, 15, "track")
    parts = (bar.conflicts, bar.overlaps - bar.conflicts, bar.coverage - bar.overlaps, bar.errors)
    for (colour, _), share in zip(_LEGEND, parts, strict=True):
        if share > 0:
            yield box(x, top + 4, share * _BAR, 15, colour)
            x += share * _BAR
    says = f"{percent(bar.coverage)} covered, {percent(bar.conflicts)} in conflict"
    if bar.errors:
        says += f", {percent(bar.errors)} errors"
    yield text(MARGIN + LABEL + _BAR + 12, middle, says, size=12, colour="faint") + "</g>"


def _scale(top: float) -> Iterator[str]:
    for quarter in range(5):
        x = MARGIN + LABEL + _BAR * quarter / 4
        anchor = ("start", "middle", "middle", "middle", "end")[quarter]
        yield text(x, top + 14, f"{25 * quarter} %", size=11, anchor=anchor, colour="faint")
    yield text(MARGIN + LABEL + _BAR + 12, top + 14, "of all rows", size=11, colour="faint")


def _map(panel: Panel, top: float, drawn: list[str]) -> float:
    many = len(panel.bars)
    cell = min(_CELL_MOST, _MAP_MOST // many if many <= _POINTED_AT else _MAP_MOST / many)
    left = MARGIN + LABEL
    drawn.append(
        text(MARGIN, top, "How often do two sources agree, of the rows on which both vote?", size=15, weight=600)
    )
    # Names above the columns lean, so that they need no more room than their own height.
    top += 20 + (110 if cell >= 10 else 0)
    for i, bar in enumerate(panel.bars):
        if cell >= 10.0:
            x, y = left + cell * (i + 0.5), top - 8
            drawn.append(text(x, y, cut(bar.title, 18), size=12, turn=f"rotate(-50 {number(x)} {number(y)})"))
            drawn.append(text(left - 10, top + cell * (i + 0.5) + 4, cut(bar.title, 24), anchor="end"))
        for j in range(many):
            drawn.extend(_cell(panel, i, j, left + cell * j, top + cell * i, cell))
    # Marks are drawn over all cells, so that no neighbour covers half of one.
    for i, j in sorted({pair for one in panel.copies for pair in (one, one[::-1])}):
        drawn.append(_mark(left + cell * j + 1, top + cell * i + 1, cell - 2))
    bottom = top + cell * many + 26
    drawn.extend(_key(left, bottom, copies=bool(panel.copies)))
    return bottom + 44


def _cell(panel: Panel, i: int, j: int, x: float, y: float, cell: float) -> Iterator[str]:
    both, agreed = panel.both[i][j], panel.agreed[i][j]
    one, other = panel.bars[i].title, panel.bars[j].title
    share = agreed / both if both else None
    told = f"{one} and {other} never vote on the same row"
    if i == j:
        told = f"{one} votes on {both:,} rows"
    elif share is not None:
        told = f"{one} and {other} agree on {percent(share)} of {both:,} rows on which both vote"
    inner = f"<title>{escaped(told)}</title>" if len(panel.bars) <= _POINTED_AT else ""
    if i == j or share is None:
        fill, says, ink = None, "" if i == j else "–", "faint"
    else:
        fill, says, ink = _shade(share), f"{100 * share:.0f}", ""
    where = place(x, y, cell, cell)
    line = ' class="lt-line" stroke="#ffffff" stroke-width="1"' if cell >= 10 else ""
    if fill is None:
        stroke = ' stroke="#ffffff" stroke-width="1"' if line else ""
        paper = f'fill="{COLOURS["track"][0]}" class="lt-track{" lt-line" if line else ""}"{stroke}'
        yield f"<rect {where} {paper}>{inner}</rect>" if inner else f"<rect {where} {paper}/>"
    else:
        yield f'<rect {where} fill="{fill}"{line}>{inner}</rect>' if inner else f'<rect {where} fill="{fill}"{line}/>'
    if cell >= 20 and says:
        text_x, text_y = x + cell / 2, y + cell / 2 + 4
        if ink:
            yield text(text_x, text_y, says, size=12, anchor="middle", colour=ink)
        else:
            # Letters on a shade are dark or light by the shade, whatever the reader's system prefers.
            letters = "#ffffff" if (share or 0) > 0.66 else "#1c2126"
            yield (
                f'<text x="{number(text_x)}" y="{number(text_y)}" font-size="12" text-anchor="middle" '
                f'pointer-events="none" fill="{letters}">{says}</text>'
            )


def _key(left: float, top: float, *, copies: bool) -> Iterator[str]:
    yield text(left, top, "agree: never", size=12, colour="faint")
    x = left + 84
    for step in range(11):
        yield f'<rect {place(x + 14 * step, top - 11, 14, 14)} fill="{_shade(step / 10)}"/>'
    yield text(x + 162, top, "always (numbers in %)", size=12, colour="faint")
    x += 318
    yield text(x, top, "–  never meet", size=12, colour="faint")
    if copies:
        x += 100
        yield _mark(x, top - 11, 13)
        yield text(x + 22, top, "may be a copy: to review", size=12, colour="faint")


def _mark(x: float, y: float, side: float) -> str:
    return f'<rect {place(x, y, side, side)} fill="none" stroke="#d9730d" stroke-width="3"/>'


def _shade(share: float) -> str:
    """From pale to deep blue, evenly in each channel."""
    pale, deep = (238, 244, 250), (12, 68, 124)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(pale, deep, strict=True))
