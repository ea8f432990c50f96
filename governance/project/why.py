"""Why did an example get its label? From its votes to what was predicted, with the runs and the commitments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.config import Config
from governance.digest import decimal
from governance.erased import by_entries
from governance.errors import GovernanceError, MissingEvidence, UnknownName
from governance.facts import Facts, short
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.explain import Apart, Explanation
from governance.lineage.rows import Held, Rows
from governance.project.counterfactual.label_set import read_label_set
from governance.project.report import Report, Table, table
from governance.project.why_more import SILENCE, Beside, beside_blocks, percent
from governance.project.why_votes import votes_alone, votes_on
from governance.readers import reads
from governance.records import Commitment, Dataset, LabelModel, Labels, Predictions, Record, Result, Source, Votes
from governance.store.blocks import block_of
from governance.store.commitments import RowTable, SubjectKeys
from governance.store.forgetting import erasures
from governance.store.trail import Trail

_NO_ROW = "`labeltrail source report` tells of the votes; a label set may leave out what nobody voted on"
_FORGOTTEN = "`labeltrail log` shows the entry, which does not say whose rows they were"


def why(example: str, *, config: Config, trail: Trail, facts: Facts) -> Report:
    """`labeltrail why`: one example. Raises what `Explainer` raises.

    Where no label model was fitted, and where the example is of votes that were brought in, the votes on it are told.
    """
    from governance.project.why_captured import captured_runs, why_captured

    if (held := votes_alone(example, config=config, trail=trail, facts=facts)) is not None:
        return votes_on(example, held, config=config, trail=trail, facts=facts)
    captured = captured_runs(facts)
    try:
        data = Explainer(config=config, trail=trail, facts=of_the_pipeline(facts, captured)).answer(example)
    except (UnknownName, MissingEvidence):
        if not captured:
            raise
        return why_captured(example, config=config, trail=trail, facts=facts)
    return Report("why", data, tuple(_blocks(data)))


def of_the_pipeline(facts: Facts, captured: Sequence[Result]) -> Facts:
    """Without what captured runs made: a pipeline's newest tables are its own."""
    if not captured:
        return facts
    others = {name for result in facts.of(Result) if result not in captured for name in result.generated}
    made = {name for result in captured for name in (result.name, *result.generated)} - others
    return Facts(record for record in facts if record.name not in made)


class Explainer:
    """Everything that explains examples, read and checked once: `answer` then costs one row.

    For `many` examples the keys of all rows are fetched at once. Raises MissingEvidence (nothing recorded),
    BrokenEvidence (a file was changed), InvalidRecord (an id stands twice, or the label model's evidence does not add up).
    """

    def __init__(self, *, config: Config, trail: Trail, facts: Facts, many: bool = False) -> None:
        self.config, self.facts = config, facts
        self.trail = trail
        erased = erasures(trail)
        self.rows = Rows(config.root, facts, id_column=config.id_column, erased=erased)
        labels = read_label_set(self.rows, erased=erased)
        self.apart = Apart(labels.model)
        self.beside = Beside(
            labels,
            self.apart.model,
            id_column=config.id_column,
            text_column=config.text_column,
            subject_column=config.subject_column,
        )
        # What these labels come from, whatever else was recorded since.
        self.tables = {
            "dataset": self.rows.held(Dataset, name=labels.dataset.name),
            "votes": self.rows.held(Votes, name=labels.votes.name),
            "labels": self.rows.held(Labels, name=labels.labels.name),
        }
        fitted = self.rows.held(LabelModel, name=labels.fitted.name)
        self.sources = _sources(self.apart.model, facts)
        self.classes = list(labels.classes)
        # In long form an example has a row an answer; the label model saw one row an example.
        self._places = {example: place for place, example in enumerate(labels.table.ids.to_list())}
        self.runs = {held.result.stage: held.result.name for held in (*self.tables.values(), fitted)}
        self.records = {what: held.record.name for what, held in self.tables.items()} | {
            "labelmodel": fitted.record.name
        }
        self._take_predictions()
        self.store = RowStore(config, trail, self.tables, many=many)

    def _take_predictions(self) -> None:
        try:
            held = self.rows.held(Predictions)
        except MissingEvidence:
            return
        self.tables["predictions"] = held
        self.runs[held.result.stage] = held.result.name
        self.records["predictions"] = held.record.name
        model = getattr(held.record, "model", "")
        self.records["model"] = model
        self.runs |= {result.stage: result.name for result in self.facts.of(Result) if model in result.generated}

    @property
    def examples(self) -> list[str]:
        """The ids of all examples, in the order of the dataset."""
        return self.rows.ids(self.tables["dataset"])

    @reads
    def answer(self, example: str) -> dict[str, Any]:
        """1. the rows of this example in the recorded tables  2. the label taken apart by source  3. what the model said
        4. where all of it stands in this store. Raises UnknownName with the nearest ids, MissingEvidence for one that was
        erased."""
        # 1.
        try:
            numbers = {what: self.rows.numbers(held, example) for what, held in self.tables.items() if what != "labels"}
        except UnknownName:
            entry = SubjectKeys(self.trail).erased(example)
            if entry is None:
                raise
            raise MissingEvidence(f"this example was {by_entries([entry])}", hint=_FORGOTTEN) from None
        # 2.
        place = self._places[example]
        told = self.apart.explain_checked(self.beside.labels.matrix[place])
        labels, label_row = self.tables["labels"], {}
        if example in self.rows.index(labels):
            number, label_row = self.rows.row(labels, example)
            numbers["labels"] = (number,)
        elif told.label_name is not None:
            raise MissingEvidence(
                f"{labels.record.label} has no row for {example}, which sources voted on", hint=_NO_ROW
            )
        data = {"example": example, **_label(told, self.sources, self.classes, label_row)}
        titles = {vote["column"]: vote["title"] for vote in data["votes"]}
        data |= self.beside.of(place, told, titles)
        # 3.
        data["prediction"] = None
        if "predictions" in numbers:
            predicted = self.rows.row(self.tables["predictions"], example)[1]
            data["prediction"] = _prediction(predicted, data["classes"], self.records["model"])
        data["records"], data["runs"] = self.records, self.runs
        # 4.
        data["store"] = self.store.of(numbers)
        return data


def _sources(model: FittedLabelModel, facts: Facts) -> list[dict[str, Any]]:
    """Who votes in each of a label model's columns, as far as facts tell."""
    told = []
    for column, name in zip(model.columns_, model.sources_ or [None] * len(model.columns_), strict=True):
        source = facts.get(name) if name else None
        version = source.version if isinstance(source, Source) else ""
        told.append({"source": name, "title": source.label if source else column, "version": version, "column": column})
    return told


def _label(
    told: Explanation, sources: list[dict[str, Any]], classes: list[str], label_row: dict[str, Any]
) -> dict[str, Any]:
    covered = told.log_odds is not None
    voted = [
        {
            **source,
            "vote": part.vote,
            "said": SILENCE.get(part.vote, part.said),
            "contribution": decimal(part.log_odds),
        }
        for source, part in zip(sources, told.contributions, strict=True)
    ]
    probability = label_row.get(f"p_{told.label_name}") if covered else None
    recorded, majority = label_row.get("log_odds"), label_row.get("majority")
    # A stage may take another label than its model gives, such as none where that is not sure enough.
    said = label_row.get("label", told.label)
    return {
        "classes": list(classes),
        "votes": voted,
        "prior": decimal(told.prior),
        "log_odds": decimal(told.log_odds) if told.log_odds is not None else None,
        "recorded_log_odds": decimal(recorded) if recorded is not None else None,
        "label": told.label_name,
        "recorded_label": classes[said] if said is not None and said >= 0 else None,
        "runner_up": told.runner_up_name,
        "probability": decimal(probability) if probability is not None else None,
        "majority": classes[majority] if majority is not None and majority >= 0 else None,
        "majority_recorded": majority is not None,
    }


def _prediction(row: dict[str, Any], classes: list[str], model: str) -> dict[str, Any]:
    label = classes[row["prediction"]]
    return {"label": label, "probability": decimal(row[f"p_{label}"]), "model": model}


class RowStore:
    """Log id, positions and salted leaves: what differs between two stores that agree on everything else."""

    def __init__(self, config: Config, trail: Trail, tables: dict[str, Held[Record]], *, many: bool = False) -> None:
        positions = trail.positions()
        committed = {record.of: record for record in trail.facts().of(Commitment)}
        self._log = {"log": trail.log, "size": trail.size()}
        self._entries = {what: positions.get(held.record.name) for what, held in tables.items()}
        self._tables: dict[str, tuple[dict[str, Any], RowTable]] = {}
        self._blocks: dict[str, dict[str, Any]] = {}
        for what, held in tables.items():
            commitment = committed.get(held.record.name)
            if commitment is None:
                continue
            told = {"of": what, "commitment": commitment.name, "entry": positions.get(commitment.name)}
            if commitment.scheme == "blocks/v1":
                self._blocks[what] = told
                continue
            of, id_column, subject_column = held.record.name, config.id_column, config.subject_column
            rows = RowTable(trail, held.path, of=of, id_column=id_column, subject_column=subject_column)
            self._tables[what] = (told, rows)
        if many:
            subjects = {subject for _, rows in self._tables.values() for subject in rows.subjects}
            keys = SubjectKeys(trail).at_hand(subjects)
            for _, rows in self._tables.values():
                rows.have_at_hand(keys)

    def of(self, numbers: dict[str, tuple[int, ...]]) -> dict[str, Any]:
        """Where the rows of one example stand; `verify` compares all leaves with the committed roots."""
        commitments = []
        for what, (told, rows) in self._tables.items():
            for number in numbers.get(what, ()):
                try:
                    leaf = rows.leaf(number).hex()
                    commitments.append({**told, "row": rows.numbers[number], "leaf": leaf})
                except GovernanceError as error:
                    commitments.append({**told, "row": rows.numbers[number], "says": error.message})
        for what, told in self._blocks.items():
            for number in numbers.get(what, ()):
                block = block_of(number)
                says = f"in block {block}, which is committed to as a whole: no proof of this row alone"
                commitments.append({**told, "row": number, "block": block, "says": says})
        return {**self._log, "entries": self._entries, "commitments": commitments}


def _blocks(data: dict[str, Any]) -> list[str | Table]:
    votes = [
        (vote["title"], vote["version"], vote["said"], signed(vote["contribution"]), short(vote["source"] or ""))
        for vote in data["votes"]
    ]
    blocks: list[str | Table] = []
    if data["label"] is None:
        blocks.append(f"{data['example']} has no label: no source voted on it")
    else:
        share = percent(data["probability"]) if data["probability"] else "unknown"
        blocks.append(f"{data['example']} is labelled {data['label']} ({share}); {_majority(data)}")
    if data["recorded_label"] != data["label"]:
        recorded = f"labelled {data['recorded_label']}" if data["recorded_label"] else "without a label"
        blocks.append(f"it is recorded {recorded}: the stage did not take what its label model gives")
    blocks.append(table(("source", "version", "said", "adds", "name"), votes))
    if data["log_odds"] is not None:
        blocks.append(
            f"prior {signed(data['prior'])} and the votes sum to log-odds {signed(data['log_odds'])} "
            f"for {data['label']} against {data['runner_up']}"
        )
    blocks += beside_blocks(data)
    if data["prediction"]:
        said = data["prediction"]
        share = percent(said["probability"])
        blocks.append(f"the model predicts {said['label']} ({share}): {short(said['model'])}")
    runs = [(stage, short(name)) for stage, name in data["runs"].items()]
    blocks.append(table(("run", "result"), runs))
    leaves = [
        (leaf["of"], leaf.get("row"), leaf.get("entry"), f"{leaf['leaf'][:16]}…" if "leaf" in leaf else leaf["says"])
        for leaf in data["store"]["commitments"]
    ]
    blocks.append(table(("committed", "row", "entry", "salted leaf"), leaves))
    return blocks


def _majority(data: dict[str, Any]) -> str:
    if not data["majority_recorded"]:
        return "what majority vote says is not recorded"
    return f"majority vote says {data['majority']}" if data["majority"] else "majority vote is tied"


def signed(number: str) -> str:
    """A number with its sign, so that what speaks for a label is told from what speaks against it."""
    return f"{float(number):+.4f}"
