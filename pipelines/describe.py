"""What do the records say of data and model? Two cards in Markdown, every sentence with its evidence."""

from __future__ import annotations

from governance.digest import file_digest, write_atomically
from governance.documents import (
    check_document,
    check_markdown,
    dataset_card,
    document_record,
    model_card,
    render_markdown,
    require_sound,
)
from governance.runs import stage
from pipelines._earlier import earlier

NAME = "describe"
EARLIER = ("collect", "screen", "vote", "combine", "train", "evaluate")
CARDS = {"dataset_card": dataset_card, "model_card": model_card}


def main() -> None:
    """1. what earlier stages and people stated  2. each card, checked before it is written"""
    with stage(NAME) as run:
        # 1.
        templates = run.input("cards")
        facts = earlier(run, EARLIER)
        # 2.
        for name, build in CARDS.items():
            document = build(facts)
            text = render_markdown(document, templates)
            require_sound([*check_document(document, facts), *check_markdown(text, facts)], what=document.title)
            path = run.output(f"{run.config.artifacts}/documents/{name}.md")
            write_atomically(path, text.encode())
            run.state(document_record(document, sha256=file_digest(path), form="Markdown"))


if __name__ == "__main__":
    main()
