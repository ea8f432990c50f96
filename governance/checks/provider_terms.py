"""Has somebody read the terms that a model is served under, and do they still hold?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.records import Finding, Terms

EMPTY: dict[str, object] = {"terms": None, "as_of": ""}


def check(terms: Terms | None, as_of: str, *, subject: str, title: str = "the source") -> Finding:
    """Counts what is wrong with the terms on a day (YYYY-MM-DD): not read, by nobody, no digest, expired, read later.

    Where nothing is said of terms, or the day is not known, the outcome is unknown.
    """
    if terms is None or not as_of:
        says = f"Nothing is said of the terms under which {title} answers."
        if terms is not None:
            says = f"On which day the terms of {title} should hold is not known."
        return judge("provider_terms", subject=subject, measured=None, limit=0, says=says)
    wrong: list[str] = []
    if not terms.read:
        wrong.append("nobody has read them")
    elif terms.read > as_of:
        wrong.append(f"they were read on {terms.read}, which is later")
    if not terms.sha256:
        wrong.append("the text that was read has no digest")
    if not terms.reviewer:
        wrong.append("no reviewer is named")
    if terms.expires and terms.expires < as_of:
        wrong.append(f"the reading expired on {terms.expires}")
    says = f"The terms of {title} ({terms.url}) were read on {terms.read} by {terms.reviewer} and hold on {as_of}."
    if wrong:
        says = f"The terms of {title} ({terms.url}) on {as_of}: {', '.join(wrong)}."
    return judge("provider_terms", subject=subject, measured=float(len(wrong)), limit=0, says=says)
