"""A source was bad: which rows did it touch, which did it decide, what is predicted otherwise, and what hangs on it?

Touched are the rows on which it voted. Decisive are those whose label is another one, or none, without its votes, with
every table as it is: its votes and not what it taught. Predicted are the rows of which the end model, trained on labels
that were learned without it, says something else than it is recorded to have said; only a training can tell these.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.config import Config
from governance.errors import ExitCode, InvalidRecord
from governance.facts import Facts
from governance.lineage.impact import hanging
from governance.project.counterfactual.pictured import blast_picture
from governance.project.counterfactual.refit import Unable, fitted_as, labels_again
from governance.project.counterfactual.retrain import Trained, retrained, trained_as
from governance.project.counterfactual.told import blast_blocks
from governance.project.counterfactual.voters import Voter, find_voter
from governance.project.counterfactual.whatif import Loaded
from governance.project.picture import Pictured, need_svg, pictured
from governance.project.report import Report
from governance.records import Source
from governance.store.trail import Trail

if TYPE_CHECKING:
    import numpy as np


def blast(
    source: str,
    *,
    config: Config,
    trail: Trail,
    facts: Facts,
    known: Facts,
    retrain: bool = False,
    picture_to: Path | None = None,
) -> Pictured:
    """`labeltrail blast`: exit 4 where a part of the answer is unknown.

    Raises MissingEvidence, BrokenEvidence, UnknownName, AmbiguousName, InvalidRecord, ConfigurationError.
    """
    need_svg(picture_to)
    loaded = Loaded.read(config=config, trail=trail, facts=facts)
    try:
        voter = find_voter(loaded.voters, source, facts=known)
    except InvalidRecord:
        record = known.resolve(source)
        assert isinstance(record, Source)  # noqa: S101 - that is what `find_voter` says of it
        voter = Voter("", record.name, record.title, record.version, 0)
    data: dict[str, Any] = {
        "source": voter.to_json(),
        "labels": loaded.labels.labels.name,
        "vote_set": loaded.labels.votes.name,
        "rows": len(loaded.labels.table),
        "covered": int((loaded.labels.label >= 0).sum()),
        **(tiers(loaded, voter, retrain=retrain) if voter.column else _NOWHERE),
        "hangs": {kind: [dict(vars(one)) for one in found] for kind, found in hanging(voter.name, facts).items()},
        "store": {"log": trail.log, "earlier": _earlier(voter.name, facts=facts, known=known)},
    }
    unknown = data["touched"] is None or any("unknown" in (data[tier] or {}) for tier in ("decisive", "predicted"))
    told = Report("blast", data, tuple(blast_blocks(data)), ExitCode.UNKNOWN if unknown else ExitCode.FINE)
    return pictured(told, blast_picture(data), place=picture_to)


_NOWHERE: dict[str, Any] = {"touched": None, "decisive": None, "training": None, "predicted": None}


def tiers(loaded: Loaded, voter: Voter, *, retrain: bool) -> dict[str, Any]:
    """1. the rows it voted on  2. those that it decided  3. what the end model was taught, and would predict"""
    import numpy as np

    labels = loaded.labels
    # 1.
    said = labels.table.matrix[:, labels.table.columns.index(voter.column)]
    touched = said >= 0
    # 2.
    unable = labels_again(labels)
    decided, decisive = np.zeros_like(touched), unable.to_json() if unable else {}
    if not unable:
        frozen = loaded.frozen([voter])
        decided = frozen[0] != labels.label
        decisive = loaded.changes((labels.label, labels.proba), frozen)
    # 3.
    told: dict[str, Any] | None = None
    if retrain:
        told = _predicted(loaded, voter)
    return {
        "touched": {
            "rows": int(touched.sum()),
            "votes": {name: int((said == k).sum()) for k, name in enumerate(labels.classes)},
            "slices": [
                {
                    "slice": name,
                    "rows": int(rows.sum()),
                    "touched": int((touched & rows).sum()),
                    "decisive": None if unable else int((decided & rows).sum()),
                }
                for name, rows in loaded.cuts
            ],
        },
        "decisive": decisive,
        "training": None if unable else _training(loaded, touched, decided),
        "predicted": told,
    }


def _earlier(source: str, *, facts: Facts, known: Facts) -> dict[str, int]:
    """How many records of each kind hang on the source in this store, and not in the current runs."""
    counted = {kind: sum(one.name not in facts for one in found) for kind, found in hanging(source, known).items()}
    return {kind: count for kind, count in counted.items() if count and kind != "commitment"}


def _predicted(loaded: Loaded, voter: Voter) -> dict[str, Any]:
    fitted = fitted_as(loaded.labels)
    if isinstance(fitted, Unable):
        return fitted.to_json()
    if len(loaded.voters) == 1:
        return Unable("no source is left to learn from", "another source has to vote on these rows").to_json()
    refitted = loaded.refitted(fitted, [voter])
    return refitted.to_json() if isinstance(refitted, Unable) else retrained(loaded, refitted[1])


def _training(loaded: Loaded, touched: np.ndarray, decided: np.ndarray) -> dict[str, int] | None:
    trained = trained_as(loaded)
    if not isinstance(trained, Trained):
        return None
    rows = trained.rows
    return {"rows": len(rows), "touched": int(touched[rows].sum()), "decisive": int(decided[rows].sum())}
