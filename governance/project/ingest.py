"""How do votes that were given elsewhere come into the project? As a run of their own, with a source for each voter."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from governance.config import Config
from governance.digest import canonical, file_digest, keyed, sha256, write_atomically
from governance.errors import ConfigurationError, ExitCode, InvalidRecord, MissingEvidence, UnknownName
from governance.facts import short
from governance.project.noted import execution_of
from governance.project.report import Report, counted, table
from governance.project.take_in import TakenIn, take_in
from governance.project.tree import look_at
from governance.records import Dataset, Finding, Source
from governance.runs import StageRun, stage
from governance.runs.outside import INGESTED, outside_stage
from governance.runs.runfile import read_run, run_path
from governance.sources import ingest as shelf
from governance.sources.description import KINDS
from governance.sources.ingest import Gathered, Options, Voter
from governance.store.commitments import SubjectKeys
from governance.store.trail import Trail
from governance.votes.analysis import votes_record
from governance.votes.table import ID_COLUMN, check_sources, write_votes

if TYPE_CHECKING:
    import polars as pl

    from governance.votes.answers import Answers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: what a column of votes keeps of a name as it is: ASCII that prints, but not the mark by which the rest is written
_PLAIN = "".join(chr(code) for code in range(32, 127) if chr(code) != "%")
UNKNOWN_LICENCE = "LicenseRef-unknown"


@dataclass(frozen=True)
class Asked:
    """What `labeltrail ingest` was asked for; `names` states that the annotators' names are no personal data, and why."""

    file: Path
    name: str
    format: str
    options: Options
    names: str
    quarantine: Path | None
    owner: str


def ingest(config: Config, opened: Callable[[], Trail], asked: Asked) -> Report:
    """1. what stands in the file, whole, before anything is written  2. a source for everybody who voted  3. the run: the
    export, the examples, the votes  4. into the trail

    Raises ConfigurationError, UnknownName, InvalidRecord (which row, and why), ReturnedSubject, Busy; then nothing changed.
    """
    from governance.project.kept import recover
    from governance.project.repro import project_lock
    from governance.project.subject.intent import refuse_unfinished

    # 1.
    _check(config, asked)
    name = _name_of(asked)
    chosen = asked.format or shelf.guess(asked.file)
    gathered = shelf.read(asked.file, format=chosen, options=asked.options)
    with project_lock(config, wait_seconds=0.0):
        recover(config)
        refuse_unfinished(config)
        trail = opened()
        with suppress(MissingEvidence):
            SubjectKeys(trail).of(gathered.ids, make=False)
        # 2.
        sources, key = named_sources(trail, gathered, asked, export=file_digest(asked.file))
        answers = answers_of(gathered, sources)
        # 3.
        if asked.quarantine is not None and gathered.faults:
            write_atomically(asked.quarantine, _quarantined(gathered), mode=0o600)
        parameters = _parameters(chosen, gathered, asked, key)
        named, tree = f"{INGESTED}/{name}", look_at(config.root, ())
        with tempfile.TemporaryDirectory(prefix="labeltrail-") as notes:
            _run(config, named, asked, gathered, answers, sources, parameters, notes=Path(notes))
            # 4. The same import again is nothing new, and no second execution either.
            run = read_run(config.root / run_path(config.artifacts, named))
            known = run.result.name in trail.positions()
            place = Path(notes) / f"{named}.json"
            events = () if known else execution_of(config, place, run, before=tree)
            taken = take_in(trail, config, [outside_stage(named)], events=events)
    return _told(name, chosen, asked, gathered, answers, sources, taken)


def _check(config: Config, asked: Asked) -> None:
    if not asked.file.is_file():
        raise ConfigurationError(f"{asked.file}: no such file", hint="the first argument is the export")
    if asked.format and asked.format not in shelf.formats():
        raise UnknownName("format", asked.format, shelf.formats())
    if asked.options.kind and asked.options.kind not in KINDS:
        raise UnknownName("kind of source", asked.options.kind, KINDS)
    if config.id_column != ID_COLUMN:
        hint = f'leave `id_column` out of labeltrail.toml; votes stand under "{ID_COLUMN}"'
        raise ConfigurationError(
            f"votes have their ids in {ID_COLUMN!r}, this project in {config.id_column!r}", hint=hint
        )
    for flag, chosen in (("--names", asked.names), ("--owner", asked.owner)):
        if chosen and not chosen.strip():
            raise InvalidRecord(flag, chosen, "a sentence")


def _name_of(asked: Asked) -> str:
    """What the import is called: a folder and a stage have this name."""
    name = asked.name or asked.file.stem
    if not _NAME.fullmatch(name):
        hint = "--name NAME says what the import is called"
        raise InvalidRecord("name", name[:40], "letters, digits, - and _", where="ingest", hint=hint)
    return name


def named_sources(trail: Trail, gathered: Gathered, asked: Asked, *, export: str) -> tuple[list[Source], str]:
    """A source version for each voter, and a mark that differs where people are called otherwise or others are gold.

    A person's name is replaced by a pseudonym that only this store can compute, unless it is stated that the names are no
    personal data. Nothing is known of a function's behaviour but what it answered, so that another export is another
    version of it; a person, and a model that says its version, stay who they are.
    """
    secret = b""
    if not asked.names and any(voter.is_person for voter in gathered.voters):
        with trail.database.writing() as connection:
            secret = SubjectKeys(trail).secret(connection, make=True)
    columns = _columns(gathered.voters, secret)
    found = []
    for voter, column in zip(gathered.voters, columns, strict=True):
        hidden = bool(secret) and voter.is_person
        steady = voter.is_person or voter.kind == "pretrained"
        note = "called by a pseudonym that only this store can compute" if hidden else asked.names
        found.append(
            Source.make(
                title=column,
                source_kind=voter.kind,
                version="1" if voter.is_person else column if steady else export[:12],
                fingerprint=sha256(canonical([voter.kind, column, "" if steady else export])),
                opaque=("how it votes: only its answers were brought in",),
                summary=f"{'Annotator' if voter.is_person else 'Source'} {column} of an export",
                owner=asked.owner or "not stated",
                origin="answers given elsewhere, brought in by labeltrail ingest",
                licence_declared=UNKNOWN_LICENCE,
                licence_found=UNKNOWN_LICENCE,
                collection="not stated",
                personal_data=hidden,
                personal_data_note=note if voter.is_person else "",
            )
        )
    check_sources(columns, [source.name for source in found], where="sources")
    chosen = json.dumps([asked.options.gold, asked.options.sources]).encode()
    return found, keyed(secret, b"annotators", chosen).hex()[:16]


def _columns(voters: Sequence[Voter], secret: bytes) -> list[str]:
    """What each is called, in ASCII; where two would be called alike, and as the ids' column is, the kind stands before."""
    names = [
        f"{voter.kind}-{keyed(secret, b'annotator', voter.name.encode()).hex()[:16]}"
        if secret and voter.is_person
        else quote(voter.name, safe=_PLAIN)
        for voter in voters
    ]
    return [
        f"{voter.kind}:{name}" if names.count(name) > 1 or name == ID_COLUMN else name
        for voter, name in zip(voters, names, strict=True)
    ]


def answers_of(gathered: Gathered, sources: Sequence[Source]) -> Answers:
    """What was gathered, as votes of these source versions."""
    from governance.votes.answers import Answers

    columns, names = [source.title for source in sources], [source.name for source in sources]
    example, source, repeat, vote = gathered.answers.T
    ids: Any = list(gathered.ids)
    return Answers(ids, tuple(columns), tuple(names), gathered.classes, example, source, repeat, vote)


def _run(
    config: Config,
    name: str,
    asked: Asked,
    gathered: Gathered,
    answers: Answers,
    sources: Sequence[Source],
    parameters: dict[str, Any],
    *,
    notes: Path,
) -> None:
    """1. the export lies below the project, as an input  2. the examples  3. the votes  4. what can be said of them"""
    from governance.parquet import content_digest, read_table, write_table

    folder = f"{config.artifacts}/{name}"
    copies = {f"{folder}/export{_suffix(asked.file)}": asked.file}
    if (ids := _ids_file(asked)) is not None:
        copies[f"{folder}/ids{_suffix(ids)}"] = ids
    for path, file in copies.items():
        if (config.root / path).resolve() != file.resolve():
            write_atomically(config.root / path, file.read_bytes(), mode=0o600)
    with stage(name, root=config.root, notes=notes) as run:
        # 1.
        run.params, run.seed = parameters, 0
        for path in copies:
            run.input(path)
        # 2.
        path = run.output(f"{folder}/dataset.parquet")
        frame = _examples(config, gathered)
        write_table(frame, path)
        dataset = Dataset.make(
            title=f"examples of {name}",
            role="collected",
            sha256=file_digest(path),
            content=content_digest(frame),
            rows=len(frame),
            columns=[{"name": column, "dtype": str(kind)} for column, kind in frame.schema.items()],
        )
        # 3.
        path = run.output(f"{folder}/votes.parquet")
        write_votes(answers, path)
        votes = votes_record(
            answers,
            title=f"votes of {name}",
            dataset=dataset.name,
            sha256=file_digest(path),
            content=content_digest(read_table(path)),
            revoted=0,
            revoted_differently=0,
        )
        # 4.
        for source in sources:
            run.state(source)
        run.state(dataset)
        run.state(votes)
        _find(run, gathered, subject=votes.name)


def _suffix(file: Path) -> str:
    """How the name of a copy ends; what else a name may hold stays where it was."""
    suffix = file.suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,10}", suffix) else ""


def _ids_file(asked: Asked) -> Path | None:
    """The second file that the votes were read with, where there is one."""
    if asked.options.ids is not None:
        return asked.options.ids
    beside = asked.file.with_name(f"{asked.file.name}.ids.json")
    return beside if asked.file.suffix == ".npy" and beside.is_file() else None


def _examples(config: Config, gathered: Gathered) -> pl.DataFrame:
    import polars as pl

    columns = [pl.Series(ID_COLUMN, gathered.ids, dtype=pl.String)]
    if gathered.texts:
        columns.append(pl.Series(config.text_column or "text", gathered.texts, dtype=pl.String))
    return pl.DataFrame(columns)


def _find(run: StageRun, gathered: Gathered, *, subject: str) -> None:
    """States what was put aside."""
    aside = len(gathered.faults)
    if not aside:
        return
    # A column may be called after a person, so that no column is named.
    says = f"{counted(aside, 'row')} of the export {'was' if aside == 1 else 'were'} put aside and did not come in."
    run.state(Finding.make(check="rejected", subject=subject, outcome="fail", says=says))


def _parameters(format: str, gathered: Gathered, asked: Asked, key: str) -> dict[str, Any]:
    """What decides the outcome beside the export; never a name of a person."""
    options = asked.options
    told = {
        "format": format,
        "classes": list(gathered.classes),
        "id_column": options.id_column,
        "text_column": options.text_column,
        "source_column": options.source_column,
        "label_column": options.label_column,
        "question": options.question,
        "kind": options.kind,
        "names": asked.names,
        "owner": asked.owner,
        "voters": key,
        "put_aside": len(gathered.faults),
    }
    return {name: value for name, value in told.items() if value not in ("", 0, [])}


def _quarantined(gathered: Gathered) -> bytes:
    lines = (
        {"row": one.row, "field": one.field, "given": str(one.given), "wanted": one.wanted, "record": one.record}
        for one in gathered.faults
    )
    return b"".join(json.dumps(line, ensure_ascii=True).encode() + b"\n" for line in lines)


def _told(
    name: str,
    format: str,
    asked: Asked,
    gathered: Gathered,
    answers: Answers,
    sources: Sequence[Source],
    taken: TakenIn,
) -> Report:
    (found,) = taken.found
    form = "wide" if answers.is_wide else "long"
    data: dict[str, Any] = {
        "stage": f"ingested/{name}",
        "format": format,
        "guessed": not asked.format,
        "form": form,
        "examples": len(answers),
        "answers": len(answers.vote),
        "repeated": answers.repeated,
        "classes": list(answers.classes),
        "texts": bool(gathered.texts),
        "put_aside": len(gathered.faults),
        "quarantine": str(asked.quarantine) if asked.quarantine is not None and gathered.faults else "",
        "notes": list(gathered.notes),
        "sources": [
            {"name": source.name, "title": source.title, "kind": source.source_kind, "answers": int(count)}
            for source, count in zip(sources, _counts(answers), strict=True)
        ],
        "problem": found.problem,
        "new_entries": taken.new,
    }
    rows = [(s["title"], s["kind"], f"{s['answers']:,}", short(s["name"])) for s in data["sources"]]
    told = f"{format}, {'as it looks' if not asked.format else 'as you say'}"
    blocks = [
        f"ingested/{name}: {counted(len(answers), 'example')}, {counted(len(answers.vote), 'answer')} of "
        f"{counted(len(sources), 'source')}, in {form} form ({told})",
        table(("source", "kind", "answers", "name"), rows),
        *(f"note: {note}" for note in gathered.notes),
    ]
    if gathered.faults:
        place = f": {asked.quarantine}" if asked.quarantine is not None else ""
        blocks.append(f"put aside: {counted(len(gathered.faults), 'row')}{place}")
    if found.problem:
        blocks.append(f"not recorded: {found.problem}")
        return Report("ingest", data, tuple(blocks), ExitCode.BROKEN)
    blocks.append(f"next: `labeltrail why {ID_COLUMN.upper()}` tells the votes on an example")
    return Report("ingest", data, tuple(blocks), ExitCode.FINDINGS if gathered.faults else ExitCode.FINE)


def _counts(answers: Answers) -> list[int]:
    import numpy as np

    return np.bincount(answers.source, minlength=len(answers.columns)).tolist()
