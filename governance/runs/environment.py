"""What is a process made of, as records say it: project code, distributions, surroundings?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import governance
from governance.digest import file_digest, tree_digest
from governance.process import Process, module_files
from governance.records import Distribution, Environment, FileRef

#: where projects pin the versions of what they install
_CONSTRAINTS = ("constraints.txt", "requirements.txt", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pixi.lock")
_LIBRARY = Path(governance.__file__).parent


def project_modules(root: Path, files: Iterable[str] | None = None) -> dict[str, Path]:
    """Every module below `root` among `files`, by default those that this process has imported, by path, sorted.

    The library itself counts as a distribution, also where it is installed from a checkout: its version is in the recipe
    and the digest of its source in the execution.
    """
    found: dict[str, Path] = {}
    for origin in module_files(root) if files is None else files:
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


def imported_distributions(process: Process) -> tuple[Distribution, ...]:
    """Every installed distribution that a process had imported something of, sorted by name."""
    return _distributions(process.imported)


def surroundings(root: Path, process: Process) -> Environment:
    """Interpreter, installed distributions, pinned versions and the variables that change results, of a process."""
    return Environment.make(
        python=process.python,
        implementation=process.implementation,
        distributions=_distributions(process.installed),
        constraints=[file_ref(root / name, name) for name in _CONSTRAINTS if (root / name).is_file()],
        variables=process.variables,
    )


def _distributions(versions: dict[str, str]) -> tuple[Distribution, ...]:
    return tuple(
        Distribution.model_validate({"distribution": name, "version": versions[name]}) for name in sorted(versions)
    )


def library_digest(process: Process) -> str:
    """The digest of the library's own source, as it ran in a process."""
    return tree_digest(Path(process.library))
