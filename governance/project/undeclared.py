"""What does a stage use that dvc.yaml does not list?"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.checks import undeclared_files
from governance.config import CONFIG_NAME, Config
from governance.dvc.files import Stage
from governance.errors import GovernanceError
from governance.project.report import counted
from governance.records import Finding
from governance.runs.runfile import RunFile, facts_path, read_run, run_path
from governance.runs.stage import read_params

_PARAMS = "params.yaml"
#: what the library itself reads in every stage; of the parameters a stage answers for its own
_OF_THE_LIBRARY = frozenset({CONFIG_NAME, _PARAMS, "dvc.yaml", "dvc.lock"})
_OTHERS = "LabelTrail itself was used in the project meanwhile"
_ALONE = "`labeltrail repro --force STAGE` with nothing else at work tells"


@dataclass(frozen=True)
class Judged:
    """What of one stage is undeclared, sorted, and the finding that says so."""

    finding: Finding
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def brief(self) -> str:
        """A few words for a table."""
        number = len({*self.reads, *self.writes, *self.imports, *self.parameters})
        return f"uses {number:,} that dvc.yaml does not list" if number else "not known whether all it uses is listed"

    def to_json(self) -> dict[str, Any]:
        told = {key: list(value) for key, value in vars(self).items() if key != "finding"}
        return {"outcome": self.finding.outcome, "says": self.finding.says, **told}


def judge_executed(config: Config, stages: Iterable[Stage], notes: Path) -> dict[str, Judged]:
    """What is undeclared of each stage that left a note of its execution and a whole run file."""
    found: dict[str, Judged] = {}
    for stage in stages:
        note, run = notes / f"{stage.name}.json", config.root / run_path(config.artifacts, stage.name)
        if not note.is_file():
            continue  # it does not use the library
        told = json.loads(note.read_text(encoding="utf-8"))
        with contextlib.suppress(GovernanceError):
            found[stage.name] = judge_stage(config, stage, read_run(run), told["opened"], by=told["observed"])
    return found


def judge_stage(config: Config, stage: Stage, run: RunFile, opened: Mapping[str, Any], *, by: Sequence[str]) -> Judged:
    """Compares what was seen of one execution, as its note tells it, with what dvc.yaml lists for its stage.

    `opened` holds `reads` and `writes`, each file with who saw it, `unseen`, and `others`: whether LabelTrail itself read
    in the project meanwhile. What inotify alone saw is then nobody's. `by` are those who watched to the end.
    """
    if any("${" in path for path in (*stage.deps, *stage.outs)):
        says = "dvc.yaml computes its paths, which only DVC reads"
        return Judged(undeclared_files.check({}, stage.name, subject=run.recipe.name, unseen=says), by=tuple(by))
    files = tuple(param for param in stage.params if (config.root / param).is_file())
    used, made = _Declared(config.root, (*stage.deps, *stage.outs, *files)), _Declared(config.root, stage.outs)
    own = {facts_path(config.artifacts, stage.name), run_path(config.artifacts, stage.name)}
    passed = _OF_THE_LIBRARY | own
    imports = {ref.path for ref in run.recipe.code if ref.bytes and not used.cover(ref.path)}
    reads = {
        path: seen
        for path, seen in opened["reads"].items()
        if path not in passed and not used.cover(path, seen) and not _is_empty_module(config.root / path)
    }
    writes = {
        path: seen for path, seen in opened["writes"].items() if path not in passed and not made.cover(path, seen)
    }
    parameters = set(_parameters(config, stage, run))
    reads = {path: seen for path, seen in reads.items() if path not in imports}
    unseen = [opened["unseen"]] if opened["unseen"] else []
    if opened["others"]:
        alone = {path for path, seen in (*reads.items(), *writes.items()) if "audit hook" not in seen}
        reads, writes = ({p: seen for p, seen in one.items() if "audit hook" in seen} for one in (reads, writes))
        unseen += [f"{_OTHERS}, and {counted(len(alone), 'file')} may be what it opened; {_ALONE}"] if alone else []
    done: dict[str, list[str]] = {path: ["imported"] for path in imports} | {
        name: ["a parameter"] for name in parameters
    }
    for path, seen in reads.items():
        done.setdefault(path, []).append("read" if "audit hook" in seen else f"opened {undeclared_files.WHILE}")
    for path, seen in writes.items():
        done.setdefault(path, []).append("written" if "audit hook" in seen else f"written {undeclared_files.WHILE}")
    ways = {path: " and ".join(told) for path, told in done.items()}
    finding = undeclared_files.check(ways, stage.name, subject=run.recipe.name, unseen="; ".join(unseen))
    return Judged(
        finding,
        reads=tuple(sorted(reads)),
        writes=tuple(sorted(writes)),
        imports=tuple(sorted(imports)),
        parameters=tuple(sorted(parameters)),
        by=tuple(by),
    )


class _Declared:
    """The paths that a stage declares; a folder covers what lies in it."""

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        self.root = str(root)
        named = {os.path.normpath(os.path.join(root, path)) for path in paths}  # noqa: PTH118 - of a thousand paths
        self.named = frozenset(named)
        self.real = frozenset(map(os.path.realpath, named))

    def cover(self, path: str, seen: Sequence[str] = ("audit hook",)) -> bool:
        """Whether a path is declared, under its own name or the name of the file that it links to.

        inotify alone tells the name of a file and not of the link that was followed, so that there any name will do.
        """
        name = f"{self.root}/{path}"
        if _any_above(name, self.named):
            return True
        real = os.path.realpath(name)
        return _any_above(real, self.named) or ("audit hook" not in seen and _any_above(real, self.real))


def _any_above(path: str, declared: frozenset[str]) -> bool:
    while path not in declared:
        path, slash, _ = path.rpartition("/")
        if not slash:
            return False
    return True


def _is_empty_module(path: Path) -> bool:
    """An empty `__init__.py` decides nothing."""
    return path.suffix == ".py" and path.is_file() and path.stat().st_size == 0


def _parameters(config: Config, stage: Stage, run: RunFile) -> Iterator[str]:
    """Parameters in the recipe that DVC does not look at: a change of them makes a result stale and runs nothing."""
    if _PARAMS in stage.params:
        return
    listed = tuple(f"{param}." for param in stage.params)
    of_all = [key for key in ("seed", "threads") if key in read_params(config.root)]
    own = [f"{stage.name}.{key}" for key in run.recipe.parameters]
    missing = [name for name in (*of_all, *own) if not f"{name}.".startswith(listed)]
    for name in missing:
        # A section of which nothing is listed is named once.
        yield f"{_PARAMS}:{stage.name if name in own and set(own) <= set(missing) else name}"
