"""What can be learned from the labels, for texts on which no source votes?"""

from __future__ import annotations

import numpy as np
import polars as pl
import torch

from governance.digest import decimal, file_digest
from governance.errors import InvalidRecord
from governance.labelmodels.endmodel import ARCHITECTURE, Preprocessing, train_end_model
from governance.parquet import read_table
from governance.records import Dataset, Labels, Model
from governance.runs import StageRun, stage
from pipelines._params import number, text, whole

NAME = "train"


def main() -> None:
    """Trains the end model on soft labels of the training split; gold is dropped at the door."""
    with stage(NAME) as run:
        folder = run.config.artifacts
        pin(run)
        dataset = run.use(run.facts("screen").one(Dataset, role="screened"))
        stated = run.use(run.facts("combine").one(Labels))
        classes = tuple(stated.classes)
        examples = read_table(
            run.input(f"{folder}/data/screened.parquet"), columns=["example_id", "domain", "text", "split"]
        ).select("example_id", "domain", "text", "split")
        labels = read_table(
            run.input(f"{folder}/labels/labels.parquet"),
            columns=["example_id", "covered", *(f"p_{name}" for name in classes)],
        )
        domain = text(run.params, "domain", stage=NAME)
        chosen = training_rows(examples, labels, domain=domain)
        targets = chosen.select(f"p_{name}" for name in classes).to_numpy()
        model, fitted = train_end_model(
            chosen["text"].to_list(),
            targets,
            classes=classes,
            preprocessing=preprocessing(run),
            l2=number(run.params, "l2", stage=NAME),
            max_iterations=whole(run.params, "max_iterations", stage=NAME, least=1),
        )
        weights = run.output(f"{folder}/models/model.safetensors")
        sidecar = run.output(f"{folder}/models/model.json")
        model.save(weights, sidecar)
        likeliest = np.bincount(targets.argmax(axis=1), minlength=len(classes))
        run.state(
            Model.make(
                title="end model on soft labels",
                labels=stated.name,
                dataset=dataset.name,
                sha256=file_digest(weights),
                sidecar=file_digest(sidecar),
                architecture=ARCHITECTURE,
                classes=classes,
                weights=model.weights,
                bytes=weights.stat().st_size,
                trained_on={
                    domain: len(chosen),
                    **{f"labelled {name}": int(n) for name, n in zip(classes, likeliest, strict=True)},
                },
                parameters={
                    **{name: str(value) for name, value in vars(model.preprocessing).items()},
                    "domain": domain,
                    "iterations": str(fitted.iterations),
                    "l2": decimal(number(run.params, "l2", stage=NAME)),
                    "loss": decimal(fitted.loss),
                    "max_iterations": str(whole(run.params, "max_iterations", stage=NAME, least=1)),
                },
            )
        )


def pin(run: StageRun) -> None:
    """Fixes what could make two runs differ."""
    torch.set_num_threads(run.threads)
    torch.manual_seed(run.seed)
    torch.use_deterministic_algorithms(True)


def preprocessing(run: StageRun) -> Preprocessing:
    """How text becomes features, from this stage's parameters."""
    return Preprocessing(
        token_pattern=text(run.params, "token_pattern", stage=NAME),
        longest_ngram=whole(run.params, "longest_ngram", stage=NAME, least=1),
        min_documents=whole(run.params, "min_documents", stage=NAME, least=1),
    )


def training_rows(examples: pl.DataFrame, labels: pl.DataFrame, *, domain: str) -> pl.DataFrame:
    """Covered examples of the training split of `domain`, with soft labels, sorted by id. Raises InvalidRecord."""
    here = examples.filter((pl.col("domain") == domain) & (pl.col("split") == "train"))
    if here.is_empty():
        raise InvalidRecord(f"{NAME}.domain", domain, "a domain with examples in the train split", where="params.yaml")
    joined = here.join(labels, on="example_id", how="left", validate="1:1").sort("example_id")
    missing = int(joined["covered"].null_count())
    if missing:
        raise InvalidRecord("labels", f"{missing} examples without a row", "a row for every example of the train split")
    chosen = joined.filter("covered")
    if chosen.is_empty():
        raise InvalidRecord("labels", "no covered example", "at least one covered example of the train split")
    return chosen


if __name__ == "__main__":
    main()
