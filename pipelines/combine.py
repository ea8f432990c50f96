"""What do all sources together say of each example?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import torch

from governance.checks import (
    convergence,
    coverage,
    differs,
    guarded,
    near_copies,
    silence,
    too_good,
    worse_than_chance,
)
from governance.checks._sources import Judged, chance_of
from governance.digest import decimal, file_digest, write_atomically
from governance.errors import InvalidRecord
from governance.labelmodels._base import log_odds, normalised
from governance.labelmodels.beside import differences
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice, voices_of
from governance.parquet import content_digest, read_table, write_table
from governance.records import Dataset, LabelModel, Labels, Learned, Source, Votes
from governance.runs import StageRun, stage
from governance.votes import analysis, copies
from governance.votes.patterns import distinct
from governance.votes.table import VoteTable, read_votes
from pipelines._params import flag, names, number, optional_numbers, share, text, whole

NAME = "combine"


def main() -> None:
    """Fits majority vote and the label model, labels every example, and says what was learned of each source."""
    with stage(NAME) as run:
        folder = run.config.artifacts
        torch.set_num_threads(run.threads)
        table = read_votes(run.input(f"{folder}/votes/votes.parquet")).wide()
        facts = run.facts("vote")
        votes = run.use(facts.one(Votes))
        _same_sources(table, votes, known={record.name for record in facts.of(Source)})
        dataset = run.use(run.facts("screen").one(Dataset, role="screened"))

        learned_from = _learned_from(run, table)
        alike = _alike(run, table)
        model = _unfitted(run, table, alike).fit(learned_from)
        majority = MajorityVote().fit(table)
        labels = label_frame(table, model, majority)
        model_path = run.output(f"{folder}/labels/label_model.json")
        write_atomically(model_path, model.to_bytes())
        labels_path = run.output(f"{folder}/labels/labels.parquet")
        write_table(labels, labels_path)

        fitted = LabelModel.make(
            title="label model of all votes",
            method=model.method,
            votes=votes.name,
            sha256=file_digest(model_path),
            classes=table.classes,
            balance=[decimal(value) for value in model.balance_],
            balance_origin=model.balance_origin_,
            # Gold never reaches the fit; where it helped to choose the prior, the record says so.
            parameters={**model.parameters(), "prior_chosen_on": text(run.params, "prior_chosen_on", stage=NAME)},
            iterations=model.iterations_,
            converged=model.converged_,
            objective=decimal(model.objective_),
            learned=_learned(model, learned_from),
        )
        run.state(fitted)
        covered = labels.filter("covered")
        counts = np.bincount(covered["label"].to_numpy(), minlength=len(table.classes))
        stated = Labels.make(
            title="labels of all examples",
            votes=votes.name,
            label_model=fitted.name,
            dataset=dataset.name,
            sha256=file_digest(labels_path),
            content=content_digest(labels),
            rows=len(labels),
            covered=len(covered),
            classes={name: int(count) for name, count in zip(table.classes, counts, strict=True)},
            differs_from_majority=int((covered["label"] != covered["majority"]).sum()),
        )
        run.state(stated)
        _find(run, table, model, alike, labels=stated.name, label_model=fitted.name, votes=votes.name)
        _find_learned(run, table, fitted)
        beside = differences(model, majority, table)
        run.state(
            differs.check(
                beside.rows,
                beside.covered,
                subject=stated.name,
                ties=beside.ties,
                by_voting=beside.by_voting,
                most=beside.most,
                limit=share(run.params, "differs_limit", stage=NAME),
            )
        )


def label_frame(table: VoteTable, model: DawidSkene, majority: MajorityVote) -> pl.DataFrame:
    """One row an example, in the order of the votes.

    `majority` is -1 where no source votes or several classes lead; `label` is -1 and `log_odds` null where no source
    votes, and the probabilities there are the class balance.
    """
    scores = model.predict_scores(table)
    covered = pl.Series("covered", table.voting > 0)
    proba = normalised(scores)
    return pl.DataFrame(
        [
            table.ids,
            covered,
            pl.Series("majority", majority.predict(table, ties=False), dtype=pl.Int8),
            pl.Series("label", model.predict(table), dtype=pl.Int8),
            *(pl.Series(f"p_{name}", proba[:, k]) for k, name in enumerate(table.classes)),
            pl.Series("log_odds", log_odds(scores)).set(~covered, None),
        ]
    )


def _alike(run: StageRun, table: VoteTable) -> copies.Alike:
    """Which sources may be copies of each other, on all rows."""
    met = copies.meetings_of(distinct(table.matrix, inverse=False), n_classes=len(table.classes))
    limits = {name: share(run.params, f"copies_{name}", stage=NAME) for name in ("shared", "agreement")}
    return copies.alike(met, table.columns, **limits)


def _unfitted(run: StageRun, table: VoteTable, alike: copies.Alike) -> DawidSkene:
    """The label model; with `one_voice`, one in which a group of suspected copies counts once."""
    params = run.params
    settings: dict[str, Any] = {
        "balance": optional_numbers(params, "balance", stage=NAME),
        "strength": number(params, "strength", stage=NAME),
        "diagonal": share(params, "diagonal", stage=NAME),
        "tolerance": number(params, "tolerance", stage=NAME),
        "max_iterations": whole(params, "max_iterations", stage=NAME, least=1),
    }
    if not flag(params, "one_voice", stage=NAME):
        return DawidSkene(**settings)
    groups = alike.groups
    return OneVoice(voices=voices_of(table.columns, groups), **settings)


def _learned_from(run: StageRun, table: VoteTable) -> VoteTable:
    """The votes that the label model learns from: those on the domains in `fit_domains`, or all where it is empty."""
    wanted = names(run.params, "fit_domains", stage=NAME)
    if not wanted:
        return table
    examples = read_table(
        run.input(f"{run.config.artifacts}/data/screened.parquet"), columns=["example_id", "domain"]
    ).select("example_id", "domain")
    domains = pl.DataFrame({"example_id": table.ids}).join(examples, on="example_id", how="left", maintain_order="left")
    for domain in wanted:
        if domain not in domains["domain"]:
            raise InvalidRecord(f"{NAME}.fit_domains", domain, "a domain of the examples", where="params.yaml")
    return table.take(domains["domain"].is_in(wanted).arg_true().to_numpy())


def _same_sources(table: VoteTable, votes: Votes, *, known: set[str]) -> None:
    told = {part.column: part.source for part in votes.sources}
    for column, source in zip(table.columns, table.sources, strict=True):
        if told.get(column) != source or source not in known:
            raise InvalidRecord(f"sources.{column}", source, "the source version that stage vote stated")


def _learned(model: DawidSkene, learned_from: VoteTable) -> list[Learned]:
    """What was learned of every source; of one that never votes nothing was."""
    accuracy, tables = model.accuracy(learned_from), model.confusion_
    return [
        Learned(
            source=source,
            column=column,
            accuracy=decimal(accuracy[j]),
            confusion=tuple(tuple(decimal(value) for value in row) for row in tables[j]),
        )
        for j, (column, source) in enumerate(zip(model.columns_, model.sources_ or (), strict=True))
        if not np.isnan(accuracy[j])
    ]


def _find(
    run: StageRun,
    table: VoteTable,
    model: DawidSkene,
    alike: copies.Alike,
    *,
    labels: str,
    label_model: str,
    votes: str,
) -> None:
    params = run.params
    counted = analysis.analyse_rows(table.matrix, n_classes=len(table.classes))
    said = {column: int(counted.votes[j].sum()) for j, column in enumerate(table.columns)}
    least = share(params, "coverage_limit", stage=NAME)
    run.state(coverage.check(counted.covered, counted.rows, subject=labels, limit=least))
    run.state(silence.check(said, subject=votes))
    run.state(near_copies.check(sources=len(table.columns), subject=votes, **alike.told()))
    if isinstance(model, OneVoice):
        run.state(guarded.check(alike.groups, len(table.columns), subject=label_model))
    run.state(
        convergence.check(
            model.iterations_, converged=model.converged_, allowed=model.max_iterations, subject=label_model
        )
    )


def _find_learned(run: StageRun, table: VoteTable, fitted: LabelModel) -> None:
    """No gold is here, so that this is what the label model believes; stage evaluate holds the sources against gold."""
    balance = dict(zip(table.classes, map(float, fitted.balance), strict=True))
    judged = []
    for part in fitted.learned:
        votes = table.matrix[:, table.columns.index(part.column)]
        counts = np.bincount(votes[votes >= 0], minlength=len(table.classes))
        said = {name: int(count) for name, count in zip(table.classes, counts, strict=True)}
        judged.append(Judged(part.column, float(part.accuracy), chance_of(said, balance)))
    run.state(worse_than_chance.check(judged, subject=fitted.name))
    run.state(too_good.check(judged, subject=fitted.name, believable=share(run.params, "believable", stage=NAME)))


if __name__ == "__main__":
    main()
