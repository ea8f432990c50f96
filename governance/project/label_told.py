"""How is a difference between two label sets told: by cause, by slice, by example, and as a table for others?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import decimal, sync_folder
from governance.errors import ExitCode, InvalidRecord, UnknownName
from governance.facts import Facts, short
from governance.lineage import changes
from governance.lineage.label_rows import MOVED
from governance.parquet import write_table
from governance.project.label_diff import LabelDiff
from governance.project.label_sets import LabelSet
from governance.project.report import Report, Table, counted, table
from governance.project.told import when
from governance.records import Execution

if TYPE_CHECKING:
    import polars as pl

#: example rows of each cause where nobody asks for a number, and rows of one cause that was asked for
EXAMPLES, LISTED = 3, 20
#: so many sources, parameters and pairs of classes people get; `--json` has them all
_SHOWN = 12


@dataclass(frozen=True)
class Wanted:
    """What of the answer somebody wants: how many rows of which cause, and the tables to write."""

    rows: int | None = None
    cause: str | None = None
    csv: Path | None = None
    parquet: Path | None = None

    def check(self) -> None:
        """Raises UnknownName for no cause, InvalidRecord for a number or a file name that is none."""
        if self.cause is not None and self.cause.replace("-", " ") not in changes.CAUSES:
            raise UnknownName("cause", self.cause, changes.CAUSES)
        if self.rows is not None and self.rows < 0:
            raise InvalidRecord("rows", self.rows, "a number from 0")
        for field, place in (("csv", self.csv), ("parquet", self.parquet)):
            if place is not None and (place.suffix.lower() != f".{field}" or not place.parent.is_dir()):
                raise InvalidRecord(field, str(place), f"a file name that ends in .{field}, in a folder that is there")


def told(diff: LabelDiff, wanted: Wanted, *, known: Facts) -> Report:
    """`labeltrail diff LABELS LABELS`: exit 0 where every row has its cause, 4 where a part of the answer is unknown."""
    import polars as pl

    rows = diff.rows
    cause = wanted.cause.replace("-", " ") if wanted.cause else None
    many = wanted.rows if wanted.rows is not None else LISTED if cause else EXAMPLES
    shown = rows.filter(pl.col("cause") == cause) if cause else rows
    data = {**_counted(diff, known), "examples": shown.group_by("cause", maintain_order=True).head(many).to_dicts()}
    data["written"] = _written(rows, wanted)
    unknown = bool(data["unknown"]) or data["causes"].get(changes.UNKNOWN, 0) > 0
    blocks = tuple(_blocks(data, listed=many > 0, cause=cause))
    return Report("diff", data, blocks, ExitCode.UNKNOWN if unknown else ExitCode.FINE)


def _counted(diff: LabelDiff, known: Facts) -> dict[str, Any]:
    """Everything but rows, as counts: those of the causes add up to `changed`."""
    import polars as pl

    rows, matched = diff.rows, diff.matched
    found = dict(rows.group_by("cause", maintain_order=True).len().rows())
    what = rows.filter(pl.col("what") != "").group_by("cause", "what", maintain_order=True).len("rows")
    slices = rows.filter(pl.col("slice").is_not_null()).group_by("slice", "cause").len("rows").sort("slice", "cause")
    pairs = rows.filter(pl.col("was").is_not_null() & pl.col("now").is_not_null()).group_by("was", "now").len("rows")
    flipped = len(matched.changed_now)
    return {
        "was": _set(diff.one, known),
        "now": _set(diff.two, known),
        "same_labels": diff.one.record.name == diff.two.record.name,
        "both": matched.both,
        "changed": len(rows),
        "flipped": flipped,
        "causes": {cause: found[cause] for cause in changes.CAUSES if cause in found},
        "what": what.sort("rows", descending=True, maintain_order=True).to_dicts(),
        "slices": slices.to_dicts(),
        "pairs": pairs.sort("rows", "was", "now", descending=[True, False, False]).to_dicts(),
        "back_and_forth": int((rows["moves"] > 1).sum()),
        "moved": {"by_more_than": decimal(MOVED), "of": matched.both - flipped, "rows": matched.moved},
        "refit_because": list(diff.because),
        "erased": {
            which: {"rows": count, "says": says}
            for which, (count, says) in zip(("was", "now"), diff.erased, strict=True)
            if count
        },
        "unknown": diff.unknown,
    }


def _set(one: LabelSet, known: Facts) -> dict[str, Any]:
    executions = {execution.result: execution for execution in known.of(Execution)}
    execution = executions.get(one.result.name)
    return {
        "labels": one.record.name,
        "title": one.record.title,
        "rows": one.record.rows,
        "stage": one.result.stage,
        "result": one.result.name,
        "executed": when(execution.started) if execution else None,
        "revision": execution.revision if execution else None,
    }


def _written(rows: pl.DataFrame, wanted: Wanted) -> list[str]:
    """Writes every changed row, whole or not at all. Raises OSError."""
    table_ = rows.rename({"moves": "label_moves"})
    if wanted.parquet is not None:
        write_table(table_, wanted.parquet)
    if wanted.csv is not None:
        partial = wanted.csv.with_name(f".{wanted.csv.name}.{os.getpid()}.partial")
        try:
            table_.write_csv(partial)
            os.replace(partial, wanted.csv)
            sync_folder(wanted.csv.parent)
        finally:
            partial.unlink(missing_ok=True)
    return [str(place) for place in (wanted.csv, wanted.parquet) if place is not None]


def _blocks(data: dict[str, Any], *, listed: bool, cause: str | None) -> Iterator[str | Table]:
    was, now, changed = data["was"], data["now"], data["changed"]
    yield f"{now['title']}: {_named(was)} → {_named(now)}"
    if data["same_labels"]:
        yield "This is the same label set twice: nothing differs."
        return
    held = f"{was['rows']:,} → {now['rows']:,} rows, {data['both']:,} in both"
    yield f"{held}: {counted(changed, 'row')} changed, of which {data['flipped']:,} have another label"
    if changed:
        rows = [(cause, f"{count:,}", f"{count / changed:.1%}") for cause, count in data["causes"].items()]
        yield table(("cause", "rows", "share"), [*rows, ("all", f"{changed:,}", "100.0%")])
    yield from _details(data)
    if listed and data["examples"]:
        shown = [(row["cause"], row["id"] or "erased", row["was"], row["now"], row["what"]) for row in data["examples"]]
        yield table(("cause", "example", "was", "is", "what"), shown)
    if cause and cause not in data["causes"]:
        yield f"no row has the cause {cause}"
    yield from _remarks(data)
    if data["unknown"]:
        rows = [(one["what"], one["says"], one["hint"]) for one in data["unknown"]]
        yield table(("unknown", "because", "what helps"), rows)


def _details(data: dict[str, Any]) -> Iterator[str | Table]:
    if data["what"]:
        rows = [(one["cause"], one["what"], f"{one['rows']:,}") for one in data["what"]]
        yield table(("cause", "what", "rows"), rows[:_SHOWN])
        if len(rows) > _SHOWN:
            yield f"  and {len(rows) - _SHOWN} more: --json has them all"
    if data["slices"]:
        causes = [cause for cause in changes.CAUSES if any(one["cause"] == cause for one in data["slices"])]
        found = {(one["slice"], one["cause"]): one["rows"] for one in data["slices"]}
        names = list(dict.fromkeys(one["slice"] for one in data["slices"]))
        rows = [(name, *(f"{found[name, c]:,}" if (name, c) in found else "" for c in causes)) for name in names]
        yield table(("slice", *causes), rows[:_SHOWN])
        if len(rows) > _SHOWN:
            yield f"  and {len(rows) - _SHOWN} more: --json has them all"
    if data["pairs"]:
        rows = [(one["was"], one["now"], f"{one['rows']:,}") for one in data["pairs"]]
        yield table(("was", "is", "rows"), rows[:_SHOWN])


def _remarks(data: dict[str, Any]) -> Iterator[str]:
    if data["causes"].get(changes.REFIT) and data["refit_because"]:
        yield f"the label model was fitted anew for: {'; '.join(data['refit_because'])}"
    if data["back_and_forth"]:
        says = "left its new label on the way and came back to it, or took a third one between"
        yield f"{counted(data['back_and_forth'], 'row')} {says}: the step that settled it is told"
    moved = data["moved"]
    if moved["rows"] is not None:
        stayed = f"of {counted(moved['of'], 'row')} whose label, or lack of one, stayed"
        says = f"{stayed}, {moved['rows']:,} have a probability that moved"
        yield f"{says} by more than {moved['by_more_than']}"
    for which, one in data["erased"].items():
        side = "earlier" if which == "was" else "later"
        rows = counted(one["rows"], "row")
        yield f"{rows} of the {side} set: {one['says']}; whether labels differed there cannot be told any more"
    for place in data["written"]:
        yield f"every changed row is in {place}"


def _named(one: dict[str, Any]) -> str:
    at = [one["executed"] or "", f"commit {one['revision'][:12]}" if one["revision"] else ""]
    about = ", ".join(part for part in at if part)
    return f"{short(one['labels'])}{f' ({about})' if about else ''}"
