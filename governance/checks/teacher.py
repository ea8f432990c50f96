"""Was a source's teacher trained on labels that this very source voted on?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"teacher": "", "stands_on": None}


def check(teacher: str, stands_on: Mapping[str, str] | None, *, subject: str, title: str = "the source") -> Finding:
    """Counts the versions of this source in the lineage of its teacher.

    `stands_on` holds every source version that the teacher's training labels came from, name to title; None where the
    teacher's lineage is not recorded. Versions are compared by title: a version names its teacher, so that it can never
    itself stand in the teacher's lineage, but an earlier version of the same source can.
    """
    if not teacher:
        says = f"Who taught {title} is not recorded."
        return judge("teacher", subject=subject, measured=None, limit=0, says=says)
    if stands_on is None:
        says = f"What the teacher of {title} was trained on is not recorded here: {teacher}."
        return judge("teacher", subject=subject, measured=None, limit=0, says=says)
    own = sorted(name for name, other in stands_on.items() if other == title)
    says = f"The teacher of {title} was trained on labels of {len(stands_on)} source versions, none of them its own."
    if own:
        says = f"The teacher of {title} was trained on its own labels: {title} voted on them as {', '.join(own)}."
    return judge("teacher", subject=subject, measured=float(len(own)), limit=0, says=says)
