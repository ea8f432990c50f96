"""How do label models, label sets and trained estimators become records?"""

from __future__ import annotations

import json
from typing import Any

from governance.digest import canonical, decimal, file_digest, write_atomically
from governance.labelmodels.captured import ADDITIVE, COUNTED, CapturedModel, conditional_of
from governance.records import LabelModel, Labels, Learned, Model, Votes
from governance.runs.stage import StageRun
from governance.watching.held import Held
from governance.watching.session import Fitted, Labelled, Session, Trained
from governance.watching.tables import label_frame

_ASSUMED = "every class equally likely, as snorkel assumes where it is told nothing"


def state_label_models(run: StageRun, seen: Session, votes: dict[int, Votes]) -> dict[int, LabelModel]:
    """Every label model whose votes are recorded, by the identity of what was seen of it."""
    stated: dict[int, LabelModel] = {}
    for one in seen.fitted:
        record = votes.get(id(one.votes))
        if record is None:
            continue
        with seen.watching("a label model"):
            stated[id(one)] = _label_model(run, one, record, number=len(stated) + 1)
    return stated


def _label_model(run: StageRun, fitted: Fitted, votes: Votes, *, number: int) -> LabelModel:
    model = captured_model(fitted, votes)
    ordinal = "" if number == 1 else f"_{number}"
    path = run.output(f"{run.config.artifacts}/{run.name}/label_model{ordinal}.json")
    write_atomically(path, model.to_bytes())
    record = LabelModel.make(
        title=f"{fitted.method}{'' if number == 1 else f' {number}'} of {run.name}",
        method=f"snorkel {fitted.method}",
        votes=votes.name,
        sha256=file_digest(path),
        classes=votes.classes,
        balance=[decimal(value) for value in model.balance],
        balance_origin="gold" if fitted.balance_origin == "gold" else "given",
        parameters=model.parameters,
        iterations=int(fitted.parameters.get("n_epochs", 0)),
        # Nobody judged it: snorkel ends after a number of epochs.
        converged=fitted.method == COUNTED,
        objective=decimal(fitted.objective),
        learned=_learned(model, fitted),
    )
    run.state(record)
    return record


def captured_model(fitted: Fitted, votes: Votes) -> CapturedModel:
    """The numbers of the model, as double precision reads them."""
    import numpy as np

    k, columns = len(votes.classes), [part.column for part in votes.sources]
    balance = fitted.arrays.get("balance")
    shares = np.full(k, 1 / k) if balance is None or len(balance) != k else balance
    conditional: tuple[Any, ...] = ()
    if fitted.method == ADDITIVE and "mu" in fitted.arrays:
        mu = conditional_of(fitted.arrays["mu"], sources=len(columns), classes=k)
        conditional = tuple(tuple(tuple(float(p) for p in row) for row in source) for source in mu)
    parameters = {name: json.dumps(value, sort_keys=True) for name, value in fitted.parameters.items()}
    if fitted.seed is not None:
        parameters["seed_origin"] = "given" if fitted.seed_given else "drawn when snorkel was imported"
    if fitted.balance_origin == "assumed":
        parameters["balance_origin"] = _ASSUMED
    return CapturedModel(
        method=fitted.method,
        classes=votes.classes,
        columns=tuple(columns),
        sources=tuple(part.source for part in votes.sources),
        parameters=parameters,
        balance=tuple(float(share) for share in shares),
        conditional=conditional,
    )


def _learned(model: CapturedModel, fitted: Fitted) -> list[Learned]:
    """Accuracy as records define it: the mean probability of the voted class over the rows that a source votes on."""
    import numpy as np

    if not model.conditional or fitted.votes is None:
        return []
    matrix = fitted.votes.matrix
    conditional = np.log(np.array(model.conditional))
    scores = np.tile(np.log(np.array(model.balance)), (len(matrix), 1))
    for j in range(matrix.shape[1]):
        voted = matrix[:, j] >= 0
        scores[voted] += conditional[j][matrix[voted, j]]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    told = []
    for j, (column, source) in enumerate(zip(model.columns, model.sources, strict=True)):
        voted = np.flatnonzero(matrix[:, j] >= 0)
        if not len(voted):
            continue
        table = np.exp(conditional[j]).T
        table = table / table.sum(axis=1, keepdims=True)
        told.append(
            Learned(
                source=source,
                column=column,
                accuracy=decimal(shares[voted, matrix[voted, j]].mean()),
                confusion=tuple(tuple(decimal(value) for value in row) for row in table),
            )
        )
    return told


def state_labels(
    run: StageRun, seen: Session, votes: dict[int, Votes], fitted: dict[int, LabelModel]
) -> dict[int, Labels]:
    """Every label set of recorded votes and a recorded model."""
    stated: dict[int, Labels] = {}
    for one in seen.labelled:
        record, model = votes.get(id(one.votes)), fitted.get(id(one.model))
        if record is None or model is None:
            continue
        with seen.watching("labels"):
            stated[id(one)] = _labels(run, one, record, model, number=len(stated) + 1)
    return stated


def _labels(run: StageRun, labels: Labelled, votes: Votes, model: LabelModel, *, number: int) -> Labels:
    import numpy as np

    from governance.parquet import content_digest, read_table, write_table

    ordinal = "" if number == 1 else f"_{number}"
    path = run.output(f"{run.config.artifacts}/{run.name}/labels{ordinal}.parquet")
    write_table(label_frame(labels, id_column=run.config.id_column, classes=votes.classes), path)
    written = read_table(path)
    covered = written.filter("covered")
    hard = covered["label"].to_numpy()
    counts = np.bincount(hard[hard >= 0], minlength=len(votes.classes))
    record = Labels.make(
        title=f"labels{'' if number == 1 else f' {number}'} of {run.name}",
        votes=votes.name,
        label_model=model.name,
        dataset=votes.dataset,
        sha256=file_digest(path),
        content=content_digest(written),
        rows=len(written),
        covered=len(covered),
        classes={name: int(count) for name, count in zip(votes.classes, counts, strict=True)},
        differs_from_majority=int((covered["label"] != covered["majority"]).sum()),
    )
    run.state(record)
    return record


def state_trained(run: StageRun, seen: Session, labels: dict[int, Labels]) -> None:
    """Every estimator that learned labels of a recorded set."""
    number = 0
    for one in seen.trained:
        record = labels.get(id(one.labels))
        if record is None or one.held is None:
            continue
        number += 1
        with seen.watching("a trained model"):
            _trained(run, one, one.held, record, number=number)


def _trained(run: StageRun, trained: Trained, held: Held, labels: Labels, *, number: int) -> None:
    told = {
        "format": "labeltrail/captured-estimator",
        "v": 1,
        "estimator": held.kind,
        "parameters": held.parameters,
        "state": {"pickle_sha256": held.pickle_sha256, "bytes": held.bytes},
        "trained_on": {"labels": labels.name, "rows": trained.rows, "features": trained.features},
    }
    ordinal = "" if number == 1 else f"_{number}"
    path = run.output(f"{run.config.artifacts}/{run.name}/model{ordinal}.json")
    write_atomically(path, canonical(told) + b"\n")
    counted = {f"labelled {k}": count for k, count in trained.counts.items()}
    called = held.kind.rpartition(".")[2] + ("" if number == 1 else f" {number}")
    run.state(
        Model.make(
            title=f"{called} of {run.name}",
            labels=labels.name,
            dataset=labels.dataset,
            sha256=file_digest(path),
            sidecar=file_digest(path),
            architecture=held.kind,
            classes=list(labels.classes),
            weights=held.numbers,
            bytes=held.bytes,
            trained_on={trained.rows: trained.examples, **counted},
            parameters={**held.parameters, "features": trained.features},
        )
    )
    run.measure(f"seconds to fit {called}", trained.seconds)
