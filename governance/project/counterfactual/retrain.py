"""What would the end model predict, had it been trained on other labels?

Which rows it was trained on and how is taken from its record, and proved: the same training on the recorded labels has to
give the recorded predictions again. Where it does not, what another training would say is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.digest import decimal
from governance.errors import GovernanceError, InvalidRecord, MissingEvidence
from governance.labelmodels.endmodel import ARCHITECTURE, Preprocessing, train_end_model
from governance.parquet import require_columns
from governance.project.counterfactual.label_set import beside
from governance.project.counterfactual.refit import Unable
from governance.records import Model, Predictions

if TYPE_CHECKING:
    import numpy as np

    from governance.project.counterfactual.whatif import Labelled, Loaded

#: how far P(class) of the same training may lie from the recorded one: other numbers of threads add up in other orders
AGAIN = 1e-4
TRAIN = "train"


@dataclass(frozen=True, eq=False)
class Trained:
    """The rows the end model was trained on, in its order, int64, and what it predicted: P(class), rows x classes."""

    record: Model
    predictions: Predictions
    rows: np.ndarray
    proba: np.ndarray


def retrained(loaded: Loaded, now: Labelled) -> dict[str, Any]:
    """What is predicted otherwise after a training on the labels `now`, with the time that it took; or why not."""
    trained = trained_as(loaded)
    if isinstance(trained, Unable):
        return trained.to_json()
    labels = loaded.labels
    began = time.perf_counter()
    again = _predicted(loaded, trained, (labels.label, labels.proba))
    if isinstance(again, Unable):
        return again.to_json()
    apart = float(abs(again - trained.proba).max())
    if apart > AGAIN:
        says = (
            f"the same training on the recorded labels moves a probability by {apart:.2g}: it is not the recorded one"
        )
        return Unable(
            says, "`labeltrail reproduce` of the stage that trained it says whether it can be made here"
        ).to_json()
    middle = time.perf_counter()
    other = _predicted(loaded, trained, now)
    if isinstance(other, Unable):
        return other.to_json()
    was = (_likeliest(trained.proba), trained.proba)
    return {
        "model": trained.record.name,
        "predictions": trained.predictions.name,
        "trained_on": {"before": len(trained.rows), "after": int((now[0][trained.rows] >= 0).sum())},
        "again_within": decimal(apart),
        "seconds": decimal(round(time.perf_counter() - middle, 3)),
        "seconds_of_the_check": decimal(round(middle - began, 3)),
        **loaded.changes(was, (_likeliest(other), other)),
    }


def trained_as(loaded: Loaded) -> Trained | Unable:
    """The recorded training, from the records alone."""
    try:
        held = loaded.rows.held(Predictions)
    except MissingEvidence as error:
        return Unable(error.message, error.hint or "`labeltrail repro` makes and records predictions")
    predictions = held.record
    labels = loaded.labels
    record = labels.facts.get(predictions.model)
    if not isinstance(record, Model) or record.labels != labels.labels.name:
        return Unable(
            "no recorded end model was trained on these labels and predicted", "`labeltrail trace labels --down`"
        )
    if record.architecture != ARCHITECTURE:
        return Unable(
            f"an end model of the architecture {record.architecture!r} is not trained again here", ARCHITECTURE
        )
    rows = training_rows(loaded, record)
    if len(rows) != record.trained_on.get(record.parameters.get("domain", ""), -1):
        says = f"the record does not say which rows it was trained on: {len(rows):,} would fit, {record.trained_on} did"
        return Unable(says, "rows are found by the columns `domain` and `split`")
    try:
        joined, _ = beside(labels.table, loaded.rows, held)
        require_columns(joined, labels.shares, where=predictions.label)
    except InvalidRecord as error:
        return Unable(error.message, error.hint or "what no row is predicted by cannot be compared")
    proba = joined.select(labels.shares)
    if sum(proba.null_count().row(0)):
        return Unable("some examples have no recorded prediction", "`labeltrail verify` names what does not fit")
    return Trained(record, predictions, rows, proba.to_numpy())


def training_rows(loaded: Loaded, record: Model) -> np.ndarray:
    """Labelled rows of the recorded domain in the split for training, by ascending id, int64."""
    import numpy as np

    labels = loaded.labels
    chosen = labels.label >= 0
    for column, value in (("domain", record.parameters.get("domain", "")), ("split", TRAIN)):
        if column in labels.examples.columns:
            chosen = chosen & (labels.examples[column] == value).fill_null(value=False).to_numpy()
    places = np.flatnonzero(chosen)
    return places[labels.table.ids.gather(places).arg_sort().to_numpy()]


def _predicted(loaded: Loaded, trained: Trained, labelled: Labelled) -> np.ndarray | Unable:
    """P(class) of every example after a training on these labels; rows that have none are left out."""
    labels, (label, proba) = loaded.labels, labelled
    rows = trained.rows[label[trained.rows] >= 0]
    parameters = trained.record.parameters
    texts: Sequence[str] = labels.examples[loaded.config.text_column].to_list()
    if not len(rows):
        return Unable("no labelled row is left to train on", "leave out fewer sources")
    try:
        with _threads(labels.recipe.threads if labels.recipe else 1):
            model, _ = train_end_model(
                [texts[place] for place in rows],
                proba[rows],
                classes=labels.classes,
                preprocessing=Preprocessing(
                    parameters["token_pattern"], int(parameters["longest_ngram"]), int(parameters["min_documents"])
                ),
                l2=float(parameters["l2"]),
                max_iterations=int(parameters["max_iterations"]),
            )
    except GovernanceError as error:
        return Unable(f"the training cannot be done: {error.message}", error.hint or "look at what is left to train on")
    return model.predict_proba(texts)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """As many threads as the recorded run had, and afterwards as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _likeliest(proba: np.ndarray) -> np.ndarray:
    import numpy as np

    return proba.argmax(axis=1).astype(np.int8)
