"""What does the NIST AI RMF ask, and what do the records answer? One report, in Markdown and as a single HTML page."""

from __future__ import annotations

from typing import Literal

from governance.audit import report
from governance.digest import file_digest, write_atomically
from governance.documents import (
    Document,
    check_document,
    check_markdown,
    document_record,
    render_html,
    render_markdown,
    require_sound,
)
from governance.runs import StageRun, stage
from pipelines._earlier import earlier
from pipelines._params import text

NAME = "audit"
EARLIER = ("collect", "screen", "vote", "combine", "train", "evaluate", "describe")


def main() -> None:
    """1. what earlier stages and people stated  2. the report, checked before it is written  3. both forms"""
    with stage(NAME) as run:
        # 1.
        templates = run.input("cards")
        facts = earlier(run, EARLIER)
        # 2.
        document = report(facts, text(run.params, "framework", stage=NAME), as_of=text(run.params, "as_of", stage=NAME))
        markdown = render_markdown(document, templates)
        require_sound([*check_document(document, facts), *check_markdown(markdown, facts)], what=document.title)
        # 3.
        page = render_html(document, templates)
        put(run, document, markdown, form="Markdown")
        put(run, document, page, form="HTML")


def put(run: StageRun, document: Document, told: str, *, form: Literal["Markdown", "HTML"]) -> None:
    """Writes one form of the report and states it."""
    ending = {"Markdown": "md", "HTML": "html"}[form]
    path = run.output(f"{run.config.artifacts}/documents/audit_report.{ending}")
    write_atomically(path, told.encode())
    run.state(document_record(document, sha256=file_digest(path), form=form))


if __name__ == "__main__":
    main()
