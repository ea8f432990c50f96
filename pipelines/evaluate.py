"""How good are model, labels and sources against gold, at home and abroad?"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import polars as pl

from governance.checks import beside_majority, calibration, fall, independence, too_good, worse_than_chance
from governance.checks._sources import Judged, chance_of
from governance.digest import canonical, file_digest, write_atomically
from governance.errors import InvalidRecord
from governance.labelmodels.endmodel import EndModel, load_model, train_end_model
from governance.labelmodels.majority import MajorityVote
from governance.parquet import content_digest, read_table, write_table
from governance.records import Bin, Dataset, Evaluation, LabelModel, Labels, Metric, Model, Predictions, Source, Votes
from governance.runs import StageRun, stage
from governance.votes.table import VoteTable, read_votes
from pipelines._params import number, share, text, whole, wholes
from pipelines._scores import PREDICTORS, Predictor, Slice, lengths, measure, measure_source, voting
from pipelines.train import pin

NAME = "evaluate"
GOLD = "sign of the mean human rating"


def main() -> None:
    """1. read  2. predict every example from the saved files  3. measure  4. state figures and findings"""
    with stage(NAME) as run:
        folder = run.config.artifacts
        pin(run)
        # 1.
        dataset = run.use(run.facts("screen").one(Dataset, role="screened"))
        sources = run.facts("vote")
        run.use(sources.one(Votes))
        combined = run.facts("combine")
        labels_record = run.use(combined.one(Labels))
        run.use(combined.one(LabelModel))
        trained = run.use(run.facts("train").one(Model))
        examples = _examples(run)
        votes = read_votes(run.input(f"{folder}/votes/votes.parquet")).wide().aligned_to(examples["example_id"])
        labels = read_table(run.input(f"{folder}/labels/labels.parquet"), columns=["example_id", "label"])
        model = load_model(run.input(f"{folder}/models/model.safetensors"), run.input(f"{folder}/models/model.json"))
        # 2.
        predictions, predictors = _predictions(run, examples, votes, labels, model, trained)
        path = run.output(f"{folder}/evaluation/predictions.parquet")
        write_table(predictions, path)
        batch = Predictions.make(
            title="predictions of the end model",
            model=trained.name,
            dataset=dataset.name,
            sha256=file_digest(path),
            content=content_digest(predictions),
            rows=len(predictions),
        )
        run.state(batch)
        # 3.
        figures, bins = _figures(run, examples, votes, predictors, home=trained.parameters["domain"])
        path = run.output(f"{folder}/evaluation/metrics.json")
        write_atomically(path, _metrics_bytes(run, figures, bins, classes=model.classes))
        # 4.
        evaluation = Evaluation.make(
            title=f"figures on the {text(run.params, 'split', stage=NAME)} split",
            gold=GOLD,
            dataset=dataset.name,
            compared=(batch.name, labels_record.name),
            sha256=file_digest(path),
            metrics=tuple(figures),
            bins=tuple(bins),
            classes=model.classes,
        )
        run.state(evaluation)
        _find(run, evaluation, examples, sources.of(Source), home=trained.parameters["domain"])
        _find_sources(run, evaluation, examples, votes)


def _examples(run: StageRun) -> pl.DataFrame:
    columns = ["example_id", "domain", "text", "gold", "split"]
    path = run.input(f"{run.config.artifacts}/data/screened.parquet")
    examples = read_table(path, columns=columns).select(columns)
    split = text(run.params, "split", stage=NAME)
    if split not in examples["split"]:
        raise InvalidRecord(f"{NAME}.split", split, "a split with examples", where="params.yaml")
    return examples


def _predictions(
    run: StageRun, examples: pl.DataFrame, votes: VoteTable, labels: pl.DataFrame, model: EndModel, trained: Model
) -> tuple[pl.DataFrame, dict[str, Predictor]]:
    """The table of the model's predictions, and what every predictor says of every example."""
    texts = examples["text"].to_list()
    started = time.perf_counter()
    proba = model.predict_proba(texts)
    run.measure("predictions a second", len(texts) / (time.perf_counter() - started))
    _measure_latency(run, model, texts[: whole(run.params, "latency_texts", stage=NAME, least=1)])
    everywhere = np.ones(len(examples), dtype=np.bool_)
    supervised = _supervised(examples, model, trained).predict_proba(texts)
    covered = votes.voting > 0
    majority = MajorityVote().fit(votes)
    joined = examples.select("example_id").join(labels, on="example_id", how="left", maintain_order="left")
    if joined["label"].null_count() or ((joined["label"].to_numpy() >= 0) != covered).any():
        raise InvalidRecord("labels", "other rows", "a label for exactly the examples that have a vote")
    soft = joined.select(f"p_{name}" for name in model.classes).to_numpy()
    predictors = {
        "model": Predictor(everywhere, proba.argmax(axis=1), proba),
        "label_model": Predictor(covered, joined["label"].to_numpy(), soft),
        "majority": Predictor(covered, majority.predict(votes), majority.predict_proba(votes)),
        "supervised": Predictor(everywhere, supervised.argmax(axis=1), supervised),
    }
    table = pl.DataFrame(
        [
            examples["example_id"],
            pl.Series("prediction", predictors["model"].predicted, dtype=pl.Int8),
            *(pl.Series(f"p_{name}", proba[:, k]) for k, name in enumerate(model.classes)),
        ]
    )
    return table, predictors


def _measure_latency(run: StageRun, model: EndModel, texts: Sequence[str]) -> None:
    spent = []
    for one in texts:
        started = time.perf_counter()
        model.predict_proba([one])
        spent.append((time.perf_counter() - started) * 1e6)
    run.measure("latency p50, microseconds", float(np.quantile(spent, 0.5)))
    run.measure("latency p99, microseconds", float(np.quantile(spent, 0.99)))


def _supervised(examples: pl.DataFrame, model: EndModel, trained: Model) -> EndModel:
    """The same architecture and features on gold of the same training split: what labels by hand would have given."""
    here = examples.filter((pl.col("domain") == trained.parameters["domain"]) & (pl.col("split") == "train"))
    here = here.sort("example_id")
    reference, _ = train_end_model(
        here["text"].to_list(),
        np.eye(len(model.classes))[here["gold"].to_numpy()],
        classes=model.classes,
        preprocessing=model.preprocessing,
        l2=float(trained.parameters["l2"]),
        max_iterations=int(trained.parameters["max_iterations"]),
    )
    return reference


def _slices(run: StageRun, examples: pl.DataFrame, votes: VoteTable, *, home: str) -> list[Slice]:
    """Domains first, the home domain leading them; then its parts; then labels on all splits of each domain."""
    domain = examples["domain"].to_numpy()
    judged = (examples["split"] == text(run.params, "split", stage=NAME)).to_numpy()
    known = sorted(set(domain.tolist()), key=lambda name: (name != home, name))
    found = [Slice(name, judged & (domain == name), reliability=True) for name in known]
    at_home = judged & (domain == home)
    sizes = examples["text"].str.len_chars().to_numpy()
    for name, rows in lengths(sizes, wholes(run.params, "length_limits", stage=NAME)):
        found.append(Slice(f"text length on {home}={name}", at_home & rows))
    counts = votes.voting
    for name, rows in voting(counts, whole(run.params, "most_voting", stage=NAME, least=1)):
        found.append(Slice(f"voting sources on {home}={name}", at_home & rows))
    covered = judged & (counts > 0)
    found.extend(Slice(f"covered examples of={name}", covered & (domain == name)) for name in known)
    # Labels are made without gold, so that every split may judge them; the model may not be judged on its training.
    found.extend(Slice(f"all splits of={name}", domain == name, of=("label_model", "majority")) for name in known)
    return found


def _figures(
    run: StageRun, examples: pl.DataFrame, votes: VoteTable, predictors: dict[str, Predictor], *, home: str
) -> tuple[list[Metric], list[Bin]]:
    gold = examples["gold"].to_numpy().astype(np.int64)
    cuts = _slices(run, examples, votes, home=home)
    resamples = whole(run.params, "resamples", stage=NAME, least=1)
    bins = whole(run.params, "bins", stage=NAME, least=1)
    figures: list[Metric] = []
    bars: list[Bin] = []
    for cut in run.progress(cuts, total=len(cuts), says="slices"):
        told, drawn = measure(predictors, gold, cut, seed=run.seed, resamples=resamples, bins=bins)
        figures.extend(told)
        bars.extend(drawn)
        if cut.reliability:
            for j, column in enumerate(votes.columns):
                figures.extend(measure_source(column, votes.matrix[:, j], gold, cut))
    return figures, bars


def _metrics_bytes(run: StageRun, figures: list[Metric], bins: list[Bin], *, classes: Sequence[str]) -> bytes:
    told = {
        "format": "labeltrail/metrics",
        "v": 1,
        "gold": GOLD,
        "split": text(run.params, "split", stage=NAME),
        "classes": list(classes),
        "predictors": list(PREDICTORS),
        "intervals": {
            "accuracy, coverage": "Wilson score interval, 95 %",
            "precision, recall, f1 (macro)": "percentile bootstrap over examples, 95 %",
            "ece": (
                "95 % at least: below by the noise of the bins, which the measured value holds, above by its standard error"
            ),
            "resamples": str(whole(run.params, "resamples", stage=NAME, least=1)),
            "seed": str(run.seed),
        },
        "metrics": [figure.model_dump(mode="json") for figure in figures],
        "bins": [bar.model_dump(mode="json") for bar in bins],
    }
    return canonical(told) + b"\n"


def _find(run: StageRun, evaluation: Evaluation, examples: pl.DataFrame, sources: list[Source], *, home: str) -> None:
    def value(metric: str, of: str, where: str) -> tuple[float | None, int]:
        found = evaluation.metric(metric, of=of, slice=where)
        return (None, 0) if found is None or found.value is None else (float(found.value), found.examples)

    subject = evaluation.name
    domains = sorted(examples["domain"].unique().to_list(), key=lambda name: (name != home, name))
    most = number(run.params, "ece_limit", stage=NAME)
    names = {"model": "the model", "label_model": "the label model"}
    for of, spoken in names.items():
        for domain in domains:
            run.state(calibration.check(*value("ece", of, domain), subject=subject, of=spoken, on=domain, limit=most))
    at_home, _ = value("accuracy", "model", home)
    for domain in domains[1:]:
        abroad, _ = value("accuracy", "model", domain)
        limit = share(run.params, "fall_limit", stage=NAME)
        run.state(fall.check(at_home, abroad, subject=subject, home=home, domain=domain, limit=limit))
    for where in (home, f"all splits of={home}"):
        learned, count = value("accuracy", "label_model", where)
        plain, _ = value("accuracy", "majority", where)
        spoken = where.replace("=", " ")
        run.state(beside_majority.check(learned, plain, count, subject=subject, on=spoken))
    for domain in domains:
        seen = [source.title for source in sources if any(met.domain == domain for met in source.contamination)]
        _, count = value("accuracy", "label_model", domain)
        run.state(independence.check(seen, count, subject=subject, domain=domain))


def _find_sources(run: StageRun, evaluation: Evaluation, examples: pl.DataFrame, votes: VoteTable) -> None:
    """Every source against gold, domain by domain."""
    judges = (examples["split"] == text(run.params, "split", stage=NAME)).to_numpy()
    gold, classes = examples["gold"].to_numpy(), len(votes.classes)
    for domain in sorted(examples["domain"].unique().to_list()):
        here = judges & (examples["domain"] == domain).to_numpy()
        if not here.any():
            continue
        shares = np.bincount(gold[here], minlength=classes) / here.sum()
        balance = dict(zip(votes.classes, shares.tolist(), strict=True))
        judged = []
        for j, column in enumerate(votes.columns):
            counts = np.bincount(votes.matrix[here, j][votes.matrix[here, j] >= 0], minlength=classes)
            said = dict(zip(votes.classes, counts.tolist(), strict=True))
            found = evaluation.metric("accuracy", of=f"source {column}", slice=domain)
            if found is not None and found.value is not None:
                low, high = (None if value is None else float(value) for value in (found.low, found.high))
                chance = chance_of(said, balance)
                judged.append(Judged(column, float(found.value), chance, low, high, found.examples, GOLD))
        run.state(worse_than_chance.check(judged, subject=evaluation.name, on=domain))
        believable = share(run.params, "believable", stage=NAME)
        run.state(too_good.check(judged, subject=evaluation.name, on=domain, believable=believable))


if __name__ == "__main__":
    main()
