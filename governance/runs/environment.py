"""What is this process made of: project code, distributions, machine?"""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import governance
from governance.digest import file_digest, tree_digest
from governance.fingerprint.owners import distributions_by_module
from governance.records import Distribution, Environment, FileRef

#: where projects pin the versions of what they install
_CONSTRAINTS = ("constraints.txt", "requirements.txt", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pixi.lock")
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
_LIBRARY = Path(governance.__file__).parent


def project_modules(root: Path) -> dict[str, Path]:
    """Every module below `root` that this process has imported, by path, sorted.

    The library itself counts as a distribution, also where it is installed from a checkout: its version is in the recipe
    and the digest of its source in the execution.
    """
    found: dict[str, Path] = {}
    for module in list(sys.modules.values()):
        origin = getattr(module, "__file__", None)
        if not origin or not origin.endswith(".py"):
            continue
        path = Path(origin)
        if not path.is_absolute():
            path = root / path
        if not path.is_relative_to(root) or path.is_relative_to(_LIBRARY):
            continue
        parts = path.relative_to(root).parts
        # An environment kept inside the project is not the project's code.
        if "site-packages" in parts or any(part.startswith(".") for part in parts[:-1]) or not path.is_file():
            continue
        found[path.relative_to(root).as_posix()] = path
    return dict(sorted(found.items()))


def file_ref(path: Path, name: str) -> FileRef:
    """A file as records refer to it."""
    return FileRef.model_validate({"path": name, "sha256": file_digest(path), "bytes": path.stat().st_size})


def imported_distributions(top_level: frozenset[str] | None = None) -> tuple[Distribution, ...]:
    """Every installed distribution that this process has imported something of, sorted by name.

    `top_level` names modules in place of those that are imported by now.
    """
    top_level = top_level or frozenset(name.partition(".")[0] for name in sys.modules)
    owners = distributions_by_module()
    names = {owner.lower() for module in top_level & set(owners) for owner in owners[module]}
    known = _asked[0] if _asked else {}
    return tuple(
        Distribution.model_validate({"distribution": name, "version": known.get(name) or metadata.version(name)})
        for name in sorted(names)
    )


def installed_distributions() -> tuple[Distribution, ...]:
    """Every distribution that this process could import, sorted by name; of two of one name the one found first."""
    found = installed_versions()
    return tuple(Distribution.model_validate({"distribution": name, "version": found[name]}) for name in sorted(found))


def installed_versions() -> dict[str, str]:
    """The version of every distribution that this process could import, by name in lower case."""
    if _asked:
        return _asked[0]
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        # A folder that an installer left half-removed has no name; it cannot be asked for either.
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(name.lower(), distribution.version)
    return found


def borrow_versions(known: dict[str, str]) -> None:
    """Takes over what another process of the same environment read, because reading it takes as long as a short script."""
    _asked[:] = [known]


_asked: list[dict[str, str]] = []


def surroundings(root: Path) -> Environment:
    """Interpreter, installed distributions, pinned versions and the variables that change results, of this process."""
    return Environment.make(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        distributions=installed_distributions(),
        constraints=[file_ref(root / name, name) for name in _CONSTRAINTS if (root / name).is_file()],
        variables={name: os.environ[name] for name in _VARIABLES if name in os.environ},
    )


def library_digest() -> str:
    """The digest of the library's own source, as it runs here."""
    return tree_digest(_LIBRARY)


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
