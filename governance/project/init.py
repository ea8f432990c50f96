"""How does a folder become a governed project?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import governance
from governance.config import CONFIG_NAME, STATE_FOLDER, read_config
from governance.digest import write_atomically
from governance.dvc.command import pinned_environment, run_dvc
from governance.dvc.remote import remotes
from governance.errors import ConfigurationError
from governance.project import git
from governance.project.report import Report, counted
from governance.store import keys
from governance.store.trail import Trail

#: what the governed reference project consists of; the wheel carries it as data
REFERENCE = ("labeltrail.toml", "dvc.yaml", "params.yaml", "pipelines", "schemas", "cards", "decisions")
#: the distributions of the extra `reference`, from which sources of the reference project vote
_SOURCES = ("vaderSentiment", "afinn", "textblob")
_IGNORED_BY_GIT = ("/artifacts/", f"/{STATE_FOLDER}/", "__pycache__/")
_IGNORED_BY_DVC = ("__pycache__", f"{STATE_FOLDER}", ".venv")
_MINIMAL = """# What LabelTrail knows of this project. What is commented out shows the default.
[project]
name = {name}
# The column that names each row, and the one that says whose data a row is (none: each row is its own subject).
# id_column = "example_id"
# subject_column = ""
# How tables are committed to: by row, or, where a statement says that nobody's data is in them, by 1,024 rows.
# commit = "rows"
# no_personal_data = ""
# Where the outputs of stages lie, and where the trail is kept.
# artifacts = "artifacts"
# store = "sqlite:///.labeltrail/trail.db"
"""


@dataclass
class Laid:
    """What `init` did, in sentences."""

    root: Path
    steps: list[str] = field(default_factory=list)


def init(folder: Path, *, name: str | None = None, reference: bool | None = None, key: bool = True) -> Report:
    """1. what is there decides  2. a signing key  3. git and DVC  4. the project's files  5. the store and its log

    An empty folder gets the reference project; a folder with files of its own gets labeltrail.toml only, unless
    `reference` is true. A file that is there is never overwritten. Raises ConfigurationError, and then nothing was laid.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file, wanted a folder")
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    laid = Laid(folder)
    # 1.
    exists = (folder / CONFIG_NAME).is_file()
    if exists and reference:
        raise ConfigurationError(
            f"{folder} is a project already", hint="the reference project is laid down in an empty folder of its own"
        )
    own = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    whole = reference if reference is not None else not own
    files = dict(_reference_files()) if whole and not exists else {}
    taken = sorted(path for path in files if (folder / path).exists())
    if taken:
        raise ConfigurationError(
            f"{folder} already has {', '.join(taken[:5])}, which the reference project would lay down",
            hint="choose an empty folder, or leave out --reference to add LabelTrail to your own project",
        )
    # 2.
    if key and keys.load_key() is None:
        laid.steps.append(f"made a signing key at {keys.create_key()}; keep a copy")
    # 3.
    _repository(laid)
    # 4.
    for path, data in files.items():
        write_atomically(folder / path, data)
    if files:
        laid.steps.append(f"laid down the reference project ({len(files)} files)")
        if missing := missing_sources():
            names = ", ".join(missing)
            laid.steps.append(f'note: its sources need {names}: pip install "labeltrail[reference]"')
    elif not exists:
        quoted = json.dumps(name or folder.name)  # a basic string of TOML has JSON's escapes
        write_atomically(folder / CONFIG_NAME, _MINIMAL.format(name=quoted).encode())
        laid.steps.append(f"wrote {CONFIG_NAME}")
    _add_lines(folder / ".gitignore", _IGNORED_BY_GIT, laid)
    _add_lines(folder / ".dvcignore", _IGNORED_BY_DVC, laid)
    around = next((above for above in folder.parents if (above / CONFIG_NAME).is_file()), None)
    if around and not exists:
        laid.steps.append(f"note: this lies inside the project {around} and is a project of its own now")
    # 5.
    config = read_config(folder)
    trail = Trail.open(config.store, root=folder, project=config.name, create=True)
    public = trail.keychain().newest.public_key
    laid.steps.append(f"log {trail.log}, {counted(trail.size(), 'entry', 'entries')}, {_who_signs(public)}")
    then = _next(folder)
    data = {"root": str(folder), "steps": laid.steps, "log": trail.log, "public_key": public}
    return Report("init", data, (*laid.steps, f"next: {then}"))


def _next(folder: Path) -> str:
    """What to do in a folder that is a project now."""
    if not (folder / "dvc.yaml").is_file():
        return (
            "`labeltrail run -- python train.py` records a script of yours as it is; or write a dvc.yaml and its stages, "
            "as the documentation page your-own-data shows, then `labeltrail repro`"
        )
    if (folder / "dvc.lock").is_file() and remotes(folder):
        return "`labeltrail sync --pull` takes in the runs that DVC's remote holds, then `labeltrail repro`"
    return "`labeltrail repro` runs the pipeline and records it"


def missing_sources() -> list[str]:
    """The distributions that sources of the reference project need and that are not installed here."""
    missing = []
    for name in _SOURCES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def _who_signs(public_key: str | None) -> str:
    if public_key is None:
        return "unsigned: it began without a key"
    if keys.load_key(public_key) is None:
        return "whose key is not the one at hand: new checkpoints will be unsigned"
    return "signed with your key"


def _reference_files() -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the reference project: from the wheel, or from the checkout of an editable install."""
    carried = Path(governance.__file__).parent / "_project"
    base = carried if carried.is_dir() else Path(governance.__file__).parent.parent
    for name in REFERENCE:
        origin = base / name
        if not origin.exists():
            raise ConfigurationError(f"this installation does not carry {name}", hint="install the wheel again")
        for path in sorted(origin.rglob("*")) if origin.is_dir() else [origin]:
            relative = path.relative_to(base)
            if path.is_file() and "__pycache__" not in relative.parts and not path.name.startswith("."):
                yield relative.as_posix(), path.read_bytes()


def _repository(laid: Laid) -> None:
    root = laid.root
    if git.run_git(root, "rev-parse", "--show-toplevel") is None:
        if git.run_git(root, "init", "-q") is None:
            raise ConfigurationError("git did not answer", hint="install git: revisions and DVC need it")
        laid.steps.append("made a git repository")
    if not (root / ".dvc").is_dir():
        subfolder = ["--subdir"] if not (root / ".git").exists() else []
        status, lines = run_dvc(["init", "-q", *subfolder], root=root, environment=pinned_environment(threads=1))
        if status:
            last = lines[-1] if lines else "no reason was given"
            raise ConfigurationError(f"`dvc init` failed: {last}", hint="`labeltrail doctor` says what is missing")
        # DVC reports usage unless told otherwise; a governed project decides that for everybody who clones it.
        write_atomically(root / ".dvc" / "config", b"[core]\n    analytics = false\n    check_update = false\n")
        # DVC has staged its empty configuration; what is committed next has to be ours.
        git.run_git(root, "add", "--", ".dvc/config")
        laid.steps.append("set up DVC, telemetry off")


def _add_lines(path: Path, lines: tuple[str, ...], laid: Laid) -> None:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = [line for line in lines if line not in text.split("\n")]
    if missing:
        joint = "" if not text or text.endswith("\n") else "\n"
        write_atomically(path, (text + joint + "\n".join(missing) + "\n").encode())
        laid.steps.append(f"{path.name} leaves out {', '.join(missing)}")
