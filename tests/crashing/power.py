"""What can a disk hold after the power is cut, given the calls that were made until then?

The strictest reading of POSIX: of a file there is what was synced, and any part of what was written since; of a folder
there are the names that were synced, and any first part of the changes since.
"""

from __future__ import annotations

import ast
import random
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from crashing.injected import Injector
from crashing.nursery import Afterwards, Place, look_at

_CALL = re.compile(r'(\w+)\((?:\d+<([^>]*)>|AT_FDCWD<[^>]*>, "([^"]*)"|"([^"]*)")(.*)\) += (-?\d+)')
_DATA = re.compile(r'^, ("(?:[^"\\]|\\.)*"), \d+(?:, (\d+))?$', re.DOTALL)
_SECTOR = 512


@dataclass
class Content:
    """What a file holds for sure, and what was written to it since: (where, bytes), or (size, None) for a cut."""

    synced: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def with_some(self, draw: random.Random | None) -> bytes:
        """With all that came since, or with parts that chance draws, in sectors."""
        data = bytearray(self.synced)
        for where, written in self.since:
            if written is None:
                del data[where:]
                continue
            kept = len(written)
            if draw is not None:
                kept = min(kept, draw.choice((0, kept, _SECTOR * draw.randrange(1 + kept // _SECTOR))))
            data.extend(bytes(max(0, where + kept - len(data))))
            data[where : where + kept] = written[:kept]
        return bytes(data)


class Disk:
    """Follows the calls of one recorder. A folder is a name without content."""

    def __init__(self, before: Path) -> None:
        self._synced: dict[str, Content | None] = {}
        for path in sorted(before.rglob("*")):
            name = path.relative_to(before).as_posix()
            self._synced[name] = None if path.is_dir() else Content(path.read_bytes())
        self._now = dict(self._synced)
        #: by folder, what its names changed into, in order: (names that go, name that comes, what it names)
        self._since: dict[str, list[tuple[list[str], str, Content | None]]] = {}
        self.acknowledged = b""

    def follow(self, line: str, base: Path) -> bool:
        """Whether this call changed anything that a power cut could show."""
        matched = _CALL.match(line)
        if matched is None or int(matched[6]) < 0:
            return False
        name, path, rest = matched[1], matched[2] or matched[3] or matched[4], matched[5]
        if not Path(path).is_relative_to(base):
            return False
        file = Path(path).relative_to(base).as_posix()
        if file.endswith(".acknowledged"):
            if name not in ("write", "pwrite64"):
                return False
            self.acknowledged += _written(rest)[1]
        elif name in ("write", "pwrite64"):
            self._write(file, *_written(rest))
        elif name in ("fsync", "fdatasync"):
            self._sync(file)
        elif name == "ftruncate":
            self._content(file).since.append((int(rest.removeprefix(", ")), None))
        elif name == "unlink":
            self._change(file, [file], "")
        elif name == "rename":
            to = Path(ast.literal_eval(rest.removeprefix(", "))).relative_to(base).as_posix()
            self._change(to, [file], to, self._content(file))
        elif name == "mkdir":
            self._change(file, [], file)
        elif name == "openat" and "O_CREAT" in rest and file not in self._now:
            self._change(file, [], file, Content())
        elif name == "openat" and "O_TRUNC" in rest:
            self._content(file).since.append((0, None))
        else:
            return name != "openat"
        return True

    def after_a_cut(self, draw: random.Random | None) -> dict[str, bytes | None]:
        """The files and folders that are left: what was synced alone, or with parts of the rest that chance draws."""
        names = dict(self._synced)
        for changes in self._since.values():
            for gone, come, content in changes[: draw.randint(0, len(changes)) if draw else 0]:
                _change_names(names, gone, come, content)
        return {
            name: None if content is None else content.with_some(draw) if draw else content.synced
            for name, content in names.items()
            if all(parent.as_posix() in names for parent in list(Path(name).parents)[:-1])
        }

    def _content(self, file: str) -> Content:
        content = self._now[file]
        assert content is not None, file
        return content

    def _write(self, file: str, where: int | None, data: bytes) -> None:
        content = self._content(file)
        content.since.append((len(content.with_some(None)) if where is None else where, data))

    def _sync(self, file: str) -> None:
        content = self._now[file]
        if content is not None:
            content.synced, content.since = content.with_some(None), []
        for gone, come, named in self._since.pop(file, []):
            _change_names(self._synced, gone, come, named)

    def _change(self, file: str, gone: list[str], come: str, content: Content | None = None) -> None:
        _change_names(self._now, gone, come, content)
        self._since.setdefault(Path(file).parent.as_posix(), []).append((gone, come, content))


def _change_names(names: dict[str, Content | None], gone: list[str], come: str, content: Content | None) -> None:
    for name in gone:
        names.pop(name, None)
    if come:
        names[come] = content


def _written(rest: str) -> tuple[int | None, bytes]:
    matched = _DATA.match(rest)
    assert matched is not None, rest[:200]
    return (None if matched[2] is None else int(matched[2])), ast.literal_eval("b" + matched[1])


def cut_power(injector: Injector, base: Path, way: str, *, seed: int, moments: int | None = None) -> list[Afterwards]:
    """Records a run and looks at what is left after a power cut at each moment at which that changed, or some of them:
    once with nothing but what was synced, once with parts of the rest."""
    draw = random.Random(seed)  # noqa: S311 - moments need no secrecy
    before, place, log = injector.followed(way)
    lines = log.splitlines()
    chosen = set(range(len(lines)) if moments is None else draw.sample(range(len(lines)), moments))
    disk, found = Disk(before), []
    for number, line in enumerate(lines):
        changed = disk.follow(line, place.base)
        if changed and (number in chosen or (line.startswith("write") and ".acknowledged" in line)):
            said = f"{way}, call {number}: {line[:90]}"
            found += [_after(disk, base / "cut", chance, said=said) for chance in (None, draw)]
    shutil.rmtree(place.base)
    return found


def _after(disk: Disk, target: Path, draw: random.Random | None, *, said: str) -> Afterwards:
    place = Place(target)
    place.root.mkdir(parents=True)
    for name, content in disk.after_a_cut(draw).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
            path.chmod(0o600)
    place.acknowledged(0).write_bytes(disk.acknowledged)
    looked = look_at(place)
    shutil.rmtree(target)
    return Afterwards(tuple(f"{said}: {line}" for line in looked.wrong), looked.seconds)
