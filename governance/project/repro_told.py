"""What is said of a repro: how every stage ended, what was recorded, and one error where one ended badly?"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import ExitCode
from governance.project import git
from governance.project.ends import SKIPS, STARTS, StageEnd
from governance.project.report import Report, Table, counted, outcome_told, table
from governance.project.undeclared import Judged

if TYPE_CHECKING:
    from governance.project.take_in import TakenIn

#: with less than a block left, nothing that is worth a run can be written
_LEAST_BYTES = 4096
#: characters of what DVC says before any stage began
_LONGEST = 500
#: what to do where a run brought a person back
_RETURNED = (
    "Rows of an erased person are here again: take her out of what the stage reads and run it again, or out of what lies "
    "here with `labeltrail subject erase`."
)
_NO_GIT = re.compile(r"is not a git repository$")


def interrupted(done: list[str], lost: list[str]) -> str:
    """What whoever interrupted a repro wants to know: what is recorded, what is lost, and how to go on."""
    ended = f"{', '.join(done)} had ended and {'is' if len(done) == 1 else 'are'} recorded"
    others = f"these former outputs are lost: {', '.join(lost)}" if lost else "every other output is what it was"
    return f"interrupted: {ended if done else 'no stage had ended'}, {others}; `labeltrail repro` goes on"


def repro_report(
    ends: list[StageEnd],
    taken: TakenIn,
    undeclared: dict[str, Judged],
    *,
    status: int,
    lines: list[str],
    lost: list[str],
    log: str,
    fresh: bool,
    remote: bool,
    full: bool,
    outside: bool,
) -> Report:
    """`labeltrail repro`: exit 1 or the failed stage's own code, 2 where DVC began none, 3 or 4 where one does not fit."""
    from governance.project.take_in import NEVER

    problems = {found.stage: found.problem for found in taken.found if found.problem}
    reached = {end.stage for end in ends if end.outcome in ("executed", "restored", "unchanged")}
    for end in ends:
        if end.stage in reached and problems.get(end.stage) == NEVER:
            problems[end.stage] = "it ran and left no run file, since it does not use governance.runs.stage"
    told = {stage: judged for stage, judged in undeclared.items() if judged.finding.outcome != "pass"}
    notes = {stage: judged.brief for stage, judged in told.items()} | problems
    shown = {end.stage: outcome_told(end.outcome, well=not status) for end in ends}
    rows = [
        (
            end.stage,
            shown[end.stage],
            f"{end.seconds:.1f} s" if end.seconds is not None else "",
            notes.get(end.stage, ""),
        )
        for end in ends
    ]
    counts = Counter(shown.values())
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    signed = "signed" if taken.appended and taken.appended.signed else "unsigned"
    blocks: list[str | Table] = [table(("stage", "ended", "took", "note"), rows)]
    if fresh:
        says = "dvc.lock knows runs of elsewhere: a log began here, which holds what ran here and none of their executions."
        pull = " `labeltrail sync --pull` before the first repro takes in what DVC's remote holds of them."
        blocks.append(says + (pull if remote else ""))
    blocks.append(f"{summary}; {counted(taken.new, 'new entry', 'new entries')}, {signed}")
    if outside and not status:
        blocks.append(f"no git repository is here, so that no run names a commit: {git.GIT_INIT}")
    if not (taken.appended and taken.appended.signed):
        blocks.append("unsigned: `labeltrail doctor` says why, and what to do")
    blocks += [judged.finding.says for judged in told.values() if judged.finding.outcome == "fail"]
    data: dict[str, Any] = {
        "stages": {end.stage: end.outcome for end in ends},
        "seconds": {end.stage: end.seconds for end in ends if end.seconds is not None},
        "problems": problems,
        "undeclared": {stage: judged.to_json() for stage, judged in told.items()},
        "new_entries": taken.new,
        "new_log": fresh,
        "lost": lost,
        "log": log,
        "checkpoint": taken.appended.checkpoint.to_note() if taken.appended else None,
    }
    failed = next((end for end in ends if end.outcome in ("failed", "aborted")), None)
    code = ExitCode.FINE
    if failed or status:
        code = _explain(failed, data, blocks, lines=lines, lost=lost, log=log, full=full)
    elif any(problems.get(stage) for stage in reached):
        blocks.append("What does not fit was not recorded: `labeltrail verify` says more.")
        unfit = [stage for stage in reached if stage in problems]
        never = all("no run file" in problems[stage] for stage in unfit)
        returned = {found.stage for found in taken.found if found.returned}
        if returned:
            blocks.append(_RETURNED)
        code = ExitCode.UNKNOWN if never else ExitCode.FINDINGS if returned.issuperset(unfit) else ExitCode.BROKEN
    return Report("repro", data, tuple(blocks), code)


def _explain(
    failed: StageEnd | None,
    data: dict[str, Any],
    blocks: list[str | Table],
    *,
    lines: list[str],
    lost: list[str],
    log: str,
    full: bool,
) -> ExitCode:
    """One error: which stage, why, the way out, and what became of its outputs."""
    error = (failed.error if failed else None) or {}
    begun = failed is not None or any(STARTS.match(line) for line in lines)
    message = error.get("message") or (_last_words(lines) if begun else _all_words(lines))
    hint = error.get("hint") or (git.GIT_INIT if _NO_GIT.search(message) else f"what it printed lies in {log}")
    if full:
        message, hint = f"the disk is full: {message}", f"free some space, then `labeltrail repro`; {hint}"
    data["error"] = {"stage": failed.stage if failed else None, "message": message, "hint": hint}
    blocks += [
        f"stage {failed.stage} failed: {message}" if failed else f"DVC ended before any stage failed: {message}",
        f"  {hint}",
    ]
    if lost:
        blocks.append(f"These former outputs are lost: {', '.join(lost)}")
    elif failed:
        back = "Its former outputs are back; of" if failed.had_outputs else "Of"
        blocks.append(f"{back} the failed run nothing is recorded but that it failed.")
    if failed is None or full:
        return ExitCode.USAGE
    return ExitCode(error.get("exit_code", ExitCode.FINDINGS))


def is_full(root: Path, lines: list[str]) -> bool:
    """Whether it was the disk that ended a run; libraries say so in words of their own, or die without any."""
    if any("No space left on device" in line or "Disk quota exceeded" in line for line in lines):
        return True
    return shutil.disk_usage(root).free < _LEAST_BYTES


def _all_words(lines: list[str]) -> str:
    """All that DVC says of why it began no stage, in one line: it names the place first and shows the code last."""
    told = ""
    for line in lines:
        said = " ".join(line.removeprefix("ERROR: ").split())
        if said and not SKIPS.match(line) and not said.startswith("Having any troubles"):
            told += f"{'' if not told else ' ' if told.endswith(('.', ':')) else '; '}{said}"
    return (told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…") or "no reason was given"


def _last_words(lines: list[str]) -> str:
    """The last thing that was said, with the place in the code where there is one."""
    place = next((line.strip() for line in reversed(lines) if line.lstrip().startswith('File "')), "")
    for line in reversed(lines):
        if line.strip() and not line.startswith(
            ("ERROR: failed to reproduce", "Having any troubles", "> ", "Running stage ")
        ):
            said = line.removeprefix("ERROR: ").strip()
            return f"{said} ({place})" if place else said
    # DVC's own sentence is left where nothing else was said.
    own = next((line for line in reversed(lines) if line.startswith("ERROR: ")), "no reason was given")
    return own.removeprefix("ERROR: ").strip()
