"""Did somebody other than its author approve this very version of a source?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from governance.checks._judge import judge
from governance.records import Approval, Finding, Outcome

EMPTY: dict[str, object] = {"approvals": None}


def check(
    approvals: Sequence[Approval] | None,
    *,
    subject: str,
    title: str = "the source",
    author: str = "",
    author_key: str = "",
    genuine: Collection[str] = (),
    older: bool = False,
) -> Finding:
    """Counts approvals by others, beside the one that is needed.

    `approvals` are those of exactly this version, oldest first, None where nothing is known of any; `genuine` names those
    whose signature fits; `older` says that another version of the source was approved.
    """
    if approvals is None:
        says = f"Whether anybody approved {title} is not known: this version is not recorded."
        return _judged(None, subject, says)
    if not approvals:
        more = " An approval of another version is none of this one." if older else ""
        return _judged(0, subject, f"Nobody approved this version of {title}.{more}")
    judged = [judge_one(one, author=author, author_key=author_key, genuine=genuine) for one in approvals]
    good = [says for outcome, says in judged if outcome == "pass"]
    outcome, says = judged[-1]
    if good:
        return _judged(len(good), subject, f"{title} is approved {good[-1]}.")
    return _judged(None if outcome == "unknown" else 0, subject, f"{title} is approved {says}.")


def judge_one(
    approval: Approval, *, author: str, author_key: str = "", genuine: Collection[str] = ()
) -> tuple[Outcome, str]:
    """Whether one approval is somebody else's, compared by key where both sides have one, and how that is said."""
    by = f"by {approval.who} ({approval.role})"
    if approval.public_key is not None and approval.name not in genuine:
        return "fail", f"{by}, with a signature that does not fit"
    stated = "" if approval.public_key is not None else ", self-stated"
    if approval.public_key is not None and author_key:
        own = approval.public_key == author_key
        return ("fail", f"{by} with the key of its own author") if own else ("pass", f"{by}, signed with another key")
    if not author:
        return "unknown", f"{by}{stated}, and who wrote it is not recorded"
    if _same(approval.who, author):
        return "fail", f"{by}{stated}, who is its own author"
    return "pass", f"{by}{stated or ', signed'}; its author is {author} by their own word"


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _judged(count: int | None, subject: str, says: str) -> Finding:
    measured = None if count is None else float(count)
    return judge("approval", subject=subject, measured=measured, limit=1, at_least=True, says=says)
