"""May the sources be used: are they described, approved, in time, licensed and seen through?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.checks import approval, currency, described, expiry, kind_facts, licences, opacity, teacher
from governance.config import Config
from governance.errors import ExitCode, GovernanceError, UnknownName
from governance.facts import Facts
from governance.lineage.graph import Graph
from governance.project.report import Report, Table, counted, table
from governance.project.source_decisions import Standing, day, standing
from governance.records import Finding, Source
from governance.sources.description import Description, judge_description
from governance.sources.places import described_in

#: what a finding is about where no version is recorded yet
_UNRECORDED = "source:" + "0" * 64


@dataclass
class _Checked:
    descriptions: dict[str, Description] = field(default_factory=dict)
    errors: list[GovernanceError] = field(default_factory=list)
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    def read(self, path: Path) -> None:
        try:
            read, faults = judge_description(path)
        except GovernanceError as error:
            self.errors.append(error)
            self.faulty.add(path.stem)
            return
        self.errors += faults
        if faults:
            self.faulty.add(path.stem)
        else:
            self.descriptions[read.name] = read


def check_sources(
    config: Config, *, chosen: Sequence[str], as_of: str, facts: Callable[[], tuple[Facts, Facts]]
) -> Report:
    """1. read every description, or those chosen by file or name  2. the recorded versions  3. judge each  4. tell

    `facts` gives those of the current runs and of the whole log. Raises InvalidRecord for a day that is none, UnknownName.
    """
    day("as-of", as_of)
    files = [Path(one) for one in chosen if _is_file(one)]
    names = [one for one in chosen if not _is_file(one)]
    checked = _Checked()
    # 1.
    places: dict[str, Path] = {}
    if not files or names:
        places, faults = described_in(config.root, without=config.artifacts)
        checked.errors += [] if names else faults
    # 2.
    current, everything = facts()
    recorded = {source.title: source for source in current.of(Source)}
    for name in names:
        if name not in places and name not in recorded:
            raise UnknownName("source", name, [*places, *recorded], each="")
    wanted = [*files, *(path for name, path in places.items() if not names or name in names)]
    for path in wanted:
        checked.read(path)
    # 3.
    titles = [path.stem for path in wanted] + [title for title in recorded if not chosen or title in names]
    for title in dict.fromkeys(titles):
        given, source = checked.descriptions.get(title), recorded.get(title)
        if given is not None or source is not None:
            found = _judged(title, given, source, everything, as_of=as_of)
            # What is wrong with a description is told above; that there is none would not be true.
            found = [one for one in found if one.check != "described" or title not in checked.faulty]
            checked.findings += [(title, one) for one in found]
    # 4.
    return _told(checked, as_of=as_of, titles=list(dict.fromkeys(titles)))


def _is_file(given: str) -> bool:
    return given.endswith((".yaml", ".yml")) or "/" in given


def _judged(title: str, given: Description | None, source: Source | None, facts: Facts, *, as_of: str) -> list[Finding]:
    """What is found of one source: of its description where there is one, else of the version that voted."""
    subject = source.name if source is not None else _UNRECORDED
    said = source.model_dump(mode="json") if source is not None else {}
    told: dict[str, Any] = said if given is None else {**said, **given.facts}
    about: dict[str, Any] = {"subject": subject, "title": title}
    decided = standing(source, facts) if source is not None else Standing((), frozenset(), "", older=False)
    found = [
        approval.check(
            decided.approvals if source is not None else None,
            author=told["author"],
            author_key=told["author_key"],
            genuine=decided.genuine,
            older=decided.older,
            **about,
        ),
        expiry.check(told["expiry"], decided.since, as_of, **about),
        licences.check(told["licence_declared"], told["licence_found"], **about),
        kind_facts.check(told["source_kind"], told, **about),
        opacity.check(None if source is None else source.opaque, **about),
        described.check(None if given is None else given.facts, said or None, **about),
    ]
    if given is not None and source is not None and given.distribution:
        found.append(currency.check(given.checked_version, source.version, **about))
    if told["teacher"] or told["source_kind"] in ("distilled", "pseudo"):
        found.append(teacher.check(told["teacher"], _stands_on(told["teacher"], facts), **about))
    return found


def _stands_on(teacher_name: str, facts: Facts) -> dict[str, str] | None:
    """The source versions in the lineage of a recorded model, name to title; None where it is not recorded."""
    if teacher_name not in facts:
        return None
    reached = (facts.get(step.name) for step in Graph(facts.edges).reach(teacher_name, "up"))
    return {record.name: record.title for record in reached if isinstance(record, Source)}


def _told(checked: _Checked, *, as_of: str, titles: list[str]) -> Report:
    failed = [item for item in checked.findings if item[1].outcome == "fail"]
    unknown = [item for item in checked.findings if item[1].outcome == "unknown"]
    blocks: list[str | Table] = []
    if checked.errors:
        rows = [(str(number), error.message, error.hint or "") for number, error in enumerate(checked.errors, start=1)]
        blocks.append(table(("", "what is wrong", "way out"), rows))
    if failed or unknown:
        rows = [(title, found.check, found.outcome, found.says) for title, found in failed + unknown]
        blocks.append(table(("source", "check", "outcome", "what was found"), rows))
    if titles:
        passed = len(checked.findings) - len(failed) - len(unknown)
        blocks.append(
            f"{counted(len(titles), 'source')} as of {as_of}: {counted(len(checked.errors), 'error')}, "
            f"{len(failed)} failed, {len(unknown)} unknown, {passed} passed"
        )
    else:
        blocks.append("no source is described or recorded here")
    code = ExitCode.FINE
    if unknown or not titles:
        code = ExitCode.UNKNOWN
    if failed:
        code = ExitCode.FINDINGS
    if checked.errors:
        code = ExitCode.USAGE
    data = {
        "as_of": as_of,
        "sources": titles,
        "errors": [error.facts() for error in checked.errors],
        "findings": [{"source": title, **found.body()} for title, found in checked.findings],
    }
    return Report("source check", data, tuple(blocks), exit_code=code)
