"""The picture of several answers beside each other: one file that loads nothing, and never draws unknown as nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.documents.effect_picture import Group, Moved, Panel, Silent, Stack, picture

SVG = "{http://www.w3.org/2000/svg}"
HALF = Stack((("conflict", 0.25), ("error", 0.25)), "5 (50.0 %)")
MOVED = Moved((0.7, 0.8, 0.9), (0.5, 0.6, 0.7), (" of 10 rows", " of 8"))
PANEL = Panel(
    title="Which labels change",
    columns=("frozen", "refitted"),
    groups=(Group("", [("all rows", (HALF, Silent("unknown")))]), Group("domain", [("tweets", (HALF, HALF))])),
    legend=(("conflict", "another label"), ("error", "no label is left")),
    of="of the rows of each part",
)


def drawn(*panels: Panel, title: str = "Without vader", notes: tuple[str, ...] = ("a note",)) -> ET.Element:
    return ET.fromstring(picture(title, notes, panels))  # noqa: S314 - made here


def texts(root: ET.Element) -> str:
    return "\n".join("".join(found.itertext()) for found in root.iter())


def bars(root: ET.Element, colour: str) -> list[float]:
    """The lengths of what is drawn in a colour, without its key."""
    found = [one for one in root.iter(f"{SVG}rect") if one.attrib.get("class") == f"lt-{colour}"]
    return [float(one.attrib["width"]) for one in found if one.attrib["height"] == "15"]


def test_the_same_answers_give_the_same_bytes_without_ids():
    """Nothing random, nothing that two pictures on one page could share."""
    assert picture("a", ("b",), [PANEL]) == picture("a", ("b",), [PANEL])
    assert not [found for found in drawn(PANEL).iter() if "id" in found.attrib]


def test_the_picture_says_what_it_shows():
    """A title, a description, the notes, and in words what each cell shows."""
    root = drawn(PANEL, replace(PANEL, groups=[Group("", [("all rows", (MOVED, MOVED))])], zoomed=True))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Without vader. a note"
    assert root[0].tag == f"{SVG}title"
    told = texts(root)
    assert "domain tweets, refitted: 5 (50.0 %)" in told
    assert "all rows, refitted: unknown" in told
    before, after = "before 80.0 % of 10 rows (70.0 % to 90.0 %)", "after 60.0 % of 8 (50.0 % to 70.0 %)"
    assert f"{before}, {after}" in told
    assert "80.0 → 60.0 %" in told


def test_what_is_unknown_has_no_bar_and_a_share_of_nothing_has_an_empty_one():
    """Unknown is not 0: it is dashed and says so, and 0 stands on a full track."""
    nothing = Stack((("conflict", 0.0),), "0 (0.0 %)")
    groups = [Group("", [("all rows", (nothing, Silent("unknown")))])]
    root = drawn(replace(PANEL, groups=groups))
    dashed = [found for found in root.iter(f"{SVG}rect") if "stroke-dasharray" in found.attrib]
    assert len(dashed) == len(bars(root, "track")) == 1
    assert bars(root, "conflict") == []
    assert "unknown" in texts(root)


def test_all_columns_of_a_panel_have_one_scale():
    """A bar of half the share is half as long, whatever stands beside it."""
    small = Stack((("conflict", 0.1),), "")
    root = drawn(replace(PANEL, groups=[Group("", [("one", (small, Stack((("conflict", 0.2),), "")))])]))
    one, other = bars(root, "conflict")
    assert other == pytest.approx(2 * one, abs=0.02)
    assert other == pytest.approx(bars(root, "track")[0], abs=0.02)
    assert "20 %" in texts(root)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.booleans())
def test_no_bar_and_no_point_leaves_its_column(shares, zoomed):
    """Whatever the shares are, they are drawn inside the scale that is told."""
    one, _ = shares
    low, high = sorted(shares)
    cells = (Stack((("conflict", one / 2), ("error", one / 2)), ""), Moved((low, low, high), (low, high, high)))
    root = drawn(replace(PANEL, groups=[Group("", [("a", cells)])], zoomed=zoomed))
    (track, *_) = [one for one in root.iter(f"{SVG}rect") if one.attrib.get("class") == "lt-track"]
    length = float(track.attrib["width"])
    assert sum(bars(root, "conflict") + bars(root, "error")) <= length + 0.05
    starts = [float(one.attrib["x"]) for one in root.iter(f"{SVG}rect") if one.attrib.get("class") == "lt-track"]
    points = [float(one.attrib["x"]) + 3 for one in root.iter(f"{SVG}rect") if one.attrib["height"] == "6"]
    assert len(points) == 2
    assert all(starts[1] - 0.05 <= point <= starts[1] + length + 0.05 for point in points)


def test_a_zoomed_scale_begins_where_it_says():
    """Shares between .82 and .88 are seen apart, and both ends of the scale are told."""
    close = Moved((0.82, 0.83, 0.84), (0.86, 0.87, 0.88))
    groups = [Group("", [("a", (close, close))])]
    told = texts(drawn(replace(PANEL, groups=groups, zoomed=True)))
    assert ("80 %" in told, "90 %" in told, "\n0 %" in told) == (True, True, False)
    assert "\n0 %" in texts(drawn(replace(PANEL, groups=groups)))


@given(st.text(min_size=1, max_size=60))
def test_no_name_becomes_markup(name):
    """Whoever names a source, a column or a class decides text, and no element, attribute or script."""
    panel = replace(
        PANEL, title=name, columns=(name, "b"), groups=[Group(name, [(name, (HALF, Silent(name)))])], of=name
    )
    tags = {found.tag for found in drawn(panel, title=name, notes=(name,)).iter()}
    assert tags == {f"{SVG}{one}" for one in ("svg", "title", "desc", "style", "rect", "text", "g")}


def test_a_script_for_a_name_is_shown_and_not_run():
    """Marks are escaped, in text and in attributes, and marks of direction are taken out."""
    evil = '"><script>alert(1)</script>\u202e&'
    svg = picture(evil, (evil,), [replace(PANEL, groups=[Group(evil, [(evil, (HALF, HALF))])])])
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "&lt;script&gt;" in svg


def test_many_parts_and_long_notes_stay_inside_the_picture():
    """1,000 parts and three columns: nothing is drawn beyond the edges, and a long reason takes several lines."""
    cells = (HALF, Silent("unknown"), MOVED)
    groups = [Group(f"column {number}", [(f"value {j}", cells) for j in range(25)]) for number in range(40)]
    root = drawn(replace(PANEL, columns=("a", "b", "c"), groups=groups), notes=("because of that " * 30,))
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for found in root.iter(f"{SVG}rect"):
        assert float(found.attrib["x"]) + float(found.attrib["width"]) <= width
        assert float(found.attrib["y"]) + float(found.attrib["height"]) <= height
    assert max(float(found.attrib["y"]) for found in root.iter(f"{SVG}text")) <= height
    assert len(re.findall(">because", picture("a", ("because of that " * 30,), []))) > 1


def test_a_picture_of_no_panel_holds_its_notes():
    """What is unknown as a whole is told in words."""
    assert "It did not vote." in texts(drawn(notes=("It did not vote.",)))
