"""The governed project: one method for each verb of the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from governance.config import Config, find_root, read_config
from governance.project.report import Report, Table
from governance.readers import reading, reads

if TYPE_CHECKING:
    from governance.sources.ingest import Options

__all__ = ["Project", "Report", "Table"]


class Project:
    """A project folder with its trail. Every method answers a Report; errors are those of `governance.errors`.

    >>> project = Project.find(".")          # doctest: +SKIP (needs a project around it)
    >>> print(project.status().to_markdown())  # doctest: +SKIP
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def find(cls, folder: str | Path = ".") -> Self:
        """The project at or above a folder. Raises NoSuchFolder, NotAProject, ConfigurationError."""
        return cls(read_config(find_root(Path(folder))))

    @classmethod
    def init(
        cls, folder: str | Path = ".", *, name: str | None = None, reference: bool | None = None, key: bool = True
    ) -> Report:
        """Makes a folder a governed project; an empty one gets the reference project."""
        from governance.project.init import init

        return init(Path(folder), name=name, reference=reference, key=key)

    @cached_property
    def trail(self):
        """The project's log. Raises MissingEvidence where there is none yet, ConfigurationError, BrokenEvidence."""
        from governance.store.trail import Trail

        return Trail.open(self.config.store, root=self.config.root, project=self.config.name)

    def repro(
        self,
        *,
        targets: Sequence[str] = (),
        force: bool = False,
        wait_seconds: float = 0.0,
        summary: str | Path | None = None,
        junit: str | Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> Report:
        """Runs what has to run and records how every stage ended.

        `summary` gets Markdown for a pull request, `junit` XML for those who count tests, also where a stage fails.
        Raises ConfigurationError before anything runs where one of them cannot be written.
        """
        from governance.project.repro import reproduce

        def opened():
            from governance.store.trail import Trail

            config = self.config
            return Trail.open(config.store, root=config.root, project=config.name, create=True)

        if summary is None and junit is None:
            return reproduce(self.config, opened, targets=targets, force=force, wait_seconds=wait_seconds, say=say)
        from governance.project.ci import Witness, before_the_last_repro
        from governance.store.forgetting import erasures

        places = [Path(place) if place is not None else None for place in (summary, junit)]
        witness = Witness(self.config, summary=places[0], junit=places[1])
        with witness.watching():
            report = reproduce(
                self.config,
                opened,
                targets=targets,
                force=force,
                wait_seconds=wait_seconds,
                say=say,
                look=witness.look,
            )
            trail = opened()
            earlier = before_the_last_repro(trail, new=report.data["new_entries"])
            witness.tell(report, trail.facts(), earlier=earlier, erased=erasures(trail))
        return report

    def sync(
        self, *, pull: bool = False, remote: str | None = None, say: Callable[[str], None] = lambda _: None
    ) -> Report:
        """Takes the runs that lie in the project into the trail, without running anything.

        With `pull`, DVC first brings what its default remote, or `remote`, holds. Raises Busy, ConfigurationError,
        RemoteUnusable, RemoteSilent; then nothing was recorded.
        """
        from governance.dvc.remote import pull as bring
        from governance.project.kept import recover
        from governance.project.repro import project_lock
        from governance.project.subject.intent import refuse_unfinished
        from governance.project.take_in import take_in
        from governance.project.told import sync_report
        from governance.runs.outside import project_stages
        from governance.store.trail import Trail

        config = self.config
        with project_lock(config, wait_seconds=0.0):
            recover(config)
            refuse_unfinished(config)
            if pull or remote:
                bring(config.root, remote=remote, say=say)
            trail = Trail.open(config.store, root=config.root, project=config.name, create=True)
            return sync_report(take_in(trail, config, project_stages(config).values()))

    def ingest(
        self,
        file: str | Path,
        *,
        format: str = "",
        name: str = "",
        options: Options | None = None,
        names: str = "",
        quarantine: str | Path | None = None,
        owner: str = "",
    ) -> Report:
        """Brings in votes that were given elsewhere; `options` is a `governance.sources.ingest.Options`.

        `names` states that the annotators' names are no personal data, and why. Raises ConfigurationError, UnknownName,
        InvalidRecord (which row, and why), ReturnedSubject, Busy; then nothing changed.
        """
        from dataclasses import replace

        from governance.project.ingest import Asked, ingest
        from governance.sources.ingest import Options
        from governance.store.trail import Trail

        def opened():
            return Trail.open(self.config.store, root=self.config.root, project=self.config.name, create=True)

        place = Path(quarantine) if quarantine is not None else None
        chosen = replace(options or Options(), aside=place is not None)
        return ingest(self.config, opened, Asked(Path(file), name, format, chosen, names, place, owner))

    def run(self, command: Sequence[str], *, name: str | None = None) -> Report:
        """Runs somebody's own command and records what it did with votes; the exit code is the command's, or 3.

        Raises ConfigurationError where the command cannot be started.
        """
        from governance.project.run import run

        def opened():
            from governance.store.trail import Trail

            config = self.config
            return Trail.open(config.store, root=config.root, project=config.name, create=True)

        return run(self.config, opened, command, name=name)

    @reads
    def status(self) -> Report:
        """How every stage stands, what was found, and the next command."""
        from governance.project.status import status

        return status(self.config, self.trail)

    @reads
    def log(self, *, last: int | None = 20) -> Report:
        """The newest entries of the log."""
        from governance.project.told import log_report

        size = self.trail.size()
        start = max(0, size - last) if last is not None else 0
        return log_report(self.trail, self.trail.entries(start=start), size=size)

    @reads
    def show(self, name: str) -> Report:
        """One record, whole. Raises UnknownName, AmbiguousName."""
        from governance.project.told import show_report

        entries = {entry.record.name: (seq, entry) for seq, entry in self.trail.entries()}
        facts = self.facts()
        record = self._newest(name)
        seq, entry = entries[record.name]
        return show_report(record, facts=facts, current=self.current_facts(), seq=seq, at=entry.at)

    @reads
    def trace(
        self, name: str, *, directions: tuple[Literal["up", "down"], ...] = ("up", "down"), limit: int | None = None
    ) -> Report:
        """Everything that led to a record and everything that came of it, or the `limit` nearest of each.

        Raises UnknownName, AmbiguousName.
        """
        from governance.project.told import trace_report

        record, everything, current = self._newest(name), self.facts(), self.current_facts()
        return trace_report(record, self.trail, everything, current=current, directions=directions, limit=limit)

    @reads
    def diff(
        self,
        *runs: str,
        rows: int | None = None,
        cause: str | None = None,
        csv: str | Path | None = None,
        parquet: str | Path | None = None,
    ) -> Report:
        """What differs between two runs of a stage, and what that did; one name alone is held against the run before it.

        A run is a result's name, a stage or a commit. Of two label sets (`labels`, `labels~1`, names, files) each changed
        row is told with its cause: `rows` of each, those of one `cause`, and all of them in a file. Raises UnknownName,
        AmbiguousName, InvalidRecord, MissingEvidence, ConfigurationError.
        """
        from governance.project.diff import diff
        from governance.project.label_told import Wanted
        from governance.store.forgetting import erasures

        wanted = Wanted(rows, cause, *(Path(place) if place is not None else None for place in (csv, parquet)))
        return diff(self.config, self.facts(), runs, erased=erasures(self.trail), wanted=wanted)

    @reads
    def why(self, example: str) -> Report:
        """Why an example has its label: votes, contributions, prediction, runs, commitment."""
        from governance.project.in_between import in_between
        from governance.project.why import why

        with in_between(self.config, self.trail):
            return why(example, config=self.config, trail=self.trail, facts=self.current_facts())

    @reads
    def explainer(self):
        """Everything that `why` needs, read once, for many examples."""
        from governance.project.why import Explainer

        return Explainer(config=self.config, trail=self.trail, facts=self.current_facts(), many=True)

    @reads
    def whatif(self, *without: str, retrain: bool = False, picture: str | Path | None = None) -> Report:
        """What the labels would be without some sources, and with `retrain` what would be predicted.

        `picture` is an SVG file to draw it in. Raises UnknownName, AmbiguousName, InvalidRecord, MissingEvidence,
        BrokenEvidence, ConfigurationError.
        """
        from governance.project.counterfactual.verbs import whatif

        return whatif(self, without, retrain=retrain, picture_to=Path(picture) if picture is not None else None)

    @reads
    def blast(self, source: str, *, retrain: bool = False, picture: str | Path | None = None) -> Report:
        """What a source touched, what it decided, what would be predicted without it, and what hangs on it.

        `picture` is an SVG file to draw it in. Raises UnknownName, AmbiguousName, InvalidRecord, MissingEvidence,
        BrokenEvidence, ConfigurationError.
        """
        from governance.project.counterfactual.verbs import blast

        return blast(self, source, retrain=retrain, picture_to=Path(picture) if picture is not None else None)

    def verify(self, *, since: str | Path | None = None, log: bool = False) -> Report:
        """Hashes everything again: log, tables, outputs, DVC's lock and cache, rows. Raises Busy during a repro.

        With `log`, the log alone: entries, tree and checkpoints; then nothing is rolled back and nobody is waited for.

        What a killed repro left half-done is rolled back first, and told. `since` is a checkpoint from outside that the log
        has to have grown from. Raises ConfigurationError for one that is of another log.
        """
        import os
        from contextlib import nullcontext

        from governance.project.kept import recover
        from governance.project.repro import project_lock
        from governance.project.told import verify_report
        from governance.proof.verify import verify, verify_log

        trail, state = self.trail, self.config.state
        checkpoint = Path(since) if since is not None else None
        if log:
            return verify_report(verify_log(trail, self.config, since=checkpoint))
        # What nobody here may write, nobody here changes meanwhile.
        writable = os.access(state, os.W_OK)
        with project_lock(self.config, wait_seconds=0.0) if writable else nullcontext(), reading(self.config.root):
            back = recover(self.config) if writable else []
            verification = verify(trail, self.config, since=checkpoint)
            return verify_report(verification, rolled_back=back)

    @classmethod
    def verify_bundle(
        cls, bundle: str | Path, *, since: str | Path | None = None, key: str | None = None, seed: str | None = None
    ) -> Report:
        """Holds a bundle against itself and against a checkpoint or a key got some other way. Needs no project.

        `seed` is what has to have drawn the rows of a challenge. Raises ConfigurationError for a file, a checkpoint or a
        key that cannot be read.
        """
        from governance.project.bundle import verify_bundle

        return verify_bundle(Path(bundle), since=Path(since) if since is not None else None, key=key, seed=seed)

    def checkpoint(self, *, tiles: str | Path | None = None) -> Report:
        """Writes the newest checkpoint to checkpoints/, for git and others to carry. Raises BrokenEvidence.

        `tiles` is a folder to publish the log to, for any static file server. Raises ConfigurationError, Busy.
        """
        from governance.project.checkpoint import checkpoint

        return checkpoint(self.config, self.trail, tiles=Path(tiles) if tiles is not None else None)

    def bundle(
        self,
        target: str | Path,
        *,
        verifier: str | Path | None = None,
        rows: Sequence[str] = (),
        reason: str = "",
        force: bool = False,
    ) -> Report:
        """Hands out the log, its checkpoint and the current documents as one archive, and notes that in the log.

        `verifier` is where to put `verify.py`, which checks it; `rows` are kinds of tables to hand out whole, for a
        `reason` that is recorded; a file that stands there is overwritten with `force` alone. Raises ConfigurationError,
        UnknownName, MissingEvidence.
        """
        from governance.project.bundle import bundle

        place = Path(verifier) if verifier is not None else None
        facts = self.current_facts()
        return bundle(
            self.config,
            self.trail,
            facts,
            target=Path(target),
            verifier_to=place,
            rows=rows,
            reason=reason,
            force=force,
        )

    @reads
    def drill(self, *, say: Callable[[str], None] = lambda _: None) -> Report:
        """Tampers with copies of the project in every known way and tells which verification notices.

        Raises BrokenEvidence where the project is not whole now, ConfigurationError where there is no room for copies.
        """
        from governance.project.drill import drill

        return drill(self.config, self.trail, say=say)

    @reads
    def challenge(
        self,
        target: str | Path,
        *,
        seed: str,
        rows: int = 25,
        reason: str = "",
        since: str | Path | None = None,
        verifier: str | Path | None = None,
        force: bool = False,
    ) -> Report:
        """Shows the rows of the labels that an outsider's seed draws, and no others, and notes that in the log.

        `since` is a checkpoint that the outsider holds, `verifier` where to put `verify.py`; a file that stands there is
        overwritten with `force` alone. Raises InvalidRecord, ConfigurationError, MissingEvidence, BrokenEvidence.
        """
        from governance.project.challenge import challenge

        return challenge(
            self.config,
            self.trail,
            self.current_facts(),
            target=Path(target),
            seed=seed,
            rows=rows,
            reason=reason,
            since=Path(since) if since is not None else None,
            verifier_to=Path(verifier) if verifier is not None else None,
            force=force,
        )

    @reads
    def adopt(self) -> Report:
        """Vouches for entries that were recorded without the log's key. Raises BrokenEvidence, ConfigurationError."""
        from governance.project.adopt import adopt

        return adopt(self.config, self.trail)

    @reads
    def key_show(self) -> Report:
        """Every key that this log has had, and which are at hand. Raises BrokenEvidence."""
        from governance.project.key import show

        return show(self.trail)

    @reads
    def key_rotate(self) -> Report:
        """The key in force hands over to a new one. Raises ConfigurationError, BrokenEvidence, Busy."""
        from governance.project.key import rotate

        return rotate(self.config, self.trail)

    @reads
    def key_revoke(self, *, reason: Literal["lost", "compromised"]) -> Report:
        """A new key in the place of one that is believed no more. Raises ConfigurationError, BrokenEvidence, Busy."""
        from governance.project.key import revoke

        return revoke(self.config, self.trail, reason=reason)

    @reads
    def reproduce(self, run: str | None = None, *, say: Callable[[str], None] = lambda _: None) -> Report:
        """Runs a recorded result's recipe again in a scratch folder and compares; by default every current one of dvc.yaml.

        Runs that were watched or brought in are told as left out then. `run` is a result's name or a stage. Raises
        UnknownName, MissingEvidence.
        """
        from governance.dvc.files import read_stages
        from governance.errors import MissingEvidence, UnknownName
        from governance.facts import match_name
        from governance.project.reproduce import reproduce_runs
        from governance.records import Result
        from governance.runs.outside import is_outside

        current = {result.stage: result for result in self.current_facts().of(Result)}
        facts, left_out = self.facts(), []
        if run is None:
            chosen = [result for stage, result in current.items() if not is_outside(stage)]
            left_out = [stage for stage in current if is_outside(stage)]
        elif run in current:
            chosen = [current[run]]
        elif run in read_stages(self.config.root):
            hint = "`labeltrail repro` runs and records it; what does not use governance.runs.stage leaves no record"
            raise MissingEvidence(f"no result of stage {run} is recorded here", hint=hint)
        else:
            results = {result.name: result for result in facts.of(Result)}
            try:
                chosen = [results[match_name(run, {name: result.label for name, result in results.items()})]]
            except UnknownName:
                raise UnknownName("result or stage", run, current) from None
        return reproduce_runs(self.config, self.trail, chosen, facts, left_out=left_out, say=say)

    @reads
    def replay(self, source: str, *, sample: int | None = None, seed: int = 0) -> Report:
        """Reads the stored answers of a language model again and compares the votes; `sample` of them, drawn by `seed`.

        Raises UnknownName, ConfigurationError, MissingEvidence, BrokenEvidence.
        """
        from governance.project.replay import replay

        return replay(self.config, self.trail, self.current_facts(), source, sample=sample, seed=seed)

    @reads
    def subject_find(
        self, person: str, *, texts: str | Path | None = None, say: Callable[[str], None] = lambda _: None
    ) -> Report:
        """Every place that holds a person: a value of the subject column, or an example's id where there is none.

        `texts` is a file with texts of hers, one a line.
        """
        from governance.project.subject import verbs

        return verbs.find(self.config, self.trail, person, texts=Path(texts) if texts else None, say=say)

    @reads
    def subject_plan(
        self, person: str, *, texts: str | Path | None = None, say: Callable[[str], None] = lambda _: None
    ) -> Report:
        """What an erasure of a person would rewrite, remove and leave; nothing is changed."""
        from governance.project.subject import verbs

        return verbs.plan(self.config, self.trail, person, texts=Path(texts) if texts else None, say=say)

    def subject_erase(
        self,
        person: str,
        *,
        texts: str | Path | None = None,
        reason: str | None = None,
        receipt: str | Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> Report:
        """Takes a person out of everything here and destroys her keys; the log says so and does not name her.

        Raises Busy, MissingEvidence (she is nowhere here), ConfigurationError.
        """
        from governance.project.subject import verbs

        with reading(self.config.root):
            return verbs.erased(
                self.config,
                self.trail,
                person,
                texts=Path(texts) if texts else None,
                reason=reason,
                receipt_to=Path(receipt) if receipt else None,
                say=say,
            )

    def subject_resume(self) -> Report:
        """Completes an erasure that was cut off. Raises ConfigurationError where none was."""
        from governance.project.subject import verbs

        with reading(self.config.root):
            return verbs.resumed(self.config, self.trail)

    @reads
    def subject_verify(
        self, person: str, *, texts: str | Path | None = None, say: Callable[[str], None] = lambda _: None
    ) -> Report:
        """Searches every store for a person, and for unsalted digests and other spellings of her name and texts."""
        from governance.project.subject import verbs

        return verbs.verify(self.config, self.trail, person, texts=Path(texts) if texts else None, say=say)

    @reads
    def card(self, which: str = "model") -> Report:
        """The dataset card or the model card, from what the trail holds of the current runs."""
        from governance.project.documents import card

        return card(
            which, config=self.config, facts=self.current_facts(without=("dataset_card", "model_card", "audit_report"))
        )

    @reads
    def audit(self, *, framework: str = "nist_ai_rmf", as_of: str) -> Report:
        """What a framework asks, answered by the records, as of a date (YYYY-MM-DD)."""
        from governance.project.documents import audit

        facts = self.current_facts(without=("audit_report",))
        return audit(config=self.config, facts=facts, framework=framework, as_of=as_of)

    @reads
    def source_ask(self, file: str | Path, *, rows: int = 50, seed: int = 0) -> Report:
        """Writes rows for a person to label, drawn with known chances, where most is to be learned of the sources.

        Raises MissingEvidence, BrokenEvidence, ConfigurationError, InvalidRecord.
        """
        from governance.project.spot_check import ask
        from governance.store.forgetting import erasures

        erased = erasures(self.trail)
        return ask(self.config, self.current_facts(), erased=erased, file=Path(file), rows=rows, seed=seed)

    def source_take(self, file: str | Path, *, by: str | None = None, name: str = "spot-check") -> Report:
        """Takes in the answers to `source_ask`, and says how often each source and the labels are right.

        Raises ConfigurationError, InvalidRecord, MissingEvidence, BrokenEvidence, Busy; then nothing changed.
        """
        from governance.project import git
        from governance.project.spot_check import take
        from governance.store.forgetting import erasures
        from governance.store.trail import Trail

        def opened():
            return Trail.open(self.config.store, root=self.config.root, project=self.config.name, create=True)

        who = by or git.who(self.config.root)
        facts, erased = self.current_facts(), erasures(self.trail)
        return take(self.config, facts, opened, erased=erased, file=Path(file), by=who, name=name)

    @reads
    def source_report(self, *, picture: str | Path | None = None) -> Report:
        """What each source of the current runs says, and how well; `picture` is an SVG file to draw it in.

        Raises MissingEvidence, BrokenEvidence, ConfigurationError, InvalidRecord.
        """
        from governance.project.in_between import in_between
        from governance.project.source_report import source_report
        from governance.store.forgetting import erasures

        place = Path(picture) if picture is not None else None
        with in_between(self.config, self.trail):
            return source_report(self.config, self.current_facts(), erased=erasures(self.trail), picture_to=place)

    @reads
    def source(self, name: str | None = None) -> Report:
        """All source versions of the current runs, or one of them. Raises UnknownName, AmbiguousName."""
        from governance.project.sources import list_sources, show_source

        if name is None:
            return list_sources(self.current_facts(), self.facts())
        return show_source(self._source(name), self.facts())

    @reads
    def source_check(self, *chosen: str, as_of: str) -> Report:
        """Whether the sources may be used as of a day: descriptions (names, files, by default all), approvals, terms.

        Raises InvalidRecord, UnknownName; faults of descriptions are told in the report.
        """
        from governance.errors import MissingEvidence
        from governance.facts import Facts
        from governance.project.source_check import check_sources

        def facts() -> tuple[Facts, Facts]:
            try:
                return self.current_facts(), self.facts()
            except MissingEvidence:
                return Facts(), Facts()

        return check_sources(self.config, chosen=chosen, as_of=as_of, facts=facts)

    @reads
    def source_approve(self, name: str, *, role: str, reason: str, by: str | None = None) -> Report:
        """Enters that a source version may be used. Raises UnknownName, InvalidRecord, Busy."""
        from governance.project.source_decisions import approve

        return approve(self.config, self.trail, self._source(name), role=role, reason=reason, who=by)

    @reads
    def source_expire(self, name: str, *, since: str, role: str, reason: str, by: str | None = None) -> Report:
        """Enters that a source version may not be used from a day on. Raises UnknownName, InvalidRecord, Busy."""
        from governance.project.source_decisions import expire

        return expire(self.config, self.trail, self._source(name), since=since, role=role, reason=reason, who=by)

    def attest(
        self,
        control: str,
        *,
        statement: str,
        by: str,
        role: str,
        made: str,
        expires: str,
        framework: str = "nist_ai_rmf",
        replace: bool = False,
    ) -> Report:
        """States what only a person can state, in decisions/."""
        from governance.project.attest import attest

        return attest(
            self.config.root,
            framework=framework,
            control=control,
            statement=statement,
            by=by,
            role=role,
            made=made,
            expires=expires,
            replace=replace,
        )

    @classmethod
    def doctor(cls, folder: str | Path = ".", *, rebuild: bool = False) -> Report:
        """Looks at the machine, the tools, the key and the project; `rebuild` projects the tables anew.

        Raises NoSuchFolder.
        """
        from governance.errors import NotAProject
        from governance.project import doctor

        try:
            project = cls.find(folder)
        except NotAProject:
            if rebuild:
                raise
            return doctor.examine(Path(folder).resolve(), None, lambda: None)  # type: ignore[arg-type, return-value]
        if rebuild:
            return doctor.rebuild(project.trail)
        with reading(project.config.root):
            return doctor.examine(project.config.root, project.config, lambda: project.trail)

    # -- what several verbs share ----------------------------------------------------------------------------------

    @reads
    def facts(self):
        """Every record of the log."""
        return self.trail.facts()

    @reads
    def current_facts(self, *, without: tuple[str, ...] = ()):
        """The records of the runs that lie in the project and are recorded."""
        from governance.project.status import current_facts, current_runs

        known = self.facts()
        return current_facts(known, current_runs(self.config, known), without_documents=without)

    def _source(self, name: str):
        """A source version by title, among those of the current runs, or by name. Raises UnknownName, AmbiguousName."""
        from governance.errors import UnknownName
        from governance.records import Source

        sources = {source.title: source for source in self.current_facts().of(Source)}
        if name in sources:
            return sources[name]
        try:
            source = self.facts().resolve(name)
        except UnknownName:
            source = None
        if not isinstance(source, Source):
            raise UnknownName("source", name, sources)
        return source

    def _newest(self, name: str):
        """A record by name. A kind (`model`) or a title means the one of the current runs, where they hold one of it."""
        from collections import Counter

        from governance.errors import AmbiguousName, UnknownName
        from governance.facts import short
        from governance.records import record_kinds

        current = self.current_facts()
        if name in record_kinds():
            found = [record for record in current if record.kind == name]
            if len(found) > 1:
                raise AmbiguousName(name, [f"{record.label} ({short(record.name)})" for record in found])
            if found:
                return found[0]
        try:
            return current.resolve(name)
        except UnknownName:
            # A kind or a title of which the current runs hold one means that one.
            held = Counter(word for record in current for word in {record.kind, record.label})
            return self.facts().resolve(name, also=[word for word, times in held.items() if times == 1])
