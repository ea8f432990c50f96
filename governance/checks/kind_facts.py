"""Does a source's description say what sources of its kind have to say?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"kind": "", "told": {}}

#: kind → the fields of `records.Source` without which nobody can judge a source of that kind
NEEDS: dict[str, tuple[str, ...]] = {
    "heuristic": ("author",),
    "pattern": ("author",),
    "lexicon": ("collected_from",),
    "distant": ("knowledge", "collected_from"),
    "pretrained": ("model", "trained_on"),
    "distilled": ("model", "teacher"),
    "pseudo": ("teacher",),
    "llm": ("model", "terms", "terms_date"),
    "crowd": ("annotators", "instructions", "collected_from"),
    "gold": ("annotators", "instructions"),
}
#: what any source has to say that holds personal data
_OF_PERSONS = ("legal_basis", "personal_data_classes")
#: fields whose name in a description is another one
_WRITTEN = {
    "collected_from": "collected.from",
    "terms_date": "terms.date",
    "personal_data_classes": "personal_data.classes",
}


def needed(kind: str, *, personal_data: bool) -> tuple[str, ...]:
    """The fields that a source of this kind has to fill."""
    return NEEDS[kind] + (_OF_PERSONS if personal_data else ())


def check(kind: str, told: Mapping[str, object], *, subject: str, title: str = "the source") -> Finding:
    """Counts the facts that are missing; `told` holds the fields of `records.Source`."""
    if kind not in NEEDS:
        says = f"Of which kind {title} is, is not known."
        return judge("kind_facts", subject=subject, measured=None, limit=0, says=says)
    wanted = needed(kind, personal_data=bool(told.get("personal_data")))
    missing = [_WRITTEN.get(field, field) for field in wanted if not told.get(field)]
    listed = ", ".join(_WRITTEN.get(field, field) for field in wanted)
    says = f"{title} is of kind {kind} and says what that needs: {listed}."
    if missing:
        says = f"{title} is of kind {kind}, and its description does not say: {', '.join(missing)}."
    return judge("kind_facts", subject=subject, measured=float(len(missing)), limit=0, says=says)
