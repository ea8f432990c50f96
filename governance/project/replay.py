"""Do a model's stored answers still read as the votes that were recorded? Nobody is asked again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from governance.config import Config
from governance.digest import file_digest
from governance.errors import BrokenEvidence, ConfigurationError, MissingEvidence, UnknownName
from governance.facts import Facts
from governance.project.replay_told import Changed, Replayed, replay_report, vote_told
from governance.project.report import Report
from governance.records import Answers, Labeller, Result, Source, Votes
from governance.store.forgetting import erasures
from governance.store.trail import Trail

if TYPE_CHECKING:
    import polars as pl


def replay(
    config: Config, trail: Trail, facts: Facts, source: str, *, sample: int | None = None, seed: int = 0
) -> Report:
    """1. the source, and what it answered  2. the files are what was recorded  3. the parser of today reads them
    4. votes side by side  5. the report

    Raises UnknownName, ConfigurationError (no language model, a parser that cannot be imported), MissingEvidence (no
    answers here), BrokenEvidence (answers or votes that were altered).
    """
    # 1.
    voted = _source(facts, source)
    labellers = {one.name: one for one in facts.of(Labeller) if one.source == voted.name}
    tables = [one for one in facts.of(Answers) if one.source == voted.name and one.labeller in labellers]
    if not tables:
        _refuse(voted)
    # 2. to 4.
    done = [_replay(config, trail, facts, one, labellers[one.labeller], sample=sample, seed=seed) for one in tables]
    # 5.
    return replay_report(voted, labellers, done, facts, sample=sample, seed=seed)


def _source(facts: Facts, name: str) -> Source:
    sources = {one.title: one for one in facts.of(Source)}
    found = sources.get(name) or facts.get(name)
    if not isinstance(found, Source):
        hint = None if sources else "`labeltrail repro` runs the stage that asks the sources"
        raise UnknownName("source", name, sources, hint=hint)
    return found


def _refuse(source: Source) -> None:
    if source.source_kind != "llm":
        raise ConfigurationError(
            f"source {source.title!r} is of kind {source.source_kind}: no answers of it are stored",
            hint="`labeltrail reproduce` runs its stage again and compares the votes",
        )
    raise MissingEvidence(
        f"no answers of source {source.title!r} are recorded in the current runs",
        hint="let its stage call governance.sources.llm.record_answers, and state what that returns",
    )


def _replay(
    config: Config, trail: Trail, facts: Facts, answers: Answers, labeller: Labeller, *, sample: int | None, seed: int
) -> Replayed:
    from governance.sources.llm.reparse import reparse
    from governance.sources.llm.table import answer_of, read_answers

    # 2.
    frame = read_answers(_whole(config, trail, facts, answers), id_column=config.id_column)
    _check_digests(frame, answers)
    frame = frame.filter(frame["repeat"] == 0)
    stored = len(frame)
    if sample is not None:
        frame = _sampled(frame, sample, seed=seed)
    # 3.
    rows = list(frame.iter_rows(named=True))
    given = [answer_of(one) for one in rows]
    read = reparse(config.root, labeller.parser, [one for one in given if one], classes=labeller.classes)
    today = iter(read.votes)
    now = [next(today) if one else (-2, row["error"]) for one, row in zip(given, rows, strict=True)]
    # 4.
    recorded = _recorded_votes(config, trail, facts, answers, frame)
    changed: list[Changed] = []
    for row, was, (vote, error) in zip(rows, recorded, now, strict=True):
        if was != vote or (was == row["vote"] == -2 and error != row["error"]):
            told = (
                vote_told(was, row["error"] if was == row["vote"] else "", labeller),
                vote_told(vote, error, labeller),
            )
            changed.append(Changed(str(row[config.id_column]), *told))
    return Replayed(answers, stored, len(rows), sum(one is None for one in given), changed, read.behaviour)


def _whole(config: Config, trail: Trail, facts: Facts, record: Answers | Votes) -> Path:
    """The file that a record names, with the recorded bytes or with what an erasure left of them."""
    for result in facts.of(Result):
        if record.name not in result.generated:
            continue
        for output in result.outputs:
            if output.sha256 != record.sha256:
                continue
            path = config.root / output.path
            if not path.is_file():
                hint = "`labeltrail sync --pull` lets DVC bring it"
                raise MissingEvidence(f"{output.path} is not there", hint=hint)
            standing = erasures(trail).of(record.sha256)
            expected = standing.sha256 if standing and standing.sha256 else record.sha256
            if (actual := file_digest(path)) != expected:
                hint = "`labeltrail verify` tells what else is not as it was recorded"
                raise BrokenEvidence(output.path, expected=expected, actual=actual, hint=hint)
            return path
    raise MissingEvidence(f"no recorded output holds the {record.label}", hint="`labeltrail sync` takes runs in")


def _check_digests(frame: pl.DataFrame, answers: Answers) -> None:
    from governance.sources.llm.asking import response_digest
    from governance.sources.llm.table import answer_of

    for number, one in enumerate(frame.iter_rows(named=True)):
        answer = answer_of(one)
        actual = response_digest(answer) if answer else ""
        if actual != (one["response_sha256"] or ""):
            what = f"row {number} of the {answers.label}"
            raise BrokenEvidence(what, expected=one["response_sha256"] or "no answer", actual=actual or "no answer")


def _sampled(frame: pl.DataFrame, size: int, *, seed: int) -> pl.DataFrame:
    from governance.votes.alignment import sample_rows

    return frame[sample_rows(len(frame), size=size, seed=seed)] if len(frame) else frame


def _recorded_votes(config: Config, trail: Trail, facts: Facts, answers: Answers, frame: pl.DataFrame) -> list[int]:
    """The votes in the vote set that this source and dataset went into; in its absence those beside the answers."""
    from governance.votes.table import read_votes

    for votes in facts.of(Votes):
        column = next((one.column for one in votes.sources if one.source == answers.source), None)
        if column is None or votes.dataset != answers.dataset:
            continue
        voted = read_votes(_whole(config, trail, facts, votes)).wide()
        by_id = dict(zip(voted.ids.to_list(), voted.matrix[:, voted.columns.index(column)].tolist(), strict=True))
        ids = [str(one) for one in frame[config.id_column].to_list()]
        if missing := sum(one not in by_id for one in ids):
            says = f"{missing} without one"
            raise BrokenEvidence(votes.label, expected=f"a vote for each of {len(ids)} answers", actual=says)
        return [by_id[one] for one in ids]
    return frame["vote"].to_list()
