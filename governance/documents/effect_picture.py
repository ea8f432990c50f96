"""How do several answers look beside each other, part by part of the rows? One SVG: a line a part, a column an answer."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from governance.documents.drawing import (
    COLOURS,
    LABEL,
    MARGIN,
    WIDTH,
    box,
    cut,
    escaped,
    legend,
    percent,
    place,
    sheet,
    text,
)
from governance.documents.escape import clean

_LINE, _BAR, _NUMBERS, _GAP = 24, 15, 126, 8
#: so many characters of a note stand in one line
_NOTE = 140
_NICE = tuple(step / 1000 for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))


@dataclass(frozen=True)
class Stack:
    """Shares of one part, each in its colour, end to end; `says` stands beside them."""

    parts: tuple[tuple[str, float], ...]
    says: str


@dataclass(frozen=True)
class Moved:
    """A share before and after, each as (low, value, high), where low and high are its interval; `of` says of how many."""

    before: tuple[float, float, float]
    after: tuple[float, float, float]
    of: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Silent:
    """Nothing that could be drawn: `says` is unknown or not asked, and is drawn otherwise than a share of 0."""

    says: str


Cell = Stack | Moved | Silent


@dataclass(frozen=True)
class Group:
    """Lines under one heading: each a name and a cell for every column."""

    title: str
    lines: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Panel:
    """One question. All columns share one scale, which begins at 0 unless it is `zoomed`; `of` says what shares are of."""

    title: str
    columns: Sequence[str]
    groups: Sequence[Group]
    legend: Sequence[tuple[str, str]] = ()
    of: str = ""
    zoomed: bool = False


def picture(title: str, notes: Sequence[str], panels: Sequence[Panel]) -> str:
    """A whole SVG file: the same panels give the same text. `notes` stand below the title, and are the picture in words."""
    drawn = [text(MARGIN, MARGIN + 14, cut(title, 90), size=18, weight=600)]
    top = MARGIN + 36.0
    for note in notes:
        for line in textwrap.wrap(clean(note), _NOTE):
            drawn.append(text(MARGIN, top, line, colour="faint"))
            top += 18
    for panel in panels:
        top = _draw(panel, top + 18, drawn)
    return sheet(drawn, title=title, says=" ".join(notes), bottom=top)


def _draw(panel: Panel, top: float, drawn: list[str]) -> float:
    """Draws one panel below `top`; answers where the next one begins."""
    low, high = _scale(panel)
    drawn.append(text(MARGIN, top, panel.title, size=15, weight=600))
    top += 22
    drawn.extend(legend(panel.legend, top))
    top += 24 if panel.legend else 0
    for x, name in zip(_places(panel), panel.columns, strict=True):
        drawn.append(text(x, top, cut(name, 36), size=12, weight=600))
    for group in panel.groups:
        if group.title:
            drawn.append(text(MARGIN, top + 18, cut(group.title, 90), size=12, weight=600, colour="faint"))
            top += 20
        top += 4
        for name, cells in group.lines:
            drawn.append(_named(name, top))
            for x, column, cell in zip(_places(panel), panel.columns, cells, strict=True):
                told = f"{group.title} {name}, {column}: {_told(cell)}"
                drawn.append(f"<g><title>{escaped(told)}</title>{''.join(_cell(panel, cell, x, top, low, high))}</g>")
            top += _LINE
    for x in _places(panel):
        for share, anchor, at in ((low, "start", 0.0), ((low + high) / 2, "middle", 0.5), (high, "end", 1.0)):
            drawn.append(text(x + at * _length(panel), top + 14, _short(share), size=11, anchor=anchor, colour="faint"))
    if panel.of:
        drawn.append(text(MARGIN, top + 14, panel.of, size=11, colour="faint"))
    return top + 40


def _named(name: str, top: float) -> str:
    return f"<g><title>{escaped(name)}</title>{text(MARGIN + LABEL - 10, top + 16, cut(name, 26), anchor='end')}</g>"


def _cell(panel: Panel, cell: Cell, x: float, top: float, low: float, high: float) -> Iterator[str]:
    length = _length(panel)
    if isinstance(cell, Silent):
        dashes = f'fill="none" stroke="{COLOURS["faint"][0]}" stroke-dasharray="3 3"'
        yield f"<rect {place(x, top + 4, length, _BAR)} {dashes}/>"
    elif isinstance(cell, Stack):
        yield box(x, top + 4, length, _BAR, "track")
        at = x
        for colour, share in cell.parts:
            if share > 0:
                yield box(at, top + 4, share / high * length, _BAR, colour)
                at += share / high * length
    else:
        yield box(x, top + 12, length, 1, "track")
        for y, colour, (least, value, most) in ((top + 8, "faint", cell.before), (top + 17, "meets", cell.after)):
            left, middle, right = (x + length * (share - low) / (high - low) for share in (least, value, most))
            if right > left:
                yield box(left, y - 1, right - left, 2, "alone")
            yield box(middle - 3, y - 3, 6, 6, colour)
    yield text(x + length + _GAP, top + 16, _says(cell), size=12, colour="faint")


def _says(cell: Cell) -> str:
    if isinstance(cell, Moved):
        return f"{100 * cell.before[1]:.1f} → {percent(cell.after[1])}"
    return cell.says


def _told(cell: Cell) -> str:
    if not isinstance(cell, Moved):
        return cell.says
    told = (
        f"{percent(value)}{of}" + (f" ({percent(low)} to {percent(high)})" if high > low else "")
        for (low, value, high), of in zip((cell.before, cell.after), cell.of, strict=True)
    )
    return "before {}, after {}".format(*told)


def _scale(panel: Panel) -> tuple[float, float]:
    """(low, high) that hold every share of the panel, on round numbers."""
    cells = [cell for group in panel.groups for _, cells in group.lines for cell in cells]
    shares = list(_shares(cells))
    if not panel.zoomed or not shares:
        return 0.0, next(nice for nice in _NICE if nice >= min(max(shares, default=1.0), 1.0) - 1e-9)
    low, high = math.floor(min(shares) * 20) / 20, math.ceil(max(shares) * 20) / 20
    return (low, high) if high > low else (max(low - 0.05, 0.0), low + 0.05)


def _shares(cells: Iterable[Cell]) -> Iterator[float]:
    for cell in cells:
        if isinstance(cell, Stack):
            yield sum(share for _, share in cell.parts)
        elif isinstance(cell, Moved):
            yield from (*cell.before, *cell.after)


def _places(panel: Panel) -> list[float]:
    """Where each column begins."""
    return [MARGIN + LABEL + _width(panel) * number for number in range(len(panel.columns))]


def _width(panel: Panel) -> float:
    return (WIDTH - 2 * MARGIN - LABEL) / max(len(panel.columns), 2)


def _length(panel: Panel) -> float:
    """How long the whole scale is in one column; beside it there is room for numbers."""
    return _width(panel) - _NUMBERS - _GAP


def _short(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"
