"""Is everything here that LabelTrail needs, and is it set up as it should be?"""

from __future__ import annotations

import configparser
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from governance import __version__
from governance.config import CONFIG_NAME, Config
from governance.errors import ExitCode, GovernanceError
from governance.project import git
from governance.project.adopt import BEGAN_UNSIGNED
from governance.project.init import missing_sources
from governance.project.report import Report, counted, table
from governance.runs.observed import Observer
from governance.store import keys
from governance.store.server import settings as server_settings
from governance.store.trail import Trail

_LOW_DISK = 1 << 30
_WHOSE = "`labeltrail key show` tells who changed it last; where it is gone, `labeltrail key revoke --reason lost`"


@dataclass(frozen=True)
class Symptom:
    """One thing that was looked at."""

    what: str
    state: Literal["fine", "note", "wrong"]
    says: str
    hint: str = ""


def examine(folder: Path, config: Config | None, open_trail: Callable[[], Trail]) -> Report:
    """Looks at the machine, the tools, the key and the project; changes nothing."""
    seen = [_python(), _git(folder), _dvc(), _reference(), _disk(folder), _key(), _observing(config)]
    if config is None:
        hint = "`labeltrail init` makes this folder a project"
        seen.append(Symptom("project", "note", f"{folder} is not in a project (no {CONFIG_NAME})", hint))
    else:
        seen += [_telemetry(config.root), _store(open_trail)]
    on_a_server = config is not None and config.store.startswith("postgres")
    seen += _server(open_trail) if on_a_server else [_sqlite()]
    wrong = any(symptom.state == "wrong" for symptom in seen)
    rows = [(s.what, s.state, s.says, s.hint) for s in seen]
    data = {"symptoms": [vars(symptom) for symptom in seen]}
    code = ExitCode.FINDINGS if wrong else ExitCode.FINE
    return Report("doctor", data, (table(("what", "state", "seen", "what to do"), rows),), code)


def rebuild(trail: Trail) -> Report:
    """Drops the projected tables and makes them again from the log."""
    trail.rebuild()
    says = f"projected {trail.size()} entries anew"
    return Report("doctor", {"rebuilt": trail.size()}, (says, "`labeltrail verify` compares them once more"))


def _python() -> Symptom:
    return Symptom("python", "fine", f"Python {platform.python_version()}, labeltrail {__version__}")


def _git(folder: Path) -> Symptom:
    version = git.run_git(Path.cwd(), "--version")
    if version is None:
        return Symptom("git", "wrong", "git does not answer", "install git")
    inside = git.run_git(folder, "rev-parse", "--show-toplevel")
    if not inside:
        return Symptom("git", "note", f"{version.strip()}, and this folder is in no repository", git.GIT_INIT)
    return Symptom("git", "fine", version.strip())


def _dvc() -> Symptom:
    try:
        return Symptom("dvc", "fine", f"DVC {metadata.version('dvc')}")
    except metadata.PackageNotFoundError:
        return Symptom("dvc", "wrong", "DVC is not installed", "pip install labeltrail")


def _reference() -> Symptom:
    missing = missing_sources()
    if missing:
        hint = 'pip install "labeltrail[reference]", if you want the reference project'
        return Symptom("reference sources", "note", f"not installed: {', '.join(missing)}", hint)
    return Symptom("reference sources", "fine", "VADER, AFINN and TextBlob are installed")


def _sqlite() -> Symptom:
    says = f"SQLite {sqlite3.sqlite_version}, rollback journal, full synchronisation"
    return Symptom("sqlite", "fine", says)


def _server(open_trail: Callable[[], Trail]) -> list[Symptom]:
    """Whether the server syncs what it acknowledges, and whether git would carry its password."""
    try:
        database = open_trail().database
        with database.reading() as connection:
            version, off = server_settings(connection)
    except GovernanceError:
        return []  # the store says why
    says = f"PostgreSQL {version}"
    seen = [Symptom("server", "fine", f"{says}, syncs what it acknowledges")]
    if off:
        hint = "switch it on: a power cut may take back what was acknowledged"
        seen = [Symptom("server", "wrong", f"{says}, with {', '.join(off)} off", hint)]
    if database.carries_password:
        hint = f"take it out of {CONFIG_NAME}, which git carries; libpq reads PGPASSWORD and ~/.pgpass"
        seen.append(Symptom("password", "wrong", f"the store in {CONFIG_NAME} holds a password", hint))
    return seen


def _disk(folder: Path) -> Symptom:
    free = shutil.disk_usage(folder).free
    state = "wrong" if free < _LOW_DISK else "fine"
    return Symptom("disk", state, f"{free / 1e9:.1f} GB free", "free some space" if state == "wrong" else "")


def _key() -> Symptom:
    try:
        key = keys.load_key()
    except GovernanceError as error:
        return Symptom("signing key", "wrong", error.message, error.hint or "")
    if key is None:
        hint = f"`labeltrail init` makes one; machines without a home use {keys.KEY_VARIABLE}"
        return Symptom("signing key", "note", "none: checkpoints are unsigned, which gates read as unknown", hint)
    return Symptom("signing key", "fine", f"public key {keys.public_hex(key)[:16]}…")


def _observing(config: Config | None) -> Symptom:
    """Whether it can be seen which files a stage opens, tried on the project itself where there is one."""
    with TemporaryDirectory() as elsewhere:
        root = config.root if config else Path(elsewhere)
        if config is None:
            (root / CONFIG_NAME).touch()
        observer = Observer(root.resolve())
        folders, unseen = observer.folders, observer.stop().unseen
    if unseen:
        says = f"what native code and subprocesses open in a stage stays unknown: {unseen}"
        hint = "raise the limits in /proc/sys/fs/inotify" if sys.platform.startswith("linux") else ""
        return Symptom("inotify", "note", says, hint)
    here = f" in {counted(folders, 'folder')} of this project" if config else ""
    return Symptom("inotify", "fine", f"tells which files stages open{here}")


def _telemetry(root: Path) -> Symptom:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(root / ".dvc" / "config", encoding="utf-8")
        off = not parser.getboolean("core", "analytics", fallback=True)
    except (configparser.Error, ValueError, UnicodeDecodeError):
        return Symptom("dvc telemetry", "wrong", ".dvc/config cannot be read", "mend it, or take it back from git")
    if off:
        return Symptom("dvc telemetry", "fine", "off for everybody who clones this project")
    hint = "dvc config core.analytics false"
    return Symptom("dvc telemetry", "wrong", "on: DVC reports its use", hint)


def _store(open_trail: Callable[[], Trail]) -> Symptom:
    try:
        trail = open_trail()
        newest = trail.keychain().newest
        own = keys.load_key(newest.public_key) if newest.public_key else None
    except GovernanceError as error:
        return Symptom("store", "wrong", error.message, error.hint or "")
    says = f"log {trail.log}, {trail.size()} entries in {trail.database.shown}"
    if newest.public_key is None:
        return Symptom("store", "note", says + "; this log began without a key", BEGAN_UNSIGNED)
    says += f", signed by {newest.public_key[:16]}… since entry {newest.since}"
    if own is None:
        return Symptom("store", "note", says + "; that key is not at hand, so new checkpoints are unsigned", _WHOSE)
    return Symptom("store", "fine", says)
