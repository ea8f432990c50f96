"""What does a pull request get to read about a repro?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from governance.documents.escape import markdown
from governance.errors import ExitCode
from governance.facts import short
from governance.project.diff import METRIC_COLUMNS, metric_rows
from governance.project.report import counted, outcome_told
from governance.records import Evaluation, Finding
from governance.runs.differences import file_changes
from governance.runs.effects import MetricChange, finding_changes, metric_changes
from governance.runs.freshness import changes_since
from governance.runs.runfile import RunFile

if TYPE_CHECKING:
    from governance.project.ci import Witnessed

#: GitHub refuses comments beyond 65,536 characters; what is too long is cut at a line, in bytes of UTF-8
LIMIT = 60_000
#: characters of one text, figures of one table, findings
_LONGEST, _FIGURES, _FINDINGS = 300, 30, 50
#: clauses on one stage
_CLAUSES = 12
_CUT = "\n_Cut here: `labeltrail diff STAGE` and `labeltrail status` tell the rest._\n"
_MEANS = {
    ExitCode.FINE: "fine",
    ExitCode.FINDINGS: "findings, or a stage that failed",
    ExitCode.USAGE: "usage or configuration",
    ExitCode.BROKEN: "integrity broken",
    ExitCode.UNKNOWN: "evidence missing or unknown",
    ExitCode.BUSY: "busy",
}


def summary(told: Witnessed) -> str:
    """The summary as Markdown, below LIMIT bytes: verdict and way on, stages, what changed, metrics, findings.

    Every text of the project (names, parameters, sentences) is escaped; no row and no example id stands in it.
    """
    return _fitted(_lines(told))


def unfinished_summary(project: str, says: str) -> str:
    """The summary of a repro that did not come to its end."""
    return _fitted([f"## LabelTrail: repro of {_text(project)}", "", f"**Not done.** {_text(says)}"])


def _lines(told: Witnessed) -> Iterator[str]:
    code = ExitCode(told.report.exit_code)
    error = told.report.data.get("error")
    yield f"## LabelTrail: repro of {_text(told.config.name)}"
    yield ""
    failed = f" {_text(_failed(error))}" if error else ""
    yield f"**Exit code {int(code)}** ({_MEANS[code]}).{failed}"
    news = [change for change in _findings(told) if change.now in ("fail", "unknown")]
    yield from _section("What to do next", [f"- {line}" for line in _next(told, news)] or ["- nothing"])
    yield from _section("Stages", _stages(told))
    yield from _section("What changed", _changes(told))
    yield from _section("Metrics", _metrics(told))
    rows = [(c.check, c.subject, c.was or "not made", c.now, c.says) for c in news[:_FINDINGS]]
    more = len(news) - _FINDINGS
    listed = _table(("check", "of", "was", "is", "says"), rows) if rows else []
    yield from _section("New findings", [*listed, *([f"\nand {more} more"] if more > 0 else [])])
    standing = [f for f in told.stands.of(Finding) if f.outcome != "pass"]
    yield ""
    yield f"{counted(len(standing), 'finding')} of the current runs failed or could not be judged; {len(news)} of them new."


def _failed(error: dict[str, Any]) -> str:
    return f"Stage {error['stage']} failed: {error['message']}" if error["stage"] else str(error["message"])


def _next(told: Witnessed, news: Sequence[Any]) -> Iterator[str]:
    data = told.report.data
    error = data.get("error")
    if error:
        yield f"{_text(error['hint'])}; then `labeltrail repro` runs what is left"
    if data["lost"]:
        yield f"lost outputs: {_text(', '.join(data['lost']))}"
    if any(data["stages"][stage] != "not reached" for stage in data["problems"] if stage in data["stages"]):
        yield "what does not fit was not recorded: `labeltrail verify` says more"
    # A signature's line in a checkpoint begins with a dash that is no minus.
    if data["checkpoint"] and "\u2014" not in data["checkpoint"]:
        yield "the checkpoint is unsigned: `labeltrail doctor` says why"
    if news:
        yield f"look at the new findings: `labeltrail show {short(news[0].name)}` opens the first"
    changed = [stage for stage, (was, now) in _pairs(told).items() if was and was.result.name != now.result.name]
    if changed:
        # Whoever reads figures wants to know where they come from; without any, the last stage holds all before it.
        chosen = next((stage for stage in changed if _evaluations(told, told.after[stage])), changed[-1])
        yield f"`labeltrail diff {_word(chosen)}` tells rows, functions, labels and figures; `--json` has every figure"


def _stages(told: Witnessed) -> list[str]:
    data = told.report.data
    rows = [
        (
            stage,
            outcome_told(outcome, well=not data.get("error")),
            f"{data['seconds'][stage]:.1f} s" if stage in data["seconds"] else "",
            _note(data, stage),
        )
        for stage, outcome in data["stages"].items()
    ]
    return _table(("stage", "ended", "took", "note"), rows)


def _note(data: dict[str, Any], stage: str) -> str:
    return data["problems"].get(stage, "") if data["stages"][stage] != "not reached" else ""


def _changes(told: Witnessed) -> list[str]:
    lines = []
    for stage, (was, now) in _pairs(told).items():
        if was is None:
            lines.append(f"- **{_text(stage)}**: its first run here")
        elif was.result.name != now.result.name:
            says = [
                _text(clause) for clause in [*told.comparer.own_says(was, now)[:_CLAUSES], *_upstream(told, was, now)]
            ]
            lines.append(f"- **{_text(stage)}**: {'; '.join(says)}")
    return lines + _edited(told) or _unchanged(told.report.data)


def _unchanged(data: dict[str, Any]) -> list[str]:
    """What holds where no run took another's place; nothing of a repro that did not come to its end."""
    if data.get("error"):
        return []
    some = "not reached" in data["stages"].values()
    return [f"Every stage{' that was asked for' if some else ''} stands by the run that stood before."]


def _edited(told: Witnessed) -> list[str]:
    """What was edited since the runs of stages that did not come to their end."""
    lines = []
    for stage, outcome in told.report.data["stages"].items():
        if outcome in ("failed", "aborted") and stage in told.before:
            says = changes_since(told.before[stage].recipe, told.config)
            if says:
                lines.append(f"- **{_text(stage)}** ({outcome}): {'; '.join(map(_text, says[:_CLAUSES]))}")
    return lines


def _upstream(told: Witnessed, was: RunFile, now: RunFile) -> list[str]:
    stages: dict[str, int] = {}
    for change in file_changes(was.recipe.inputs, now.recipe.inputs):
        maker = told.comparer.maker(change.now, now) or told.comparer.maker(change.was, was)
        if maker is not None:
            stages[maker.result.stage] = stages.get(maker.result.stage, 0) + 1
    return [f"{counted(count, 'input')} from {stage}" for stage, count in stages.items()]


def _metrics(told: Witnessed) -> list[str]:
    changes: list[MetricChange] = []
    compared = False
    for was, now in _pairs(told).values():
        before, after = (_evaluations(told, run) for run in (was, now))
        for title in [title for title in after if title in before]:
            compared = True
            changes += metric_changes(before[title], after[title])
    if not changes:
        return ["No figure changed."] if compared else ["No evaluation of both runs is at hand."]
    told_changes = [vars(c) | {"delta": c.delta, "inside_interval": c.inside} for c in changes]
    rows, more = metric_rows(told_changes, shown=_FIGURES)
    return [*(_table(METRIC_COLUMNS, rows) if rows else []), *([f"\n{more}"] if more else [])]


def _evaluations(told: Witnessed, run: RunFile | None) -> dict[str, Evaluation]:
    records = [told.facts.get(name) for name in run.result.generated] if run else []
    return {record.title: record for record in records if isinstance(record, Evaluation)}


def _findings(told: Witnessed) -> list[Any]:
    return finding_changes(told.stood.of(Finding), told.stands.of(Finding), told.facts)


def _pairs(told: Witnessed) -> dict[str, tuple[RunFile | None, RunFile]]:
    return {stage: (told.before.get(stage), run) for stage, run in told.after.items()}


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield from ("", f"### {title}", "", *lines)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return head + [f"| {' | '.join(_text(cell) for cell in row)} |" for row in rows]


def _text(text: str) -> str:
    """Anybody's text, cut to what a line can hold and escaped, so that it reads as what it is."""
    return markdown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _word(stage: str) -> str:
    """A stage's name inside a code span: what could end the span goes."""
    return "".join(char for char in stage if char.isalnum() or char in "-_.@") or "STAGE"


def _fitted(lines: Iterable[str]) -> str:
    room = LIMIT - len(_CUT.encode())
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return "\n".join(kept) + "\n" + _CUT
        kept.append(line)
    return "\n".join(kept) + "\n"
