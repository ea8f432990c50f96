"""What can a process say of itself? Nothing but the standard library is imported to ask."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from governance.installed import read_installed

#: of all variables, these change results
_VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "LC_ALL",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "PYTHONHASHSEED",
    "TZ",
)


@dataclass(frozen=True)
class Process:
    """A process at one moment. Times are microseconds, since 1970 or of the processor; memory is bytes."""

    argv: list[str]
    started: int
    ended: int
    cpu: int
    peak_memory: int
    python: str
    implementation: str
    #: PYTHONHASHSEED, or "random"
    hash_seed: str
    variables: dict[str, str]
    machine: dict[str, str]
    #: the folder of this library, as it ran there
    library: str
    #: versions by name in lower case: of everything installed, and of what had been imported
    installed: dict[str, str]
    imported: dict[str, str]
    #: files of modules that had been imported, those below one folder
    modules: list[str]


def imported_modules() -> frozenset[str]:
    """The top-level modules that have been imported by now."""
    return frozenset(name.partition(".")[0] for name in list(sys.modules))


def look(*, root: Path, started: int, imported: Iterable[str] | None = None) -> Process:
    """This process now; modules are those below `root`. `imported` are top-level modules in place of those of by now."""
    known = read_installed()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return Process(
        argv=sys.orig_argv[1:],
        started=started,
        ended=time.time_ns() // 1000,
        cpu=round((spent.ru_utime + spent.ru_stime) * 1_000_000),
        peak_memory=spent.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        hash_seed=os.environ.get("PYTHONHASHSEED", "random"),
        variables={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        machine=machine(),
        library=str(Path(__file__).parent),
        installed=known.versions,
        imported=known.brought(imported_modules() if imported is None else imported),
        modules=module_files(root),
    )


def machine() -> dict[str, str]:
    """What may change floating-point results or cost: processor, its capability as torch sees it, cores, system."""
    described = {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count() or 0),
        "python": platform.python_version(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        described["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
        described["torch"] = str(torch.__version__)
    return described


def module_files(root: Path) -> list[str]:
    """The files of code below `root` that this process has imported, and of those whose names are relative."""
    below = f"{root}/"
    origins = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [o for o in origins if isinstance(o, str) and o.endswith(".py") and (o[0] != "/" or o.startswith(below))]
