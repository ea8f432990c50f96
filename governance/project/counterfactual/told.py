"""How are counterfactuals and blast radius told to people?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from governance.facts import short
from governance.project.report import Table, counted, table

WAYS = {
    "frozen": "frozen: every table as it is",
    "refitted": "refitted: learned again without it",
    "retrained": "retrained: predictions of the end model",
}


def gold_told(gold: dict[str, Any] | None) -> Iterator[str]:
    """What figures beside this gold are worth, where that is less than they look."""
    if gold is None:
        yield "no gold: what it does to accuracy and calibration is unknown"
    elif gold["voted"]:
        yield f"gold is {gold['says']}, which voted itself: figures beside it are no independent evidence"


def whatif_blocks(data: dict[str, Any]) -> Iterator[str | Table]:
    """Labels and predictions before and after; what is unknown is told as unknown."""
    named = ", ".join(f"{one['title']} {one['version']} ({short(one['source'])})" for one in data["without"])
    yield f"without {named}: {counted(data['covered'], 'labelled row')} of {data['rows']:,} ({short(data['labels'])})"
    yield from gold_told(data["gold"])
    ways = [way for way in WAYS if data[way] is not None]
    known = [way for way in ways if "unknown" not in data[way]]
    yield table(
        ("", "flip", "lose their label", "accuracy", "calibration error"),
        [(WAYS[way], *_counts(data[way]), *_beside(data[way])) for way in known],
    )
    for way in ways:
        if way not in known:
            yield f"{WAYS[way]}: unknown, because {data[way]['unknown']} ({data[way]['hint']})"
    if "refitted" in known:
        yield _refit(data["refitted"])
    if "retrained" in known:
        yield _training(data["retrained"])
    for way in known:
        if data[way]["pairs"]:
            pairs = [
                (one["was"] or "no label", one["now"] or "no label", f"{one['rows']:,}") for one in data[way]["pairs"]
            ]
            yield table(("was", "is", "rows"), pairs, title=WAYS[way])
    if known:
        yield _by_slice(data, known, "rows by part")
    last = known[-1] if known else None
    if last and data[last]["first"]:
        yield f"`labeltrail why {shlex.quote(data[last]['first'][0])}` explains one that flips"


def blast_blocks(data: dict[str, Any]) -> Iterator[str | Table]:
    """The three tiers, where they are, and what hangs on the source."""
    one = data["source"]
    yield f"{one['title']} {one['version']} ({short(one['source'])})"
    if data["touched"] is None:
        yield "it did not vote in the current votes: what it touched is told by the records alone"
    else:
        yield from _tiers(data)
    rows = [(kind, f"{len(found):,}", _first(found)) for kind, found in data["hangs"].items()]
    if rows:
        yield table(("what hangs on it now", "records", ""), rows)
    else:
        yield "nothing of the current runs hangs on it"
    if any(data["store"]["earlier"].values()):
        rows = [(kind, f"{count:,}") for kind, count in data["store"]["earlier"].items()]
        yield table(("earlier, in this store", "records"), rows)


def _tiers(data: dict[str, Any]) -> Iterator[str | Table]:
    tiers = [("touched: it voted", data["touched"]["rows"])]
    decisive, predicted, training = data["decisive"], data["predicted"], data["training"]
    if "unknown" not in decisive:
        tiers.append(("decisive: the label flips without its vote", decisive["flipped"]))
        tiers.append(("decisive: no label is left", decisive["lost"]))
    if predicted and "unknown" not in predicted:
        tiers.append(("predicted: the end model says otherwise", predicted["changed"]))
    rows = [(tier, f"{count:,}", share(count, data["rows"])) for tier, count in tiers]
    yield table(("tier", "rows", f"of {data['rows']:,}"), rows)
    for tier in ("decisive", "predicted"):
        if data[tier] and "unknown" in data[tier]:
            yield f"{tier}: unknown, because {data[tier]['unknown']} ({data[tier]['hint']})"
    if predicted is None:
        yield (
            f"predicted: not asked; of {training['rows']:,} rows that the end model was trained on it touched "
            f"{training['touched']:,} and decided {training['decisive']:,}: --retrain says what is predicted otherwise"
            if training
            else "predicted: not asked, and nothing here says on which rows an end model was trained: --retrain says why"
        )
    rows = [
        (
            one["slice"],
            *("unknown" if one[what] is None else f"{one[what]:,}" for what in ("rows", "touched", "decisive")),
        )
        for one in data["touched"]["slices"]
    ]
    yield table(("part", "rows", "touched", "decisive"), rows)


def _first(found: list[dict[str, Any]]) -> str:
    named = f"{found[0]['label']} ({short(found[0]['name'])})"
    return f"{named} and {len(found) - 1:,} more" if len(found) > 1 else named


def _counts(told: dict[str, Any]) -> tuple[str, str]:
    return f"{told['flipped']:,}", f"{told['lost']:,}"


def _beside(told: dict[str, Any]) -> tuple[str, str]:
    before, after = told["before"], told["after"]
    if before is None or after is None:
        return "unknown", "unknown"
    return _both(before, after, "accuracy"), f"{float(before['ece']):.3f} → {float(after['ece']):.3f}"


def _both(before: dict[str, Any], after: dict[str, Any], what: str) -> str:
    return f"{float(before[what]):.3f} → {float(after[what]):.3f}"


def _by_slice(data: dict[str, Any], known: list[str], title: str) -> Table:
    columns = ("part", "rows", *(f"{way}: change" for way in known), *(f"{way}: accuracy" for way in known))
    rows = []
    for place, cut in enumerate(data[known[0]]["slices"] if known else ()):
        told = [data[way]["slices"][place] for way in known]
        accuracy = [
            _both(one["before"], one["after"], "accuracy") if one["before"] and one["after"] else "unknown"
            for one in told
        ]
        rows.append((cut["slice"], f"{cut['rows']:,}", *(f"{one['changed']:,}" for one in told), *accuracy))
    return table(columns, rows, title=title)


def _refit(told: dict[str, Any]) -> str:
    steps = "" if told["iterations"] is None else f" in {counted(told['iterations'], 'iteration')}"
    ended = ", which did not converge" if told["converged"] is False else ""
    was, now = (", ".join(f"{float(share):.3f}" for share in told[what]) for what in ("balance_before", "balance"))
    return (
        f"fitted again on {told['learned_from']['says']} ({told['learned_from']['rows']:,})"
        f"{steps}{ended}; class balance {was} → {now}"
    )


def _training(told: dict[str, Any]) -> str:
    rows = told["trained_on"]
    return (
        f"trained again on {rows['after']:,} rows, before on {rows['before']:,}, in {told['seconds']} s; the same training "
        f"on the recorded labels gives the recorded predictions within {float(told['again_within']):.0e}"
    )


def share(part: int, whole: int) -> str:
    """A share in percent, as tables and pictures tell it; of nothing there is none."""
    return f"{100 * part / whole:.1f} %" if whole else ""
