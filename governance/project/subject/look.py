"""Does a person stand in these bytes, whatever they are packed in?"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from governance.config import Config
from governance.errors import GovernanceError
from governance.project.subject.person import Person, encoded
from governance.project.subject.tables import PARQUET, open_table, read_problem

#: what is unpacked at most, in bytes and in archives inside of archives
LARGEST, DEEPEST = 1 << 30, 6
_PACKED: dict[bytes, Callable[..., io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,  # type: ignore[dict-item]
    b"\xfd7zXZ\x00": lzma.open,  # type: ignore[dict-item]
}
_SEALED = {
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF, whose text is packed",
}


class Looker:
    """Looks into files; what could not be looked into gathers in `problems`, by place."""

    def __init__(self, person: Person, config: Config) -> None:
        self.person, self.config = person, config
        self.problems: dict[str, str] = {}

    def file(self, path: Path, *, shown: str) -> bool:
        """Whether she stands in a file: in its bytes, in its cells, or in what is packed in it."""
        try:
            if path.stat().st_size == 0:
                return False
            with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if self.person.is_in(data):
                    return True
                head = data[:512]
        except OSError as error:
            self.problems[shown] = f"it cannot be read: {error.strerror}"
            return False
        if head.startswith(PARQUET):
            return self._cells(path, shown=shown)
        if _is_packed(head):
            return self.packed(path.read_bytes(), shown=shown)
        if sealed := _sealed(head):
            self.problems[shown] = sealed
        return False

    def data(self, data: bytes, *, shown: str, depth: int = 0) -> bool:
        """The same of bytes."""
        if self.person.is_in(data):
            return True
        if data.startswith(PARQUET):
            with tempfile.NamedTemporaryFile(dir=self._scratch()) as file:
                file.write(data)
                file.flush()
                return self._cells(Path(file.name), shown=shown)
        if _is_packed(data[:512]):
            return self.packed(data, shown=shown, depth=depth + 1)
        if sealed := _sealed(data[:512]):
            self.problems[shown] = sealed
        return False

    def packed(self, data: bytes, *, shown: str, depth: int = 0) -> bool:
        """Whether she stands in what an archive holds, however deep."""
        if depth > DEEPEST:
            self.problems[shown] = f"more than {DEEPEST} archives inside of each other"
            return False
        try:
            return any(self.data(inner, shown=shown, depth=depth) for inner in self._unpacked(data, shown))
        except (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError) as error:
            self.problems[shown] = f"it cannot be unpacked ({type(error).__name__})"
        except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError) as error:
            self.problems[shown] = f"it cannot be unpacked ({type(error).__name__})"
        return False

    def _unpacked(self, data: bytes, shown: str) -> list[bytes]:
        for magic, opened in _PACKED.items():
            if data.startswith(magic):
                with opened(io.BytesIO(data), "rb") as stream:
                    return [self._bounded(stream.read(LARGEST + 1), shown)]
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                small = [info for info in archive.infolist() if info.file_size <= LARGEST]
                if len(small) < len(archive.infolist()):
                    self.problems[shown] = f"it unpacks to more than {LARGEST:,} bytes"
                return [info.filename.encode() + b"\n" + archive.comment for info in small] + [
                    archive.read(info) for info in small if not info.is_dir()
                ]
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = archive.getmembers()
            files = [archive.extractfile(member) for member in members if member.isfile()]
            return ["\n".join(m.name for m in members).encode(), *(file.read() for file in files if file)]

    def _bounded(self, data: bytes, shown: str) -> bytes:
        if len(data) > LARGEST:
            self.problems[shown] = f"it unpacks to more than {LARGEST:,} bytes"
        return data

    def _cells(self, path: Path, *, shown: str) -> bool:
        try:
            table = open_table(path, self.config)
        except GovernanceError as error:
            self.problems[shown] = read_problem(error)
            return False
        if table is None:
            return False
        return any(self.person.is_in(encoded(text)) for text in table.texts())

    def _scratch(self) -> Path | None:
        """On the project's own disk: what is looked into must not be left in anybody's temporary folder."""
        return self.config.state if self.config.state.is_dir() else None


def _is_packed(head: bytes) -> bool:
    return head.startswith((*_PACKED, b"PK\x03\x04")) or head[257:262] == b"ustar"


def _sealed(head: bytes) -> str:
    return next((says for magic, says in _SEALED.items() if head.startswith(magic)), "")
