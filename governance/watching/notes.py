"""How does what was seen get from the process that saw it to whoever records it?

As JSON and arrays of numbers in a folder: no record is made, and none of the packages that records need is imported, in
the process of a script.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from governance import __version__
from governance.errors import InvalidRecord
from governance.limits import TimeLimit
from governance.process import Process
from governance.watching.points import Points
from governance.watching.session import Application, Fitted, Labelled, Session, Trained, Voter

T = TypeVar("T")

#: written last: without it nothing of the folder counts
_INDEX = "index.json"


@dataclass(frozen=True)
class Told:
    """What one process was seen to do, and what it said of itself when it ended."""

    seen: Session
    process: Process
    #: how many threads its arithmetic had
    threads: int
    #: path → (SHA-256, size) of code when it was executed; files that were opened to be read
    executed: dict[str, tuple[str, int]]
    read: list[str]


def write_notes(told: Told, folder: Path) -> None:
    """Writes everything that is told into a new folder. Raises OSError, TypeError and ValueError."""
    folder.mkdir()
    seen = told.seen
    index = {
        "library": __version__,
        "process": asdict(told.process),
        "threads": told.threads,
        "executed": told.executed,
        "read": told.read,
        "seen": {name: getattr(seen, name) for name in ("id_column", "faults", "unknown", "seconds")},
        "time limit": None if seen.limit is None else seen.limit.seconds,
        "applications": [_of_application(one, folder / f"votes{at}") for at, one in enumerate(seen.applications)],
        "fitted": [_of_fitted(one, seen, folder / f"model{at}") for at, one in enumerate(seen.fitted)],
        "labelled": [_of_labelled(one, seen, folder / f"labels{at}") for at, one in enumerate(seen.labelled)],
        "trained": [_of_trained(one, seen) for one in seen.trained],
    }
    _write(index, folder / f"{_INDEX}.partial")
    (folder / f"{_INDEX}.partial").rename(folder / _INDEX)


def read_notes(folder: Path) -> Told | None:
    """What was told; None where nothing was told to its end. Raises InvalidRecord for another LabelTrail's words."""
    if not (folder / _INDEX).is_file():
        return None
    index = _read(folder / _INDEX)
    if index["library"] != __version__:
        wanted = f"{__version__}, which runs the command"
        raise InvalidRecord("version of LabelTrail in the script's process", index["library"], wanted)
    seen = Session(id_column=index["seen"]["id_column"])
    for name, value in index["seen"].items():
        setattr(seen, name, value)
    if index["time limit"] is not None:
        seen.limit = TimeLimit(index["time limit"])
    seen.applications += [_application(one, folder / f"votes{at}") for at, one in enumerate(index["applications"])]
    seen.fitted += [_fitted(one, seen, folder / f"model{at}") for at, one in enumerate(index["fitted"])]
    seen.labelled += [_labelled(one, seen, folder / f"labels{at}") for at, one in enumerate(index["labelled"])]
    seen.trained += [_trained(one, seen) for one in index["trained"]]
    executed = {path: (digest, size) for path, (digest, size) in index["executed"].items()}
    return Told(seen, Process(**index["process"]), index["threads"], executed, index["read"])


# -- one kind after the other, written and read -----------------------------------------------------------------------


def _of_application(one: Application, place: Path) -> dict[str, Any]:
    points = one.points
    _write(points.ids, place.with_suffix(".ids.json"))
    for at, values in enumerate(points.columns.values()):
        _write(values, place.with_suffix(f".column{at}.json"))
    _save(_narrow(one.matrix), place)
    return {
        "applier": one.applier,
        "dtype": one.matrix.dtype.str,
        "time limit": None if one.limit is None else one.limit.seconds,
        "named_by": points.named_by,
        "columns": list(points.columns),
        "left_out": points.left_out,
        "voters": [
            [v.name, v.summary, v.behaviour.digest, v.behaviour.opaque, v.behaviour.packages] for v in one.voters
        ],
        "errors": [[row, place, what] for (row, place), what in one.errors.items()],
        "odd": one.odd,
        "seconds": one.seconds,
        "alignment": None if one.alignment is None else asdict(one.alignment),
    }


def _application(told: dict[str, Any], place: Path) -> Application:
    from governance.fingerprint import Behaviour
    from governance.watching.aligned import Alignment

    columns = {name: _read(place.with_suffix(f".column{at}.json")) for at, name in enumerate(told["columns"])}
    points = Points(
        _read(place.with_suffix(".ids.json")), told["named_by"], None, columns, left_out=tuple(told["left_out"])
    )
    voters = [
        Voter(name, summary, Behaviour(digest, tuple(opaque), tuple((name, version) for name, version in packages)))
        for name, summary, digest, opaque, packages in told["voters"]
    ]
    aligned = told["alignment"]
    if aligned is not None:
        aligned = Alignment(**{**aligned, "unsteady": tuple(aligned["unsteady"]), "changed": tuple(aligned["changed"])})
    return Application(
        told["applier"],
        points,
        voters,
        matrix=_load(place).astype(told["dtype"], copy=False),
        limit=None if told["time limit"] is None else TimeLimit(told["time limit"]),
        errors={(row, column): what for row, column, what in told["errors"]},
        odd=told["odd"],
        seconds=told["seconds"],
        alignment=aligned,
    )


_OF_FITTED = ("method", "cardinality", "parameters", "seed", "seed_given", "balance_origin", "objective")


def _of_fitted(one: Fitted, seen: Session, place: Path) -> dict[str, Any]:
    for name, array in one.arrays.items():
        _save(array, place.with_suffix(f".{name}"))
    told = {name: getattr(one, name) for name in _OF_FITTED}
    return {**told, "votes": _place(one.votes, seen.applications), "arrays": list(one.arrays)}


def _fitted(told: dict[str, Any], seen: Session, place: Path) -> Fitted:
    return Fitted(
        votes=_at(told["votes"], seen.applications),
        arrays={name: _load(place.with_suffix(f".{name}")) for name in told["arrays"]},
        **{name: told[name] for name in _OF_FITTED},
    )


def _of_labelled(one: Labelled, seen: Session, place: Path) -> dict[str, Any]:
    _save(one.probabilities, place.with_suffix(".probabilities"))
    if one.predictions is not None:
        _save(one.predictions, place.with_suffix(".predictions"))
    return {
        "model": _place(one.model, seen.fitted),
        "votes": _place(one.votes, seen.applications),
        "predicted": one.predictions is not None,
        "policy": one.policy,
    }


def _labelled(told: dict[str, Any], seen: Session, place: Path) -> Labelled:
    return Labelled(
        seen.fitted[told["model"]],
        seen.applications[told["votes"]],
        _load(place.with_suffix(".probabilities")),
        _load(place.with_suffix(".predictions")) if told["predicted"] else None,
        told["policy"],
    )


def _of_trained(one: Trained, seen: Session) -> dict[str, Any]:
    told = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in ("estimator", "held")}
    return {
        **told,
        "labels": _place(one.labels, seen.labelled),
        # An object of JSON has no numbers for keys.
        "counts": list(one.counts.items()),
        "held": None if one.held is None else asdict(one.held),
    }


def _trained(told: dict[str, Any], seen: Session) -> Trained:
    from governance.watching.held import Held

    held = None if told["held"] is None else Held(**told["held"])
    labels, counts = seen.labelled[told["labels"]], dict(told["counts"])
    return Trained(**{**told, "labels": labels, "counts": counts, "held": held})


def _place(one: Any, among: list[Any]) -> int | None:
    return next((at for at, other in enumerate(among) if other is one), None)


def _at(place: int | None, among: list[T]) -> T | None:
    return None if place is None else among[place]


# -- files ------------------------------------------------------------------------------------------------------------


def _write(value: Any, path: Path) -> None:
    # Text in ASCII: a lone surrogate, which no encoding takes, is still told as what it is.
    path.write_text(json.dumps(value), encoding="ascii")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="ascii"))


def _save(array: Any, place: Path) -> None:
    import numpy as np

    np.save(f"{place}.npy", np.asarray(array), allow_pickle=False)


def _narrow(array: Any) -> Any:
    """The same whole numbers in the least bytes that hold all of them; votes are few, and come as 8 bytes each."""
    import numpy as np

    if array.dtype.kind != "i" or not array.size:
        return array
    least, most = int(array.min()), int(array.max())
    kinds = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
    return array.astype(next(kind for kind in kinds if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max))


def _load(place: Path) -> Any:
    import numpy as np

    return np.load(f"{place}.npy", allow_pickle=False)
