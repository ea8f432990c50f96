"""How did each stage of a repro end, as far as DVC's words, the stage's own notes and the folder tell?"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from governance.config import Config
from governance.dvc.files import Stage, read_lock
from governance.errors import GovernanceError
from governance.project.kept import Kept, settled
from governance.records import StageOutcome

#: what DVC says, a line each
STARTS = re.compile(r"^Running stage '([^']+)'")
SKIPS = re.compile(r"^Stage '([^']+)' (didn't change, skipping|is cached)")
_FAILS = re.compile(r"^ERROR: failed to reproduce '([^']+)'")

#: inode, time of the last change and size of each output, or None where it is not there
Signature = list[tuple[int, int, int] | None]


@dataclass
class StageEnd:
    """How one stage ended."""

    stage: str
    outcome: StageOutcome
    seconds: float | None = None
    error: dict[str, Any] | None = None
    #: whether an earlier run's outputs lay there when it began
    had_outputs: bool = False


def signature(config: Config, stage: Stage) -> Signature:
    """What tells whether an output was put there anew, without reading it."""
    found: Signature = []
    for out in stage.outs:
        path = config.root / out
        status = path.stat() if path.exists() else None
        found.append((status.st_ino, status.st_mtime_ns, status.st_size) if status else None)
    return found


def ends_of(
    config: Config,
    stages: dict[str, Stage],
    notes: Path,
    before: dict[str, Signature],
    lines: list[str],
    *,
    well: bool,
    interrupted: bool,
) -> list[StageEnd]:
    """How every stage ended, in the order of the pipeline. `before` is the signature of each before anything ran."""
    stuck = None if well else _stuck(config, stages, notes, lines)
    ends = [_end(config, stage, notes, before[stage.name], stuck, lines) for stage in stages.values()]
    if interrupted:
        ends = [replace(end, outcome="aborted") if end.outcome == "failed" else end for end in ends]
    return ends


def lost_outputs(config: Config, stage: Stage, end: StageEnd, before: dict[str, Signature], kept: Kept) -> list[str]:
    """The former outputs of a stage that ended badly which are neither untouched nor back."""
    if end.outcome not in ("failed", "aborted"):
        return []
    outs = zip(stage.outs, before[stage.name], signature(config, stage), strict=True)
    return [path for path, was, now in outs if was and was != now and path not in kept.restored]


def _stuck(config: Config, stages: dict[str, Stage], notes: Path, lines: list[str]) -> str | None:
    """The stage at which a DVC that did not end well came to its end; None where it had begun none.

    DVC names it in its last words, after everything that stages may have said. Where it was killed and has none: the first
    stage that it did not commit, or else the last one that left no note of having ended.
    """
    begun = [match[1] for line in lines if (match := STARTS.match(line)) and match[1] in stages]
    named = [match[1] for line in lines if (match := _FAILS.match(line)) and match[1] in begun]
    if named:
        return named[-1]
    stuck = next((name for name in begun if not _committed(config, stages[name])), None)
    if stuck is None and begun and not (notes / f"{begun[-1]}.json").is_file():
        stuck = begun[-1]
    return stuck


def _end(config: Config, stage: Stage, notes: Path, before: Signature, stuck: str | None, lines: list[str]) -> StageEnd:
    """How a stage ended, where DVC came to its end at the stage `stuck`, or well where that is None."""
    error = notes / f"{stage.name}.error.json"
    note = notes / f"{stage.name}.json"
    begun = [match[1] for line in lines if (match := STARTS.match(line))]
    if stage.name == stuck:
        told = json.loads(error.read_text(encoding="utf-8")) if error.is_file() else None
        killed = told is None and any("SIGKILL" in line for line in lines)
        return StageEnd(stage.name, "aborted" if killed else "failed", error=told, had_outputs=any(before))
    if stage.name in begun:
        # DVC begins none after one that ended badly: such a beginning was told in the words of that stage.
        if stuck in begun and begun.index(stage.name) > begun.index(stuck):
            return StageEnd(stage.name, "not reached")
        if not note.is_file():
            return StageEnd(stage.name, "executed")  # it does not use the library
        told = json.loads(note.read_text(encoding="utf-8"))
        return StageEnd(stage.name, "executed", seconds=(told["ended"] - told["started"]) / 1e6)
    if not any((match := SKIPS.match(line)) and match[1] == stage.name for line in lines):
        return StageEnd(stage.name, "not reached")
    return StageEnd(stage.name, "unchanged" if signature(config, stage) == before else "restored")


def _committed(config: Config, stage: Stage) -> bool:
    """Whether DVC took what the stage made; one that was killed in between leaves a whole run outside its lock."""
    try:
        return settled(config.root, stage, read_lock(config.root).get(stage.name))
    except GovernanceError:
        return False
