"""How is somebody's own command run and watched, without an edit?

The command is started before anything is imported that its record will need: that is done while it runs.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import governance.watching
from governance.config import Config
from governance.errors import ConfigurationError
from governance.project.report import Report
from governance.project.tree import look_at
from governance.project.watched import notes_folder
from governance.watching import child

_SITE = Path(governance.watching.__file__).parent / "site"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


def run(config: Config, opened: Callable[[], Any], command: Sequence[str], *, name: str | None = None) -> Report:
    """1. what lies there before  2. the command, watched  3. what its process told is recorded and taken in

    The report's exit code is the command's own, or 3 where votes stand beside other rows than their own. SIGTERM and SIGHUP
    are the command's while it runs, and nothing that its process noted stays behind. Raises ConfigurationError where the
    command cannot be started, or the project's folder not written.
    """
    if not command:
        raise ConfigurationError("there is no command to run", hint="labeltrail run -- python train.py")
    named = run_name(command, name)
    # 1.
    before = look_at(config.root, ())
    with _Ends().heeded() as ends, notes_folder(config) as notes:
        plan = {"root": str(config.root), "id_column": config.id_column}
        (notes / child.PLAN).write_text(json.dumps(plan), encoding="utf-8")
        # 2.
        status = _watched(command, notes, ends, meanwhile=_prepare)
        # 3.
        from governance.project.run_told import recorded

        told = [json.loads(place.read_text(encoding="utf-8")) for place in sorted(notes.glob(f"*.{child.SEEN}"))]
        return recorded(config, opened, named, notes, told, before=before, status=status)


def run_name(command: Sequence[str], name: str | None) -> str:
    """What a run is called: as somebody says, or as its script is. Raises ConfigurationError."""
    if name is None:
        scripts = [word for word in command if word.endswith(".py")]
        modules = [command[place + 1] for place, word in enumerate(command[:-1]) if word == "-m"]
        stem = Path(scripts[0]).stem if scripts else modules[0] if modules else Path(command[0]).stem
        name = _UNFIT.sub("_", stem).lstrip(".-") or "run"
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} names no run", hint="a name has letters, digits, _, . and -")
    return name


class _Ends:
    """What somebody sends to end this process goes to the command that it runs, and ends this one itself when none runs."""

    def __init__(self) -> None:
        self.running = False
        self.process: subprocess.Popen[bytes] | None = None
        #: what came while the command was being started
        self._early: list[int] = []

    @contextmanager
    def heeded(self) -> Iterator[_Ends]:
        former = {}
        if _main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                known = signal.getsignal(number)
                # Who is told to outlive its terminal does so, and its command too.
                if known is not None and known != signal.SIG_IGN:
                    former[number] = signal.signal(number, self._met)
        try:
            yield self
        finally:
            for number, known in former.items():
                signal.signal(number, known)

    def started(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        while self._early:
            process.send_signal(self._early.pop())

    def _met(self, number: int, _frame: object) -> None:
        if not self.running:
            raise SystemExit(128 + number)
        if self.process is None:
            self._early.append(number)
        else:
            self.process.send_signal(number)


def _watched(command: Sequence[str], notes: Path, ends: _Ends, *, meanwhile: Callable[[], None]) -> int:
    """Runs the command with our hook before everything else, and answers its exit code as a shell does."""
    environment = dict(os.environ)
    environment["LABELTRAIL_CAPTURE"] = str(notes)
    former = environment.get("PYTHONPATH", "")
    environment["LABELTRAIL_PYTHONPATH"] = former
    ours = [str(_SITE), *([former] if former else [])]
    environment["PYTHONPATH"] = os.pathsep.join(ours)
    # Whoever presses Ctrl-C means the command, and its end is ours.
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN) if _main_thread() else None
    ends.running = True
    try:
        process = subprocess.Popen(command, env=environment, preexec_fn=_heed_interrupts)  # noqa: PLW1509
        ends.started(process)
        with suppress(Exception):
            meanwhile()
        status = process.wait()
    except OSError as error:
        hint = "give the command as in a shell, after --: labeltrail run -- python train.py"
        raise ConfigurationError(f"{command[0]} cannot be started: {error.strerror}", hint=hint) from None
    finally:
        ends.running = False
        if ignored is not None:
            signal.signal(signal.SIGINT, ignored)
    return status if status >= 0 else 128 - status


def _main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _prepare() -> None:
    """What recording needs is imported while the command runs, on a processor that it may leave free."""
    # What is imported stays, so that nobody need look for garbage in it again and again.
    collects = gc.isenabled()
    gc.disable()
    try:
        from governance.project.run_told import prepare

        prepare()
    finally:
        if collects:
            gc.enable()
