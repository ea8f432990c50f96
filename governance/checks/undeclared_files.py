"""Does a stage use what dvc.yaml does not list, so that an edit of it would not run the stage again?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"undeclared": {}, "stage": "", "unseen": "nothing watched it"}
#: how many files are named one by one
_NAMED = 10
#: of a file of which nobody can tell who opened it
WHILE = "while it ran"


def check(undeclared: Mapping[str, str], stage: str, *, subject: str, unseen: str = "", limit: float = 0.0) -> Finding:
    """Counts what a stage uses and nothing declares; `undeclared` holds each file with what was done to it.

    `unseen` says why there may be more, and is empty where everything was seen: then alone can finding nothing pass.
    """
    if unseen and not undeclared:
        says = f"Whether stage {stage} uses files that dvc.yaml does not list is not known: {unseen}."
        return judge("undeclared_files", subject=subject, measured=None, limit=limit, says=says)
    named = [f"{path} ({done})" for path, done in sorted(undeclared.items())]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    says = f"Stage {stage} uses what dvc.yaml does not list: {', '.join(named[:_NAMED])}{more}."
    if not named:
        says = f"dvc.yaml lists every file that was seen to be opened while stage {stage} ran."
    if any(WHILE in done for done in undeclared.values()):
        says += f" What was opened or written {WHILE} may be another process's doing."
    if unseen:
        says += f" There may be more: {unseen}."
    return judge("undeclared_files", subject=subject, measured=float(len(named)), limit=limit, says=says)
