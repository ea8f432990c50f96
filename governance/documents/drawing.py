"""How is a picture drawn, so that the same content gives the same bytes? One SVG of boxes and words.

It loads nothing, runs nothing and names nothing by an id. Colours are attributes, so that it is readable where style
sheets are taken away; a dark system swaps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from governance.documents.escape import clean

WIDTH, MARGIN, LABEL = 960, 28, 190
#: name: (as it is, where the reader's system is dark)
COLOURS = {
    "paper": ("#ffffff", "#15191e"),
    "ink": ("#1c2126", "#eceff2"),
    "faint": ("#59636e", "#a7b1bb"),
    "track": ("#eceff2", "#2b323a"),
    "conflict": ("#d9730d", "#f0913a"),
    "meets": ("#1f6fb2", "#4b9be0"),
    "alone": ("#9cc7ea", "#2d5578"),
    "error": ("#8f1d3f", "#e0527d"),
}


def sheet(drawn: Iterable[str], *, title: str, says: str, bottom: float) -> str:
    """A whole SVG file of what was drawn down to `bottom`; `says` is the picture in words."""
    height = number(bottom + MARGIN - 12)
    dark = "".join(f".lt-{name}{{fill:{after}}}" for name, (_, after) in COLOURS.items())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escaped(f"{title}. {says}")}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    lines = [
        head,
        f"<title>{escaped(title)}</title>",
        f"<desc>{escaped(says)}</desc>",
        f"<style>@media (prefers-color-scheme: dark){{{dark}.lt-line{{stroke:#15191e}}}}</style>",
        box(0, 0, WIDTH, bottom + MARGIN - 12, "paper"),
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def legend(entries: Iterable[tuple[str, str]], top: float) -> Iterator[str]:
    """What each colour means, side by side."""
    x: float = MARGIN + LABEL
    for colour, says in entries:
        yield box(x, top - 9, 11, 11, colour)
        yield text(x + 16, top, says, size=12, colour="faint")
        x += 34 + 6.1 * len(says)


def text(
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
    """Words at a place, escaped."""
    more = (f' font-weight="{weight}"' if weight != 400 else "") + (
        f' text-anchor="{anchor}"' if anchor != "start" else ""
    )
    more += f' transform="{turn}"' if turn else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{size}"{more} fill="{COLOURS[colour][0]}" class="lt-{colour}">'
        f"{escaped(says)}</text>"
    )


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle."""
    return f'<rect {place(x, y, width, height)} fill="{COLOURS[colour][0]}" class="lt-{colour}"/>'


def place(x: float, y: float, width: float, height: float) -> str:
    """Where a rectangle is, as attributes."""
    return f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """A share in percent, with one decimal."""
    return f"{100 * share:.1f} %"


def cut(says: str, most: int) -> str:
    """One line of at most so many characters."""
    says = clean(says)
    return says if len(says) <= most else says[: most - 1] + "…"


def escaped(says: str) -> str:
    """One line that is text in any place of the file, and no markup."""
    return escape(clean(says), quote=True)
