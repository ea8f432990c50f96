"""How do the sources look side by side? One SVG: a bar for what each says, a map of who agrees with whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from governance.documents.escape import clean

_WIDTH, _MARGIN, _LABEL, _ROW, _BAR = 960, 28, 190, 24, 400
_MAP_MOST, _CELL_MOST = 640, 44
#: with more sources than this, a cell is too small to be pointed at
_POINTED_AT = 60
#: name: (as it is, where the reader's system is dark)
_COLOURS = {
    "paper": ("#ffffff", "#15191e"),
    "ink": ("#1c2126", "#eceff2"),
    "faint": ("#59636e", "#a7b1bb"),
    "track": ("#eceff2", "#2b323a"),
    "conflict": ("#d9730d", "#f0913a"),
    "meets": ("#1f6fb2", "#4b9be0"),
    "alone": ("#9cc7ea", "#2d5578"),
    "error": ("#8f1d3f", "#e0527d"),
}
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
    top: float = _MARGIN
    for panel in panels:
        top = _draw(panel, top, drawn)
    if not panels:
        drawn.append(_text(_MARGIN, top + 16, "There are no votes yet.", size=16))
        top += 40
    height = _n(top + _MARGIN - 12)
    told = "; ".join(f"{panel.title}: {panel.says}" for panel in panels) or "There are no votes yet."
    dark = "".join(f".lt-{name}{{fill:{after}}}" for name, (_, after) in _COLOURS.items())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{_escaped(f"What the sources say. {told}")}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    lines = [
        head,
        "<title>What the sources say</title>",
        f"<desc>{_escaped(told)}</desc>",
        f"<style>@media (prefers-color-scheme: dark){{{dark}.lt-line{{stroke:#15191e}}}}</style>",
        _box(0, 0, _WIDTH, top + _MARGIN - 12, "paper"),
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _draw(panel: Panel, top: float, drawn: list[str]) -> float:
    """Draws one vote set below `top`; answers where the next one begins."""
    drawn.append(_text(_MARGIN, top + 14, panel.title, size=18, weight=600))
    drawn.append(_text(_MARGIN, top + 36, panel.says, colour="faint"))
    top += 64
    drawn.extend(_legend(top))
    top += 22
    for bar in panel.bars:
        drawn.extend(_bar(bar, top))
        top += _ROW
    drawn.extend(_scale(top))
    top += 48
    return _map(panel, top, drawn) if len(panel.bars) > 1 else top


def _legend(top: float) -> Iterator[str]:
    x = _MARGIN + _LABEL
    for colour, says in _LEGEND:
        yield _box(x, top - 9, 11, 11, colour)
        yield _text(x + 16, top, says, size=12, colour="faint")
        x += 34 + 6.1 * len(says)


def _bar(bar: Bar, top: float) -> Iterator[str]:
    x, middle = float(_MARGIN + _LABEL), top + 16
    told = (
        f"{bar.title}: votes on {_percent(bar.coverage)} of the rows, with another source on {_percent(bar.overlaps)}, "
        f"contradicts one on {_percent(bar.conflicts)}, errors on {_percent(bar.errors)}"
    )
    yield f"<g><title>{_escaped(told)}</title>"
    yield _text(x - 10, middle, _cut(bar.title, 24), anchor="end")
    yield _box(x, top + 4, _BAR, 15, "track")
    parts = (bar.conflicts, bar.overlaps - bar.conflicts, bar.coverage - bar.overlaps, bar.errors)
    for (colour, _), share in zip(_LEGEND, parts, strict=True):
        if share > 0:
            yield _box(x, top + 4, share * _BAR, 15, colour)
            x += share * _BAR
    says = f"{_percent(bar.coverage)} covered, {_percent(bar.conflicts)} in conflict"
    if bar.errors:
        says += f", {_percent(bar.errors)} errors"
    yield _text(_MARGIN + _LABEL + _BAR + 12, middle, says, size=12, colour="faint") + "</g>"


def _scale(top: float) -> Iterator[str]:
    for quarter in range(5):
        x = _MARGIN + _LABEL + _BAR * quarter / 4
        anchor = ("start", "middle", "middle", "middle", "end")[quarter]
        yield _text(x, top + 14, f"{25 * quarter} %", size=11, anchor=anchor, colour="faint")
    yield _text(_MARGIN + _LABEL + _BAR + 12, top + 14, "of all rows", size=11, colour="faint")


def _map(panel: Panel, top: float, drawn: list[str]) -> float:
    many = len(panel.bars)
    cell = min(_CELL_MOST, _MAP_MOST // many if many <= _POINTED_AT else _MAP_MOST / many)
    left = _MARGIN + _LABEL
    drawn.append(
        _text(_MARGIN, top, "How often do two sources agree, of the rows on which both vote?", size=15, weight=600)
    )
    # Names above the columns lean, so that they need no more room than their own height.
    top += 20 + (110 if cell >= 10 else 0)
    for i, bar in enumerate(panel.bars):
        if cell >= 10.0:
            x, y = left + cell * (i + 0.5), top - 8
            drawn.append(_text(x, y, _cut(bar.title, 18), size=12, turn=f"rotate(-50 {_n(x)} {_n(y)})"))
            drawn.append(_text(left - 10, top + cell * (i + 0.5) + 4, _cut(bar.title, 24), anchor="end"))
        for j in range(many):
            drawn.extend(_cell(panel, i, j, left + cell * j, top + cell * i, cell))
    # Marks are drawn over all cells, so that no neighbour covers half of one.
    for i, j in sorted({pair for one in panel.copies for pair in (one, one[::-1])}):
        x, y, side = (_n(value) for value in (left + cell * j + 1, top + cell * i + 1, cell - 2))
        drawn.append(
            f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="none" stroke="#d9730d" stroke-width="3"/>'
        )
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
        told = f"{one} and {other} agree on {_percent(share)} of {both:,} rows on which both vote"
    inner = f"<title>{_escaped(told)}</title>" if len(panel.bars) <= _POINTED_AT else ""
    if i == j or share is None:
        fill, says, ink = None, "" if i == j else "–", "faint"
    else:
        fill, says, ink = _shade(share), f"{100 * share:.0f}", ""
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(cell)}" height="{_n(cell)}"'
    line = ' class="lt-line" stroke="#ffffff" stroke-width="1"' if cell >= 10 else ""
    if fill is None:
        stroke = ' stroke="#ffffff" stroke-width="1"' if line else ""
        paper = f'fill="{_COLOURS["track"][0]}" class="lt-track{" lt-line" if line else ""}"{stroke}'
        yield f"<rect {place} {paper}>{inner}</rect>" if inner else f"<rect {place} {paper}/>"
    else:
        yield f'<rect {place} fill="{fill}"{line}>{inner}</rect>' if inner else f'<rect {place} fill="{fill}"{line}/>'
    if cell >= 20 and says:
        text_x, text_y = x + cell / 2, y + cell / 2 + 4
        if ink:
            yield _text(text_x, text_y, says, size=12, anchor="middle", colour=ink)
        else:
            # Letters on a shade are dark or light by the shade, whatever the reader's system prefers.
            letters = "#ffffff" if (share or 0) > 0.66 else "#1c2126"
            yield (
                f'<text x="{_n(text_x)}" y="{_n(text_y)}" font-size="12" text-anchor="middle" '
                f'pointer-events="none" fill="{letters}">{says}</text>'
            )


def _key(left: float, top: float, *, copies: bool) -> Iterator[str]:
    yield _text(left, top, "agree: never", size=12, colour="faint")
    x = left + 84
    for step in range(11):
        yield f'<rect x="{_n(x + 14 * step)}" y="{_n(top - 11)}" width="14" height="14" fill="{_shade(step / 10)}"/>'
    yield _text(x + 162, top, "always (numbers in %)", size=12, colour="faint")
    x += 318
    yield _text(x, top, "–  never meet", size=12, colour="faint")
    if copies:
        x += 100
        yield f'<rect x="{_n(x)}" y="{_n(top - 11)}" width="13" height="13" fill="none" stroke="#d9730d" stroke-width="3"/>'
        yield _text(x + 22, top, "may be a copy: to review", size=12, colour="faint")


def _shade(share: float) -> str:
    """From pale to deep blue, evenly in each channel."""
    pale, deep = (238, 244, 250), (12, 68, 124)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(pale, deep, strict=True))


def _text(
    x: float,
    y: float,
    says: str,
    *,
    size: int = 13,
    weight: int = 400,
    colour: str = "ink",
    anchor: str = "start",
    turn: str = "",
) -> str:
    more = (f' font-weight="{weight}"' if weight != 400 else "") + (
        f' text-anchor="{anchor}"' if anchor != "start" else ""
    )
    more += f' transform="{turn}"' if turn else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}"{more} fill="{_COLOURS[colour][0]}" class="lt-{colour}">'
        f"{_escaped(says)}</text>"
    )


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect {place} fill="{_COLOURS[colour][0]}" class="lt-{colour}"/>'


def _n(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _cut(says: str, most: int) -> str:
    says = clean(says)
    return says if len(says) <= most else says[: most - 1] + "…"


def _escaped(says: str) -> str:
    return escape(clean(says), quote=True)
