"""What do the records say of data and model? Two cards in Markdown, every sentence with its evidence."""

from __future__ import annotations

from governance.audit import read_attestations
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
from governance.facts import Facts
from governance.runs import StageRun, stage

NAME = "describe"
EARLIER = ("collect", "screen", "vote", "combine", "train", "evaluate")
CARDS = {"dataset_card": dataset_card, "model_card": model_card}


def main() -> None:
    """1. what earlier stages and people stated  2. each card, checked before it is written"""
    with stage(NAME) as run:
        # 1.
        templates = run.input("cards")
        facts = earlier(run)
        # 2.
        for name, build in CARDS.items():
            document = build(facts)
            text = render_markdown(document, templates)
            require_sound([*check_document(document, facts), *check_markdown(text, facts)], what=document.title)
            path = run.output(f"{run.config.artifacts}/documents/{name}.md")
            write_atomically(path, text.encode())
            run.state(document_record(document, sha256=file_digest(path), form="Markdown"))


def earlier(run: StageRun) -> Facts:
    """Facts, recipes and results of every earlier stage, and what people stated in decisions/."""
    facts = Facts()
    for name in EARLIER:
        done = run.run_of(name)
        facts |= run.facts(name) | Facts([done.recipe, done.result])
    stated = [run.use(attestation) for attestation in read_attestations(run.input("decisions"))]
    # A card cites what people stated; where it is cited it has to be recorded too.
    for attestation in stated:
        run.state(attestation)
    return facts | Facts(stated)


if __name__ == "__main__":
    main()
