"""Which records belong together? From the newest model or dataset back to the sources, as far as they are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeVar

from governance.facts import Facts
from governance.records import (
    Attestation,
    Contract,
    Dataset,
    Document,
    Evaluation,
    Finding,
    LabelModel,
    Labels,
    Model,
    Predictions,
    Recipe,
    Record,
    Result,
    Source,
    Votes,
)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Thread:
    """One thread through the facts; what is not recorded is None or empty."""

    facts: Facts
    model: Model | None = None
    labels: Labels | None = None
    label_model: LabelModel | None = None
    votes: Votes | None = None
    dataset: Dataset | None = None
    collected: Dataset | None = None
    predictions: Predictions | None = None
    evaluation: Evaluation | None = None

    @classmethod
    def of_model(cls, facts: Facts) -> Self:
        """The thread of the newest model; without a model, of the newest that there is."""
        model = _last(facts.of(Model))
        labels = _find(facts, Labels, model.labels) if model else _last(facts.of(Labels))
        votes = _find(facts, Votes, labels.votes) if labels else None if model else _last(facts.of(Votes))
        named = (model and model.dataset) or (labels and labels.dataset) or (votes and votes.dataset)
        dataset = _find(facts, Dataset, named) if named else _newest_dataset(facts)
        return cls._around(facts, model=model, labels=labels, votes=votes, dataset=dataset)

    @classmethod
    def of_dataset(cls, facts: Facts) -> Self:
        """The thread of the newest dataset and what was made of it last."""
        dataset = _newest_dataset(facts)
        name = dataset.name if dataset else ""
        model = _last(item for item in facts.of(Model) if item.dataset == name)
        labels = _find(facts, Labels, model.labels) if model else None
        labels = labels or _last(item for item in facts.of(Labels) if item.dataset == name)
        votes = _find(facts, Votes, labels.votes) if labels else None
        votes = votes or _last(item for item in facts.of(Votes) if item.dataset == name)
        if dataset is None:
            votes = _last(facts.of(Votes))
        return cls._around(facts, model=model, labels=labels, votes=votes, dataset=dataset)

    @classmethod
    def _around(
        cls, facts: Facts, *, model: Model | None, labels: Labels | None, votes: Votes | None, dataset: Dataset | None
    ) -> Self:
        label_model = _find(facts, LabelModel, labels.label_model) if labels else None
        if label_model is None and model is None and labels is None:
            label_model = _last(item for item in facts.of(LabelModel) if votes is None or item.votes == votes.name)
        predictions = _last(item for item in facts.of(Predictions) if model is not None and item.model == model.name)
        evaluation = _last(_evaluations(facts, model=model, labelled=(labels, votes), dataset=dataset))
        origin = (_find(facts, Dataset, name) for name in (dataset.derived_from if dataset else ()))
        collected = _last(item for item in origin if item is not None)
        if collected is None and dataset is not None and dataset.role == "collected":
            collected = dataset
        return cls(facts, model, labels, label_model, votes, dataset, collected, predictions, evaluation)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The source versions that voted, in the order of the votes; without votes, every one, by title."""
        if self.votes is not None:
            found = [_find(self.facts, Source, column.source) for column in self.votes.sources]
            return tuple(source for source in found if source is not None)
        return tuple(sorted(self.facts.of(Source), key=lambda source: (source.title, source.name)))

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Every record of the thread itself, from the data on."""
        chain = (
            self.collected, self.dataset, *self.sources, self.votes, self.label_model, self.labels, self.model,
            self.predictions, self.evaluation,
        )  # fmt: skip
        return tuple({record.name: record for record in chain if record is not None}.values())

    @cached_property
    def datasets(self) -> tuple[Dataset, ...]:
        """The dataset as collected and as used, each once."""
        found = [item for item in (self.collected, self.dataset) if item is not None]
        return tuple({item.name: item for item in found}.values())

    def stated(self, field: str) -> list[tuple[str, list[Dataset]]]:
        """What the datasets state in a text field, each text once with those that state it."""
        groups: dict[str, list[Dataset]] = {}
        for dataset in self.datasets:
            if text := getattr(dataset, field):
                groups.setdefault(text, []).append(dataset)
        return list(groups.items())

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings about the thread's records, by check."""
        names = {record.name for record in self.records}
        found = [finding for finding in self.facts.of(Finding) if finding.subject in names]
        return tuple(sorted(found, key=lambda finding: (finding.check, finding.outcome, finding.says, finding.name)))

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts that the thread's records were held against, by title."""
        named = {finding.contract for finding in self.findings}
        found = [contract for contract in self.facts.of(Contract) if contract.name in named]
        return tuple(sorted(found, key=lambda contract: (contract.title, contract.name)))

    @cached_property
    def runs(self) -> tuple[tuple[Recipe | None, Result], ...]:
        """Recipe and result of the runs that stated the thread's records, each stage's newest, by stage."""
        names = {record.name for record in (*self.records, *self.findings)}
        newest = {run.stage: run for run in self.facts.of(Result) if names & set(run.generated)}
        return tuple((_find(self.facts, Recipe, newest[stage].recipe), newest[stage]) for stage in sorted(newest))

    @cached_property
    def cards(self) -> tuple[Document, ...]:
        """The newest card of each kind; a report is never evidence for the next report."""
        newest = {item.document_kind: item for item in self.facts.of(Document) if item.document_kind != "audit_report"}
        return tuple(newest[kind] for kind in sorted(newest))

    @cached_property
    def attestations(self) -> dict[str, Attestation]:
        """The newest attestation of each control; of several, the one made last."""
        ordered = sorted(self.facts.of(Attestation), key=lambda item: (item.made, item.expires, item.name))
        return {item.control: item for item in ordered}

    @cached_property
    def external(self) -> tuple[Source, ...]:
        """The sources that stand on what others distribute."""
        return tuple(source for source in self.sources if source.packages)

    @cached_property
    def domains(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The domains trained on, and those that the model never saw in training, sorted."""
        known = set(self.dataset.domains if self.dataset else ()) | set(
            self.collected.domains if self.collected else ()
        )
        trained = known & set(self.model.trained_on if self.model else ())
        return tuple(sorted(trained)), tuple(sorted(known - trained)) if trained else ()

    def run_of(self, record: Record | None) -> Result | None:
        """The newest run that stated a record."""
        return _last(run for run in self.facts.of(Result) if record is not None and record.name in run.generated)

    def about(self, *checks: str) -> tuple[Finding, ...]:
        """The findings whose check mentions one of these words."""
        return tuple(item for item in self.findings if any(word in item.check.lower() for word in checks))


def _newest_dataset(facts: Facts) -> Dataset | None:
    found = facts.of(Dataset)
    return _last(item for item in found if item.role == "screened") or _last(found)


def _evaluations(
    facts: Facts, *, model: Model | None, labelled: Iterable[Labels | Votes | None], dataset: Dataset | None
) -> Iterator[Evaluation]:
    """Those of this thread: of its model, else of its labels or votes, else on its dataset; figures of another model are
    no figures of a thread that has none."""
    compared = {item.name for item in labelled if item is not None}
    if model is not None:
        compared = {model.name, *(item.name for item in facts.of(Predictions) if item.model == model.name)}
    for item in facts.of(Evaluation):
        if compared & set(item.compared) if compared else dataset is None or item.dataset == dataset.name:
            yield item


def _find(facts: Facts, kind: type[R], name: str) -> R | None:
    found = facts.get(name)
    return found if isinstance(found, kind) else None


def _last(records: Iterable[R]) -> R | None:
    found = None
    for record in records:
        found = record
    return found
