"""What differs between two runs, and what did that do to outputs and metrics? Or why did labels change?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from governance.config import Config
from governance.erased import Erased
from governance.errors import ConfigurationError, ExitCode
from governance.facts import Facts, short
from governance.project.chosen import chosen_runs
from governance.project.compared import Comparer, module_says
from governance.project.effect import Effect
from governance.project.found import Finder
from governance.project.label_diff import label_diff
from governance.project.label_sets import LabelSets
from governance.project.label_told import Wanted, told
from governance.project.lost import erased_says
from governance.project.report import Report, Table, counted, table
from governance.project.status import current_runs
from governance.project.told import when
from governance.runs.runfile import RunFile

_LABELS = "`labeltrail diff labels` holds the current label set against the one before it"
#: how many lines of one sort people get; `--json` has them all
SHOWN = 12
_GROUPS = 4
_RECORD = re.compile(r"(\w+ “[^”]*”)")
_INDEX = re.compile(r"\[\d+\]")


def diff(
    config: Config, known: Facts, runs: tuple[str, ...], *, erased: Erased | None = None, wanted: Wanted | None = None
) -> Report:
    """`labeltrail diff`: exit 0 where all was told, 4 where a part is unknown. Label sets are told row by row, with causes.

    Raises what `chosen_runs` and `LabelSets.chosen` raise, ConfigurationError for rows of what is no label set.
    """
    sets = LabelSets(config, known, erased=erased or Erased())
    (wanted or Wanted()).check()
    if (chosen := sets.chosen(runs)) is not None:
        return told(label_diff(config, known, *chosen, erased=erased or Erased()), wanted or Wanted(), known=known)
    was, now = chosen_runs(config, known, runs, also=sets.names())
    if wanted not in (None, Wanted()):
        raise ConfigurationError("--rows, --cause, --csv and --parquet are for label sets", hint=_LABELS)
    current = frozenset(run.result.name for run in current_runs(config, known))
    with Finder(config, erased=erased) as finder:
        comparer = Comparer(config, known, finder, current=current)
        data = compared(comparer, was, now)
    blocks = tuple(_blocks(data))
    return Report("diff", data, blocks, ExitCode.UNKNOWN if data["unknown"] else ExitCode.FINE)


def compared(comparer: Comparer, was: RunFile, now: RunFile) -> dict[str, Any]:
    """The whole answer as data, in the order in which people ask."""
    same = was.result.name == now.result.name
    data: dict[str, Any] = {
        "stage": now.result.stage,
        "was": _run(was, comparer),
        "now": _run(now, comparer),
        "same_result": same,
        "same_recipe": was.recipe.name == now.recipe.name,
    }
    effect = Effect(comparer)
    own = {"parameters": [], "code": [], "environment": []} if same else comparer.own(was, now)
    data |= {
        "began": [] if same else comparer.began(was, now),
        "erased": [] if same else comparer.lost.told(was, now),
        "inputs": [] if same else comparer.inputs(was, now),
        **own,
        "surroundings": [] if same else comparer.surroundings(was, now),
        "effect": {
            "outputs": [] if same else effect.outputs(was, now),
            "metrics": {"evaluations": [], "changes": [], "same": 0} if same else effect.metrics(was, now),
            "findings": [] if same else effect.findings(was, now),
            "sources": [] if same else effect.sources(was, now),
        },
    }
    data["unknown"] = comparer.contents.unknown
    return data


def _run(run: RunFile, comparer: Comparer) -> dict[str, Any]:
    execution = comparer.executions.get(run.result.name)
    return {
        "result": run.result.name,
        "recipe": run.recipe.name,
        "executed": when(execution.started) if execution else None,
        "revision": execution.revision if execution else None,
    }


def _blocks(data: dict[str, Any]) -> Iterator[str | Table]:
    yield f"{data['stage']}: {_named(data['was'])} → {_named(data['now'])}"
    if data["same_result"]:
        yield "This is the same result twice: nothing differs."
        return
    if data["began"]:
        yield "where it began:"
        yield from (f"  {one['stage']}: {'; '.join(one['says'])}" for one in data["began"])
    yield from (f"{erased_says(one)}: what differs may come of that" for one in data["erased"])
    yield from _recipe(data)
    yield from _effect(data["effect"])
    effect = data["effect"]
    silent = [name for name in ("inputs", "parameters", "code", "environment", "surroundings") if not data[name]]
    silent += [] if effect["metrics"]["changes"] else ["metrics"]
    # A finding whose outcome stays may have other figures, which the keys of its facts file tell.
    silent += [] if effect["findings"] else ["outcomes of findings"]
    if silent:
        yield f"no difference told in: {', '.join(silent)}"
    if data["unknown"]:
        told = [(one["what"], one["says"], one["hint"]) for one in data["unknown"]]
        yield table(("unknown", "because", "what helps"), told)


#: the columns of `metric_rows`; records hold 95 % intervals
METRIC_COLUMNS = ("metric", "of", "slice", "was", "is", "change", "95 % interval before")
_INSIDE = {True: ", the new figure is inside", False: ", the new figure is outside", None: ""}
_DIGITS = 4


def _named(run: dict[str, Any]) -> str:
    at = f", {run['executed']}" if run["executed"] else ""
    revision = f", commit {run['revision'][:12]}" if run["revision"] else ""
    return f"{short(run['result'])}{' (' + (at + revision)[2:] + ')' if at or revision else ''}"


def _recipe(data: dict[str, Any]) -> Iterator[str | Table]:
    if data["inputs"]:
        rows = [(one["path"], one["how"], inside(one), _makers(one["made_by"])) for one in data["inputs"]]
        yield table(("input", "is", "what is otherwise", "made by"), rows)
        yield from _ids(data["inputs"])
    changes = [*data["parameters"], *data["environment"], *data["surroundings"]]
    if changes:
        rows = [(f"{c['what']} {c['name']}".strip(), _short(c["was"]), _short(c["now"])) for c in changes]
        yield table(("recipe and surroundings", "was", "is"), rows[:SHOWN])
        if len(rows) > SHOWN:
            yield f"  and {len(rows) - SHOWN} more: --json has them all"
    if data["code"]:
        yield "code:"
        yield from (f"  {module_says(module)}" for module in data["code"][:SHOWN])
        if len(data["code"]) > SHOWN:
            yield f"  and {len(data['code']) - SHOWN} more modules: --json has them all"


def _effect(effect: dict[str, Any]) -> Iterator[str | Table]:
    other = [one for one in effect["outputs"] if one["outcome"] != "identical"]
    same = len(effect["outputs"]) - len(other)
    if other:
        yield table(
            ("output", "is", "what is otherwise"), [(one["path"], one["outcome"], inside(one)) for one in other]
        )
        yield from _ids(other)
    if same:
        yield f"{counted(same, 'output is', 'outputs are')} identical byte for byte"
    if effect["sources"]:
        yield f"sources: {', '.join(map(_source_says, effect['sources'][:SHOWN]))}"
        if len(effect["sources"]) > SHOWN:
            yield f"  and {len(effect['sources']) - SHOWN} more: --json has them all"
    for one in other:
        if one.get("labels"):
            yield from _flips(one["path"], one["labels"])
    changes = effect["metrics"]["changes"]
    if changes:
        rows, more = metric_rows(changes, shown=SHOWN)
        if rows:
            yield table(METRIC_COLUMNS, rows)
        if more:
            yield f"  {more}: --json has them all"
    if effect["findings"]:
        rows = [
            (f["check"], f["subject"], f["was"] or "not made", f["now"] or "not made", f["says"])
            for f in effect["findings"]
        ]
        yield table(("finding", "of", "was", "is", "says"), rows)


def metric_rows(changes: list[dict[str, Any]], *, shown: int) -> tuple[list[tuple[str, ...]], str]:
    """At most `shown` figures for people, four digits each, and a clause on those that are left out.

    The largest moves come first, then figures that only one of both has; what no shown digit tells is left out.
    """
    moved = [
        change for change in changes if _size(change) is None or _rounded(change["was"]) != _rounded(change["now"])
    ]
    moved.sort(key=lambda change: _size(change) or 0.0, reverse=True)
    rows = []
    for change in moved[:shown]:
        low, high = change["low"], change["high"]
        lies = _INSIDE[change["inside_interval"]]
        interval = f"{float(low):.3f} to {float(high):.3f}{lies}" if low is not None and high is not None else ""
        delta = f"{float(change['delta']):+.{_DIGITS}f}" if change["delta"] is not None else ""
        values = [_rounded(value) if value is not None else "none" for value in (change["was"], change["now"])]
        rows.append((change["metric"], change["of"], change["slice"], *values, delta, interval))
    still = len(changes) - len(moved)
    told = [f"{counted(len(moved) - shown, 'more figure')} moved less"] if len(moved) > shown else []
    told += [f"{counted(still, 'figure')} moved by less than {_DIGITS} digits show"] if still else []
    return rows, "; ".join(told)


def _size(change: dict[str, Any]) -> float | None:
    return abs(float(change["delta"])) if change["delta"] is not None else None


def _rounded(value: str) -> str:
    return f"{float(value):.{_DIGITS}f}"


def inside(one: dict[str, Any]) -> str:
    """What a file has otherwise inside, in one line."""
    if lost := one.get("erased"):
        compared = inside({key: value for key, value in one.items() if key != "erased"})
        without = [f"without what the {which} version lost: {says}" for which, says in lost.items()]
        return "; ".join([compared, *without] if compared else without)
    if "rows" in one:
        return _rows(one["rows"])
    for sort in ("keys", "files"):
        if sort in one:
            return _listed(one[sort], sort)
    return one.get("says") or one.get("first") or ""


def _rows(rows: dict[str, Any]) -> str:
    told = [f"{rows['was']:,} → {rows['now']:,} rows" if rows["was"] != rows["now"] else f"{rows['now']:,} rows"]
    told += [f"{rows[how]:,} {how}" for how in ("added", "removed", "changed") if rows[how]]
    if rows["last_digits"]:
        told.append(f"{rows['last_digits']:,} in their last digits alone")
    if rows["columns"]:
        told.append("columns " + ", ".join(f"{column} ({count:,})" for column, count in rows["columns"].items()))
    for how in ("added", "removed"):
        if rows[f"columns_{how}"]:
            told.append(f"columns {how}: {', '.join(rows[f'columns_{how}'])}")
    told += [f"column {name} was {was}, is {now}" for name, (was, now) in rows["types"].items()]
    told += ["in another order"] if rows["moved"] else []
    return "; ".join(told) if len(told) > 1 else f"{told[0]}, none otherwise"


def _listed(named: dict[str, Any], sort: str) -> str:
    told = []
    for how in ("added", "removed", "changed"):
        if not named["counts"][how]:
            continue
        groups = Counter(_group(name) for name in named[how])
        listed = [f"{name} ({count})" if count > 1 else name for name, count in groups.items()]
        # The data names so many and no more; what lies beyond them has no group either.
        more = named["counts"][how] - sum(list(groups.values())[:_GROUPS])
        told.append(f"{how}: {', '.join(listed[:_GROUPS])}{f' and {more} more' if more else ''}")
    return f"{sort} " + "; ".join(told) if told else f"the same {sort}, written otherwise"


def _group(key: str) -> str:
    """What several keys have in common: the record of a facts file, or the list that they are items of."""
    record = _RECORD.match(key)
    return record[1] if record else _INDEX.sub("[]", key)


def _source_says(source: dict[str, Any]) -> str:
    if source["was"] and source["now"]:
        return f"{source['title']} has a new version ({short(source['was'])} → {short(source['now'])})"
    return f"{source['title']} {'is new' if source['now'] else 'is gone'}"


def _ids(files: list[dict[str, Any]]) -> Iterator[Table]:
    rows = [
        (one["path"], how, ", ".join(ids))
        for one in files
        for how, ids in one.get("rows", {}).get("first", {}).items()
        if ids
    ]
    if rows:
        yield table(("rows of", "first", "ids"), rows)


def _flips(path: str, flips: dict[str, Any]) -> Iterator[str | Table]:
    told = [f"{flips['flipped']:,} of {flips['both']:,} labels flipped"]
    told += [f"{flips['gained']:,} gained one"] if flips["gained"] else []
    told += [f"{flips['lost']:,} lost theirs"] if flips["lost"] else []
    yield f"{path}: {', '.join(told)}"
    if flips["pairs"]:
        yield table(("was", "is", "examples"), [(p["was"], p["now"], f"{p['examples']:,}") for p in flips["pairs"]])
        yield "`labeltrail diff LABELS LABELS` says for each of them why: `labeltrail diff labels`, for the newest two"


def _makers(made_by: dict[str, str | None]) -> str:
    if made_by["was"] is None and made_by["now"] is None:
        return ""
    return " → ".join(short(name) if name else "no recorded run" for name in (made_by["was"], made_by["now"]))


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    if len(value) in (40, 64) and set(value) <= set("0123456789abcdef"):
        return f"{value[:12]}…"
    return value if len(value) <= 200 else f"{value[:199]}…"
