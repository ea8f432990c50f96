"""Did the model answer that was asked for?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"models": {}, "requested": ""}


def check(
    models: Mapping[str, int],
    requested: str,
    *,
    subject: str,
    accepts: Collection[str] = (),
    title: str = "the source",
    limit: float = 0.0,
) -> Finding:
    """Judges the share of answers that name another model; `models` counts answers by the model that they name.

    Answers that name none ("") are nobody's: where there is nothing else, the outcome is unknown.
    """
    total = sum(models.values())
    silent = models.get("", 0)
    if not total or silent == total:
        says = f"No answer to {title} names the model that gave it."
        return judge("answering_model", subject=subject, measured=None, limit=limit, says=says)
    others = {name: count for name, count in sorted(models.items()) if name not in ("", requested, *accepts)}
    count = sum(others.values())
    says = f"{title} asked for {requested}, and it answered {total - silent:,} times."
    if others:
        told = ", ".join(f"{name} {number:,}" for name, number in others.items())
        says = f"{title} asked for {requested}, and another model answered {count:,} of {total:,} times: {told}."
    if silent:
        says += f" {silent:,} answers ({percent(silent / total)}) name no model."
    return judge("answering_model", subject=subject, measured=count / total, limit=limit, says=says)
