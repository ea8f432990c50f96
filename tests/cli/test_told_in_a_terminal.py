"""How does an answer look to somebody who watches, in a narrow terminal?"""

from __future__ import annotations

import re
import sys

import pytest

from governance.cli.tell import _print_text
from governance.project.report import Report, Table

COLUMNS = ("name", "kind", "what it says of the record", "when")
ROWS = (("vader 3.3.2", "source", "it voted on all rows of the table", "2026-11-22"),)


@pytest.mark.parametrize("width", [40, 200])
def test_a_table_keeps_its_title_also_where_it_is_too_wide_to_be_drawn(monkeypatch, capsys, width):
    """Two tables of one answer, such as causes and effects, can be told apart whatever the width."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    tables = tuple(Table(COLUMNS, ROWS, title=title) for title in ("comes from (1 record)", "led to (1 record)"))
    _print_text(Report("trace", {}, tables))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in capsys.readouterr().out.splitlines()]
    first, second = lines.index("comes from (1 record)"), lines.index("led to (1 record)")
    assert any("vader 3.3.2" in line for line in lines[first + 1 : second])
    assert any("vader 3.3.2" in line for line in lines[second + 1 :])
    assert any(line.startswith("what it says of the record: ") for line in lines) == (width == 40)
