"""Does text from a record stay text, whatever it tries?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from documents.conftest import HOSTILE
from huggingface_hub import DatasetCard, ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from governance import audit
from governance.claims import Document
from governance.documents import check_document, check_markdown, dataset_card, escape, model_card, render_html
from governance.documents.markdown import render_markdown, slug
from governance.facts import Facts

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
MARKS = st.text(
    alphabet=st.sampled_from("`*_[]()<>|#-+=~!&$\\:.1@ \n\tab\u202e\u200b{}%\"'") | st.characters(), max_size=60
)


def plain_text(tokens: list) -> str:
    """What a reader sees of parsed Markdown."""
    children = (child for token in tokens for child in token.children or [token])
    return "".join(child.content for child in children if child.type in ("text", "code_inline", "text_special"))


@given(MARKS)
def test_escaped_text_reads_as_itself(text: str):
    """Whatever a text holds, its Markdown is one paragraph that reads as exactly that text."""
    tokens = MARKDOWN.parse(escape.markdown(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert all(
        child.type in ("text", "text_special", "code_inline") for token in tokens for child in token.children or []
    )
    assert plain_text(tokens) == escape.clean(text)


PIECES = ["http", "https", ":", "/", "//", "www", ".", "@", "mailto", "a", "é", "&", "`", "_", " ", "(", "1"]
ADDRESSES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
LINKED = re.compile(r"(?i)(?:https?|ftp)://\w|\bwww\.\w|(?:mailto|xmpp):\w|@\w")


@given(ADDRESSES | MARKS)
def test_nothing_outside_of_code_is_an_address(text: str):
    """Whatever readers turn into links or mentions stands in code, where they do not, and still reads as itself."""
    tokens = MARKDOWN.parse(escape.markdown(text))
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special", "code_inline"}
    outside = "".join(child.content if child.type != "code_inline" else "\x00" for child in children)
    assert not LINKED.search(outside)
    assert plain_text(tokens) == escape.clean(text)


@given(MARKS)
def test_escaped_text_stays_in_its_cell(text: str):
    """In a table a text fills one cell and no more."""
    table = f"| a | b |\n| --- | --- |\n| {escape.markdown(text) or '–'} | end |\n"
    tokens = MARKDOWN.parse(table)
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert sum(token.type == "tr_open" for token in tokens) == 2
    assert plain_text(tokens) == f"ab{escape.clean(text) or '–'}end"


@given(MARKS)
def test_escaped_text_stays_in_its_item(text: str):
    """In a list a text is one item and begins nothing inside it."""
    tokens = MARKDOWN.parse(f"- {escape.markdown(text)} end\n")
    assert [t.type for t in tokens] == [
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close",
        "bullet_list_close",
    ]  # fmt: skip


@given(MARKS)
def test_code_reads_as_itself(text: str):
    """A text in a code span reads as itself, backticks and all."""
    cleaned = escape.clean(text)
    tokens = MARKDOWN.parse(f"x {escape.code(text)} y")
    spans = [child for token in tokens for child in token.children or [] if child.type == "code_inline"]
    assert [span.content.strip() for span in spans] == ([cleaned.strip()] if cleaned else [])


@given(st.dictionaries(st.sampled_from("abc"), st.lists(MARKS) | MARKS))
def test_front_matter_reads_back(value: dict):
    """Front matter reads back as the cleaned value, and no line of it ends the front matter early."""
    text = escape.front_matter(value)
    assert yaml.safe_load(text) == escape.plain(value)
    assert all(line != "---" for line in text.split("\n"))


def test_unseen_characters_go():
    """Control characters, bidirectional marks and invisible characters are dropped, and white space is one blank."""
    assert escape.clean("a\u202eb\u2066c\u200bd\x07e\ufefff\U000e0041g") == "abcdefg"
    assert escape.clean(" a\r\n\tb\u2028c\u00a0d ") == "a b c d"
    assert escape.clean("größer – 数据") == "größer – 数据"


def test_addresses_read_as_they_are():
    """An address or a name behind an @ is code without an entity; what nobody would link is plain text."""
    assert escape.markdown("see https://a.example/x_y, or not.") == "see `https://a.example/x_y`, or not."
    assert escape.markdown("names were replaced (@anonymous, http://url_removed);") == (
        "names were replaced (`@anonymous`, `http://url_removed`);"
    )
    assert escape.markdown("mail me@evil.example. www.evil.example") == "mail `me@evil.example`. `www.evil.example`"
    assert escape.markdown("javascript:alert(1), 3 @ 5, note: this") == "javascript:alert(1), 3 @ 5, note: this"


@pytest.mark.parametrize("build", [dataset_card, model_card, lambda facts: audit.report(facts, as_of="2026-11-22")])
def test_hostile_records_make_an_honest_document(build: Callable[[Facts], Document], hostile: Facts, templates: Path):
    """Records full of markup give no markup, no link and no false evidence in Markdown."""
    document = build(hostile)
    assert document.claims
    text = render_markdown(document, templates)
    assert check_document(document, hostile) == []
    assert check_markdown(text, hostile) == []
    body = text.split("\n---\n", 1)[1] if text.startswith("---") else text
    tokens = MARKDOWN.parse(body)
    children = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in tokens} | {child.type for child in children}
    # The only links are those of the table of contents, to headings of the same text.
    links = [str(child.attrs["href"]) for child in children if child.type == "link_open"]
    assert len(links) == (len([s for s in document.sections if s.level == 2]) if document.kind == "audit_report" else 0)
    assert set(links) <= {f"#{slug(section.title)}" for section in document.sections}
    assert not kinds & {
        "html_block",
        "html_inline",
        "image",
        "fence",
        "code_block",
        "hr",
        "s_open",
        "em_open",
    }
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert len(headings) == f"\n{body}".count("\n#")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07]", text)
    assert all(unicodedata.category(char) not in ("Cc", "Cf") for char in text if char != "\n")


def test_hostile_front_matter_changes_no_licence(hostile: Facts, templates: Path):
    """A title that ends the front matter and states a licence does neither."""
    for kind, build in ((DatasetCard, dataset_card), (ModelCard, model_card)):
        card = kind(render_markdown(build(hostile), templates))
        assert card.data.license == "other"
        assert set(card.data.to_dict()) <= {
            "pretty_name", "license", "license_name", "license_link", "language", "size_categories", "task_categories",
            "tags", "pipeline_tag", "model-index",
        }  # fmt: skip
        assert "javascript:" not in str(card.data.to_dict().get("license_link", ""))


class Page(HTMLParser):
    """Which tags, attributes and headings a page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.levels: list[int] = []
        self.scopes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(given)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "href" in given:
            self.links.append(given["href"] or "")
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.scopes += tag == "th" and "scope" in given
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


@pytest.mark.parametrize("which", ["facts", "hostile", "nothing"])
def test_the_page_stands_alone(which: str, request: pytest.FixtureRequest, templates: Path):
    """The page holds no script, fetches nothing, and each of its links ends inside it, whatever the records say."""
    given = Facts() if which == "nothing" else request.getfixturevalue(which)
    text = render_html(audit.report(given, as_of="2026-11-22"), templates)
    page = parsed(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07]", text)


def test_the_page_can_be_read_by_everybody(facts: Facts, templates: Path):
    """The page has a language, a title, landmarks, headings without a jump, and headed tables."""
    text = render_html(audit.report(facts, as_of="2026-11-22"), templates)
    page = parsed(text)
    assert '<html lang="en">' in text
    assert {"title", "header", "nav", "main", "footer", "caption", "thead"} <= set(page.tags)
    assert page.tags.count("h1") == 1
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:], strict=False))
    assert page.scopes == page.tags.count("th")
    assert page.tags.count("article") == 72


def test_each_state_has_word_symbol_and_colour(templates: Path):
    """No two states share a symbol or a colour, and white text on each colour can be read (WCAG contrast of 4.5)."""
    from governance.claims.states import STATES

    assert len({words.symbol for words in STATES.values()}) == len(STATES)
    assert len({words.colour for words in STATES.values()}) == len(STATES)
    css = (templates / "audit_report.html.j2").read_text(encoding="utf-8")
    for words in STATES.values():
        (colour,) = set(re.findall(rf"--{words.colour}: (#[0-9a-f]{{6}})", css))
        assert contrast(colour) >= 4.5


def contrast(colour: str) -> float:
    """WCAG contrast of white on a colour."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_repetition_gives_the_same_page(facts: Facts, templates: Path):
    """The same facts give the same bytes of HTML."""
    first, again = (render_html(audit.report(facts, as_of="2026-11-22"), templates) for _ in range(2))
    assert first == again


def test_hostile_text_is_shown_as_text(hostile: Facts, templates: Path):
    """What tries to be a tag is seen as text on the page."""
    text = render_html(audit.report(hostile, as_of="2026-11-22"), templates)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7*7 }}" in text
    assert "<script" not in text
    assert HOSTILE not in text
