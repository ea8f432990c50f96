"""How are cards and the audit told from the trail?"""

from __future__ import annotations

from pathlib import Path

import governance
from governance.audit import read_attestations, report
from governance.audit.attestations import day
from governance.config import Config
from governance.documents import Document, dataset_card, model_card, render_markdown
from governance.errors import UnknownName
from governance.facts import Facts
from governance.project.report import Report

_CARDS = {"dataset": dataset_card, "model": model_card}


def templates(root: Path) -> Path:
    """The project's own templates, or those that the library carries."""
    package = Path(governance.__file__).parent
    for folder in (root / "cards", package / "_project" / "cards", package.parent / "cards"):
        if folder.is_dir():
            return folder
    return root / "cards"


def card(which: str, *, config: Config, facts: Facts) -> Report:
    """The card of what the current runs recorded. Raises UnknownName for any other card than dataset or model."""
    if which not in _CARDS:
        raise UnknownName("card", which, _CARDS)
    return _told("card", _CARDS[which](facts), config)


def audit(*, config: Config, facts: Facts, framework: str, as_of: str) -> Report:
    """A framework's questions answered by the current runs and by the attestations in decisions/."""
    stated = read_attestations(config.root / "decisions")
    day(as_of, field="--as-of", where="")
    return _told("audit", report(facts | Facts(stated), framework=framework, as_of=as_of), config)


def _told(verb: str, document: Document, config: Config) -> Report:
    text = render_markdown(document, templates(config.root))
    return Report(verb, {"document": document.to_json()}, (), document=text)
