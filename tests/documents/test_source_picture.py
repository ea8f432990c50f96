"""The picture of the sources: one file that loads nothing, runs nothing and says what it shows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from governance.documents.source_picture import Bar, Panel, picture

SVG = "{http://www.w3.org/2000/svg}"
PANEL = Panel(
    title="votes",
    says="10 rows, 2 sources",
    bars=(Bar("vader", 0.9, 0.5, 0.2, 0.0), Bar("afinn", 0.5, 0.5, 0.2, 0.1)),
    both=((9, 5), (5, 5)),
    agreed=((9, 3), (3, 5)),
    copies=frozenset({(0, 1)}),
)


def texts(svg: str) -> str:
    return "\n".join("".join(found.itertext()) for found in ET.fromstring(svg).iter())  # noqa: S314 - made here


def test_the_same_sources_give_the_same_bytes_without_ids():
    """Nothing random, nothing that two pictures on one page could share."""
    assert picture([PANEL]) == picture([PANEL])
    root = ET.fromstring(picture([PANEL]))  # noqa: S314
    assert not [found for found in root.iter() if "id" in found.attrib]


def test_the_picture_says_what_it_shows():
    """A title, a description, and in words what each bar and each cell shows."""
    svg = picture([PANEL])
    root = ET.fromstring(svg)  # noqa: S314
    assert root.attrib["role"] == "img"
    assert "10 rows, 2 sources" in root.attrib["aria-label"]
    assert root[0].tag == f"{SVG}title"
    told = texts(svg)
    assert "vader: votes on 90.0 % of the rows, with another source on 50.0 %, contradicts one on 20.0 %" in told
    assert "vader and afinn agree on 60.0 % of 5 rows on which both vote" in told
    assert "may be a copy: to review" in told
    assert "50.0 % covered, 20.0 % in conflict, 10.0 % errors" in told


def test_sources_that_never_meet_have_no_share():
    """Never met is not never agreed."""
    told = texts(picture([replace(PANEL, both=((9, 0), (0, 5)), agreed=((9, 0), (0, 5)), copies=frozenset())]))
    assert "vader and afinn never vote on the same row" in told
    assert "may be a copy: to review" not in told


@given(st.text(min_size=1, max_size=40))
def test_no_title_becomes_markup(title):
    """Whoever names a source decides text, and no element, attribute or script."""
    svg = picture([replace(PANEL, bars=(replace(PANEL.bars[0], title=title), PANEL.bars[1]))])
    tags = {found.tag for found in ET.fromstring(svg).iter()}  # noqa: S314
    assert tags == {f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "text", "g")}


def test_a_script_for_a_name_is_shown_and_not_run():
    """Marks are escaped, in text and in attributes, and marks of direction are taken out."""
    evil = '"><script>alert(1)</script>\u202e&'
    svg = picture([replace(PANEL, title=evil, says=evil, bars=(replace(PANEL.bars[0], title=evil), PANEL.bars[1]))])
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "&lt;script&gt;" in svg


def test_many_sources_stay_inside_the_picture():
    """256 sources: smaller cells, and no cell beyond the edge."""
    many = 256
    bars = tuple(Bar(f"s{j}", 0.5, 0.4, 0.1, 0.0) for j in range(many))
    panel = Panel("votes", "", bars, [[2] * many] * many, [[1] * many] * many)
    root = ET.fromstring(picture([panel]))  # noqa: S314
    width = float(root.attrib["width"])
    ends = [float(found.attrib["x"]) + float(found.attrib["width"]) for found in root.iter(f"{SVG}rect")]
    assert max(ends) <= width


def test_no_votes_are_said_to_be_none():
    """A picture of nothing says so."""
    assert "There are no votes yet." in texts(picture([]))
