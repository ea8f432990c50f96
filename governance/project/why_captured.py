"""Why did an example of a captured run get its label? Its votes, and what each added, where its label model comes apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.config import Config
from governance.digest import decimal
from governance.erased import by_entries
from governance.errors import MissingEvidence, UnknownName
from governance.facts import Facts, short
from governance.labelmodels.captured import ADDITIVE, CapturedModel, is_captured, read_captured, take_apart
from governance.lineage.rows import Held, R, Rows
from governance.project.report import Report, Table, table
from governance.project.why import SILENCE, RowStore, percent, signed
from governance.records import Dataset, Labels, Record, Result, Source, Votes
from governance.runs.outside import CAPTURED
from governance.store.commitments import SubjectKeys
from governance.store.forgetting import erasures
from governance.store.trail import Trail
from governance.votes.alignment import need_alignment

_NOT_APART = "a {method} does not come apart by source: only the votes and what it answered can be told"


def captured_runs(facts: Facts) -> list[Result]:
    """The current results of captured runs, the last stated first."""
    return [r for r in reversed(facts.of(Result)) if r.stage.startswith(f"{CAPTURED}/")]


def why_captured(example: str, *, config: Config, trail: Trail, facts: Facts) -> Report:
    """Looks an example up in every captured run: first where it has a label, then where it has votes alone.

    Raises UnknownName with the nearest ids, MissingEvidence, BrokenEvidence.
    """
    unknown: UnknownName | None = None
    for result in captured_runs(facts):
        run = _Run(result, config=config, trail=trail, facts=facts)
        try:
            data = run.answer(example)
        except UnknownName as error:
            unknown = unknown or error
            continue
        return Report("why", data, tuple(_blocks(data)))
    if unknown is None:
        raise MissingEvidence("no captured run is here", hint="labeltrail run -- python train.py")
    entry = SubjectKeys(trail).erased(example)
    if entry is not None:
        raise MissingEvidence(f"this example was {by_entries([entry])}", hint="`labeltrail log` shows the entry")
    raise unknown


class _Run:
    """One captured run: its label sets, and the vote sets that have none."""

    def __init__(self, result: Result, *, config: Config, trail: Trail, facts: Facts) -> None:
        self.result, self.config, self.trail, self.facts = result, config, trail, facts
        made = [record for name in result.generated if (record := facts.get(name)) is not None]
        self.made = made
        self.rows = Rows(config.root, Facts([*made, result]), id_column=config.id_column, erased=erasures(trail))

    def answer(self, example: str) -> dict[str, Any]:
        """1. the vote set that knows the example  2. its label  3. taken apart  4. where it stands in this store"""
        # 1.
        labels, votes = self._that_knows(example)
        need_alignment(votes)
        held = {"dataset": self._held(Dataset, votes.dataset), "votes": self._held(Votes, votes.name)}
        model: CapturedModel | None = None
        records = {what: one.record.name for what, one in held.items()}
        if labels is not None:
            held["labels"] = self._held(Labels, labels.name)
            records |= {"labels": labels.name, "labelmodel": labels.label_model}
            model = self._model(labels.label_model)
        # 2.
        found = {what: self.rows.row(one, example) for what, one in held.items()}
        data = {"example": example, **self._votes(votes, found["votes"][1], model)}
        row = found["labels"][1] if "labels" in found else None
        data |= _label(row, data.pop("apart"), list(votes.classes), model)
        # 3.
        data["prediction"] = None
        data["records"], data["runs"] = records, {self.result.stage: self.result.name}
        # 4.
        store = RowStore(self.config, self.trail, held)
        data["store"] = store.of({what: (number,) for what, (number, _) in found.items()})
        return data

    def _that_knows(self, example: str) -> tuple[Labels | None, Votes]:
        labels = [record for record in reversed(self.made) if isinstance(record, Labels)]
        votes = {record.name: record for record in self.made if isinstance(record, Votes)}
        unlabelled = [name for name in reversed(votes) if name not in {one.votes for one in labels}]
        tried: list[tuple[Labels | None, Votes]] = [(one, votes[one.votes]) for one in labels]
        tried += [(None, votes[name]) for name in unlabelled]
        unknown: UnknownName | None = None
        for one, its in tried:
            try:
                self.rows.row(self._held(Votes, its.name), example)
            except UnknownName as error:
                unknown = unknown or error
                continue
            return one, its
        raise unknown or MissingEvidence(f"{self.result.stage} recorded no votes", hint="`labeltrail status` says why")

    def _held(self, kind: type[R], name: str) -> Held[R]:
        record = self.facts.get(name)
        fields: dict[str, object] = dict(vars(record)) if record is not None else {}
        return self.rows.held(kind, sha256=fields.get("sha256", ""), title=fields.get("title", ""))

    def _model(self, name: str) -> CapturedModel | None:
        record: Record | None = self.facts.get(name)
        if record is None:
            return None
        held = self.rows.held(type(record), sha256=getattr(record, "sha256", ""), title=record.label)
        return read_captured(held.path) if is_captured(held.path) else None

    def _votes(self, votes: Votes, row: dict[str, Any], model: CapturedModel | None) -> dict[str, Any]:
        cast = [int(row[part.column]) for part in votes.sources]
        fits = model is not None and model.columns == tuple(part.column for part in votes.sources)
        apart = take_apart(model, cast) if model is not None and fits else None
        added: Sequence[float | None] = apart.parts if apart else [None] * len(cast)
        voted = []
        for part, vote, adds in zip(votes.sources, cast, added, strict=True):
            source = self.facts.get(part.source)
            voted.append(
                {
                    "source": part.source,
                    "title": source.label if source else part.column,
                    "version": source.version if isinstance(source, Source) else "",
                    "vote": vote,
                    "said": SILENCE.get(vote) or votes.classes[vote],
                    "contribution": decimal(adds) if adds is not None else None,
                }
            )
        return {"classes": list(votes.classes), "votes": voted, "apart": apart}


def _label(row: dict[str, Any] | None, apart: Any, classes: list[str], model: CapturedModel | None) -> dict[str, Any]:
    """The label as it was recorded, and what the votes add up to; the two agree but for the last digits of float32."""
    told: dict[str, Any] = {
        "unit": apart.unit if apart else None,
        "method": model.method if model else None,
        "prior": decimal(apart.prior) if apart else None,
        "log_odds": decimal(apart.total) if apart else None,
        "for": classes[apart.label] if apart else None,
        "runner_up": classes[apart.runner_up] if apart else None,
        "recorded_log_odds": None,
        "label": None,
        "probability": None,
        "majority": None,
        "labelled": row is not None,
    }
    if row is None:
        return told
    if row["log_odds"] is not None:
        told["recorded_log_odds"] = decimal(row["log_odds"])
    if row["label"] >= 0:
        told["label"] = classes[row["label"]]
        told["probability"] = decimal(row[f"p_{told['label']}"])
    if row["majority"] >= 0:
        told["majority"] = classes[row["majority"]]
    return told


def _blocks(data: dict[str, Any]) -> list[str | Table]:
    blocks: list[str | Table] = [_headline(data)]
    rows = [
        (
            vote["title"],
            vote["version"],
            vote["said"],
            signed(vote["contribution"]) if vote["contribution"] is not None else "",
            short(vote["source"]),
        )
        for vote in data["votes"]
    ]
    blocks.append(table(("source", "version", "said", "adds", "name"), rows))
    if data["unit"] == "log-odds":
        blocks.append(
            f"prior {signed(data['prior'])} and the votes sum to log-odds {signed(data['log_odds'])} "
            f"for {data['for']} against {data['runner_up']} (snorkel: P(vote | class) as it was learned)"
        )
    elif data["unit"] == "votes":
        blocks.append(f"{data['for']} has {float(data['log_odds']):g} votes more than {data['runner_up']}")
    elif data["labelled"] and data["method"] not in (None, ADDITIVE, "MajorityLabelVoter"):
        blocks.append(_NOT_APART.format(method=data["method"]))
    blocks.append(table(("run", "result"), [(stage, short(name)) for stage, name in data["runs"].items()]))
    leaves = [
        (leaf["of"], leaf.get("row"), leaf.get("entry"), f"{leaf['leaf'][:16]}…" if "leaf" in leaf else leaf["says"])
        for leaf in data["store"]["commitments"]
    ]
    blocks.append(table(("committed", "row", "entry", "salted leaf"), leaves))
    return blocks


def _headline(data: dict[str, Any]) -> str:
    if not data["labelled"]:
        return f"{data['example']} was voted on, and no label model was seen to label it"
    if data["label"] is None:
        silent = all(vote["vote"] < 0 for vote in data["votes"])
        return f"{data['example']} has no label: " + ("no source voted on it" if silent else "its classes are tied")
    majority = data["majority"] or "nothing alone"
    return (
        f"{data['example']} is labelled {data['label']} ({percent(data['probability'])}); majority vote says {majority}"
    )
