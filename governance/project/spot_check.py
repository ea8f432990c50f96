"""How does a person hold the sources against gold? She is asked about a few rows, and her answers are taken in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.config import Config
from governance.digest import canonical, decimal, file_digest, parse_canonical, write_atomically
from governance.erased import Erased
from governance.errors import ConfigurationError, InvalidRecord, MissingEvidence
from governance.facts import Facts, short
from governance.lineage.rows import Rows
from governance.parquet import read_table
from governance.project.report import Report, counted, table
from governance.project.take_in import take_in
from governance.records import Dataset, Evaluation, Labels, Metric, Votes
from governance.runs import stage
from governance.runs.outside import outside_stage
from governance.votes.table import VoteTable, read_votes

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels.spot_check import Estimate
    from governance.store.trail import Trail

FORMAT, VERSION = "labeltrail/spot-check", 1
SLICE = "spot check"
_FIELDS = {"format", "v", "votes", "rows", "seed", "chances"}
_ASK = "`labeltrail source ask FILE.csv` asks for rows"


def ask(config: Config, facts: Facts, *, erased: Erased, file: Path, rows: int, seed: int) -> Report:
    """`labeltrail source ask`: 1. the votes, held against their record  2. rows drawn with known chances  3. a table to
    fill in, with texts, for this machine alone, and beside it the chances.

    Raises MissingEvidence, BrokenEvidence, ConfigurationError (a file is there already), InvalidRecord.
    """
    import numpy as np
    import polars as pl

    from governance.labelmodels.spot_check import chances, doubt, drawn

    # 1.
    plan = _plan_of(file)
    for path in (file, plan):
        if path.exists():
            raise ConfigurationError(f"{path} is there already", hint="name another file, or take its answers first")
    if type(seed) is not int or seed < 0:
        raise InvalidRecord("seed", seed, "a whole number from 0")
    votes, held_rows = _votes(config, facts, erased)
    place = held_rows.held(Votes, sha256=votes.sha256).path
    asked = read_votes(place).wide()
    # 2. The order of the rows decides nothing: they are drawn in the order of their ids.
    asked = asked.take(np.argsort(asked.ids.to_numpy(), kind="stable"))
    chance = chances(doubt(asked.matrix, n_classes=len(asked.classes)), rows=rows)
    found = drawn(chance, seed=seed)
    ids = asked.ids.gather(found).to_list()
    # 3.
    texts = _texts(config, facts, held_rows, votes, ids)
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow([config.id_column, *(["text"] if texts else []), "label"])
    order = np.random.default_rng([seed, 1]).permutation(len(ids))
    for number in order:
        writer.writerow([ids[number], *([texts[ids[number]]] if texts else []), ""])
    planned = {
        "format": FORMAT,
        "v": VERSION,
        "votes": votes.name,
        "rows": rows,
        "seed": seed,
        "chances": [[name, decimal(float(chance[row]))] for name, row in zip(ids, found, strict=True)],
    }
    _write(plan, canonical(planned) + b"\n")
    _write(file, told.getvalue().encode())
    covered = int(pl.Series(asked.voting).gt(0).sum())
    data = {
        "votes": votes.name,
        "file": str(file),
        "plan": str(plan),
        "rows": len(ids),
        "of": covered,
        "seed": seed,
        "classes": list(votes.classes),
        "texts": bool(texts),
    }
    blocks = (
        f"{counted(len(ids), 'row')} of {covered:,} with a vote ({short(votes.name)}) are in {file}, drawn by seed {seed}",
        f"write {' or '.join(votes.classes)} into the column label, or leave it empty where you cannot say",
        f"it holds ids{' and texts' if texts else ''}: keep it, and {plan.name} beside it, on this machine",
        f"then: labeltrail source take {file}",
    )
    return Report("source ask", data, blocks)


def take(
    config: Config, facts: Facts, opened: Callable[[], Trail], *, erased: Erased, file: Path, by: str, name: str
) -> Report:
    """`labeltrail source take`: 1. every answer fits a question  2. weighed  3. recorded as an evaluation of the labels,
    in a run of its own, without texts  4. into the trail.

    Raises ConfigurationError, InvalidRecord (which line, never an id), MissingEvidence, BrokenEvidence, Busy; then nothing
    changed.
    """
    from governance.project.ingest import _NAME
    from governance.project.kept import recover
    from governance.project.repro import project_lock
    from governance.project.subject.intent import refuse_unfinished

    if not _NAME.fullmatch(name):
        raise InvalidRecord("name", name[:40], "letters, digits, - and _", where="source take")
    # 1.
    plan = _read_plan(_plan_of(file))
    votes, held_rows = _votes(config, facts, erased)
    if votes.name != plan["votes"]:
        raise MissingEvidence(
            f"{file} was asked of {short(plan['votes'])}, and the votes are {short(votes.name)} now", hint=_ASK
        )
    answers, skipped = _answers(config, file, plan["chances"], votes.classes)
    if not answers:
        raise MissingEvidence(f"{file}: no row has an answer", hint="write a class into the column label")
    # 2.
    table_ = read_votes(held_rows.held(Votes, sha256=votes.sha256).path).wide()
    metrics = _metrics(config, facts, held_rows, table_, votes, answers, plan["chances"])
    # 3.
    with project_lock(config, wait_seconds=0.0):
        recover(config)
        refuse_unfinished(config)
        trail = opened()
        stage_name = f"ingested/{name}"
        _run(config, facts, stage_name, votes, answers, metrics, by=by, plan=plan, skipped=skipped)
        # 4.
        taken = take_in(trail, config, [outside_stage(stage_name)])
    return _told(votes, metrics, answers=len(answers), skipped=skipped, stage_name=stage_name, new=taken.new)


def _plan_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.plan.json")


def _votes(config: Config, facts: Facts, erased: Erased) -> tuple[Votes, Rows]:
    """The votes of the newest labels, or the newest ones."""
    stated = facts.of(Votes)
    if not stated:
        raise MissingEvidence("no votes are recorded for the current runs", hint="`labeltrail repro` makes them")
    labelled = {labels.votes for labels in facts.of(Labels)}
    chosen = [votes for votes in stated if votes.name in labelled] or stated
    return chosen[-1], Rows(config.root, facts, id_column=config.id_column, erased=erased)


def _texts(config: Config, facts: Facts, rows: Rows, votes: Votes, ids: list[str]) -> dict[str, str]:
    """The text of each example, where the project keeps some; nothing is asked of a project without texts."""
    dataset = facts.get(votes.dataset)
    if not isinstance(dataset, Dataset) or config.text_column not in {column.name for column in dataset.columns}:
        return {}
    held = rows.held(Dataset, sha256=dataset.sha256)
    return {name: str(rows.row(held, name)[1][config.text_column]) for name in ids}


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data, mode=0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror or error}", hint="name a file in a folder that is there"
        ) from None


def _read_plan(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file", hint=f"it lies beside the questions; {_ASK}")
    told = parse_canonical(path.read_bytes().removesuffix(b"\n"), where=str(path))
    if not isinstance(told, dict) or set(told) != _FIELDS or (told["format"], told["v"]) != (FORMAT, VERSION):
        raise InvalidRecord("file", type(told).__name__, "the plan of a spot check", where=str(path), hint=_ASK)
    for field in ("rows", "seed"):
        if type(told[field]) is not int or told[field] < 0:
            raise InvalidRecord(field, told[field], "a whole number from 0", where=str(path), hint=_ASK)
    return {**told, "chances": _chances(told["chances"], where=str(path))}


def _chances(told: Any, *, where: str) -> dict[str, float]:
    """The chance of each row by id. An error numbers the pair, and never names its id."""
    wanted = "pairs of an id and a chance above 0 and up to 1, each id once"
    if not isinstance(told, list):
        raise InvalidRecord("chances", told, f"a list of {wanted}", where=where, hint=_ASK)
    found: dict[str, float] = {}
    for number, pair in enumerate(told, start=1):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str) or pair[0] in found:
            raise InvalidRecord(f"chances, pair {number}", type(pair).__name__, wanted, where=where, hint=_ASK)
        try:
            chance = float(pair[1]) if isinstance(pair[1], str) else 0.0
        except ValueError:
            chance = 0.0
        if not 0 < chance <= 1:
            raise InvalidRecord(f"chances, pair {number}", pair[1], wanted, where=where, hint=_ASK)
        found[pair[0]] = chance
    return found


def _answers(
    config: Config, file: Path, chances: dict[str, float], classes: tuple[str, ...]
) -> tuple[dict[str, int], int]:
    """(class index by id, rows without an answer). A line is named by its number, and never by its id."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: no such file", hint=_ASK) from None
    except UnicodeDecodeError:
        raise InvalidRecord("file", "other bytes", "text in UTF-8", where=str(file)) from None
    columns, rows = _read_csv(text, where=str(file))
    if not {config.id_column, "label"} <= set(columns):
        raise InvalidRecord("columns", columns, f"{config.id_column} and label", where=str(file))
    found: dict[str, int] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        name, label = row[config.id_column] or "", (row["label"] or "").strip()
        if name not in chances:
            raise InvalidRecord(
                f"row {number}", "an id that was not asked", "the rows as they were asked", where=str(file)
            )
        if name in seen:
            raise InvalidRecord(f"row {number}", "an id that an earlier row has", "each row once", where=str(file))
        seen.add(name)
        if not label:
            continue
        if label not in classes:
            raise InvalidRecord(
                f"row {number}.label", label, f"one of {', '.join(classes)}, or nothing", where=str(file)
            )
        found[name] = classes.index(label)
    return found, len(chances) - len(found)


def _read_csv(text: str, *, where: str) -> tuple[list[str], list[dict[str, str | None]]]:
    """The columns and the rows of a CSV; a row that cannot be read is named by its number."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[dict[str, str | None]] = []
    try:
        columns = list(reader.fieldnames or ())
        rows.extend(reader)
    except csv.Error as error:
        wanted = f"cells of up to {csv.field_size_limit():,} characters, in quotes that end"
        hint = "the column text may be taken out: only the id and the label are read"
        raise InvalidRecord(f"row {len(rows) + 1}", str(error), wanted, where=where, hint=hint) from None
    return columns, rows


def _metrics(
    config: Config,
    facts: Facts,
    rows: Rows,
    votes_table: VoteTable,
    votes: Votes,
    answers: dict[str, int],
    chances: dict[str, float],
) -> list[Metric]:
    """Accuracy of every source, of the labels, and of the labels class by class."""
    import numpy as np
    import polars as pl

    ids = sorted(answers)
    gold = np.array([answers[name] for name in ids])
    chance = np.array([chances[name] for name in ids])
    place = pl.DataFrame({"id": votes_table.ids, "row": pl.int_range(len(votes_table), eager=True)})
    at = pl.DataFrame({"id": ids}).join(place, on="id", how="left", maintain_order="left")["row"]
    if gone := at.null_count():
        raise MissingEvidence(f"the votes hold no row for {counted(gone, 'answer')}", hint=_ASK)
    said = votes_table.matrix[at.to_numpy()]
    found = [
        _metric(f"source {column}", said[:, j], gold, chance, where=SLICE)
        for j, column in enumerate(votes_table.columns)
    ]
    stated = [labels for labels in facts.of(Labels) if labels.votes == votes.name]
    if stated:
        frame = read_table(rows.held(Labels, sha256=stated[-1].sha256).path, columns=[config.id_column, "label"])
        joined = pl.DataFrame({config.id_column: ids}).join(
            frame, on=config.id_column, how="left", maintain_order="left"
        )
        label = joined["label"].fill_null(-1).to_numpy()
        found.append(_metric("label_model", label, gold, chance, where=SLICE))
        for k, name in enumerate(votes.classes):
            found.append(_metric("label_model", np.where(label == k, label, -1), gold, chance, where=f"{SLICE}={name}"))
    return found


def _metric(of: str, said: np.ndarray, gold: np.ndarray, chance: np.ndarray, *, where: str) -> Metric:
    from governance.labelmodels.spot_check import estimate

    voted = said >= 0
    got: Estimate = estimate((said == gold)[voted], chance[voted])
    figures = {
        name: None if value is None else decimal(value)
        for name, value in (("value", got.share), ("low", got.low), ("high", got.high))
    }
    return Metric(metric="accuracy", of=of, slice=where, examples=got.answers, **figures)


def _run(
    config: Config,
    facts: Facts,
    name: str,
    votes: Votes,
    answers: dict[str, int],
    metrics: list[Metric],
    *,
    by: str,
    plan: dict[str, Any],
    skipped: int,
) -> None:
    folder = f"{config.artifacts}/{name}"
    lines = [[answer, str(label), decimal(plan["chances"][answer])] for answer, label in sorted(answers.items())]
    _write(config.root / folder / "answers.json", canonical(lines) + b"\n")
    labels = [stated.name for stated in facts.of(Labels) if stated.votes == votes.name][-1:]
    with stage(name, root=config.root) as run:
        run.params, run.seed = {"rows": plan["rows"], "by": by, "skipped": skipped}, plan["seed"]
        run.input(f"{folder}/answers.json")
        path = run.output(f"{folder}/metrics.json")
        write_atomically(path, canonical([metric.model_dump(mode="json") for metric in metrics]) + b"\n")
        run.use(votes)
        run.state(
            Evaluation.make(
                title=f"spot check of {counted(len(answers), 'row')}",
                gold=f"answers of {by} on rows drawn with known chances",
                dataset=votes.dataset,
                compared=tuple(labels) or (votes.name,),
                sha256=file_digest(path),
                metrics=tuple(metrics),
                classes=votes.classes,
            )
        )


def _told(votes: Votes, metrics: list[Metric], *, answers: int, skipped: int, stage_name: str, new: int) -> Report:
    data = {
        "stage": stage_name,
        "votes": votes.name,
        "answers": answers,
        "skipped": skipped,
        "method": "Hajek's estimator with Wilson's 95 % interval on Kish's effective number of answers",
        "metrics": [metric.model_dump(mode="json") for metric in metrics],
        "new_entries": new,
    }
    rows = [
        (
            metric.of if metric.slice == SLICE else f"{metric.of}, where it says {metric.slice.partition('=')[2]}",
            "no answer" if metric.value is None else f"{100 * float(metric.value):.1f} %",
            "" if metric.low is None else f"{100 * float(metric.low):.1f} to {100 * float(metric.high or 0):.1f} %",
            f"{metric.examples:,}",
        )
        for metric in metrics
    ]
    blocks: list[Any] = [
        f"{counted(answers, 'answer')} taken in, {counted(skipped, 'row')} without one; recorded as {stage_name}",
        table(("accuracy of", "share", "95 %", "answers"), rows),
        "each answer counts as the reciprocal of its row's chance, so that the shares are those of all rows with a vote",
    ]
    if skipped:
        blocks.append(
            "rows without an answer are taken to be like the others; if they are the hard ones, the shares are too high"
        )
    return Report("source take", data, tuple(blocks))
