"""What was learned from the votes, and how well does it do?"""

from __future__ import annotations

from typing import Literal

from governance.records.base import Count, Decimal, Digest, Name, Part, Record


class Learned(Part):
    """What a label model learned of one source version that voted on rows that it learned from."""

    source: Name
    column: str
    #: P(the source is right | it votes) as the model sees it: the mean of P(class voted for | all votes on the row)
    #: over the rows that it learned from and on which the source votes
    accuracy: Decimal
    #: confusion[true class][vote], rows sum to one
    confusion: tuple[tuple[Decimal, ...], ...]


class LabelModel(Record):
    """A fitted label model."""

    kind = "labelmodel"

    title: str
    method: str
    votes: Name
    sha256: Digest
    classes: tuple[str, ...]
    balance: tuple[Decimal, ...]
    balance_origin: Literal["given", "estimated", "gold"]
    parameters: dict[str, str]
    iterations: Count
    converged: bool
    objective: Decimal
    learned: tuple[Learned, ...]

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.votes, *(learned.source for learned in self.learned))


class Labels(Record):
    """A label set: one soft label for every example, from votes and a label model."""

    kind = "labels"

    title: str
    votes: Name
    label_model: Name
    dataset: Name
    sha256: Digest
    content: Digest
    rows: Count
    covered: Count
    classes: dict[str, Count]
    #: covered examples on which the label model and majority vote differ
    differs_from_majority: Count

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.votes, self.label_model, self.dataset)


class Model(Record):
    """A trained end model: weights and the sidecar that says how to use them."""

    kind = "model"

    title: str
    labels: Name
    dataset: Name
    sha256: Digest
    sidecar: Digest
    architecture: str
    classes: tuple[str, ...]
    weights: Count
    bytes: Count
    trained_on: dict[str, Count]
    parameters: dict[str, str]

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.labels, self.dataset)


class Predictions(Record):
    """A prediction batch: what a model said of every example."""

    kind = "predictions"

    title: str
    model: Name
    dataset: Name
    sha256: Digest
    content: Digest
    rows: Count

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.model, self.dataset)


class Metric(Part):
    """One figure: which metric, of which predictor, on which slice, over how many examples, with a 95 % interval."""

    metric: str
    of: str
    slice: str
    value: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    examples: Count


class Bin(Part):
    """One bar of a reliability diagram."""

    of: str
    slice: str
    low: Decimal
    high: Decimal
    confidence: Decimal | None
    accuracy: Decimal | None
    examples: Count


class Evaluation(Record):
    """Measured figures of predictions against gold."""

    kind = "evaluation"

    title: str
    gold: str
    dataset: Name
    compared: tuple[Name, ...]
    sha256: Digest
    metrics: tuple[Metric, ...]
    bins: tuple[Bin, ...] = ()
    classes: tuple[str, ...]

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.dataset, *self.compared)

    def metric(self, metric: str, *, of: str, slice: str) -> Metric | None:
        """The one figure, or None where it was not measured."""
        for found in self.metrics:
            if (found.metric, found.of, found.slice) == (metric, of, slice):
                return found
        return None
