"""How do many files become one that has a single canonical form?

A ZIP archive of stored files in the order of their paths, without dates, comments or extra fields: every unpacker opens it,
and whoever builds it again from its files gets the same bytes, so that nothing can hide in it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

from governance.errors import InvalidRecord

_SEGMENT = r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)*"
_PATH = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,4}}")
_LOCAL, _DIRECTORY, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
#: 1980-01-01, the first day that the format knows (PKWARE APPNOTE 4.4.6)
_DAY = 0x21
_LIMIT = 2**32 - 1


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """The canonical archive of files by path. Raises InvalidRecord for a path that is not allowed, or too much content."""
    body, directory = bytearray(), bytearray()
    for path in sorted(files):
        if not _PATH.fullmatch(path):
            raise InvalidRecord("path", path, "small letters, digits, - and _, and at most four folders")
        name, content = path.encode(), files[path]
        size = len(content)
        if len(body) + size > _LIMIT or len(files) > 0xFFFF:
            raise InvalidRecord("files", f"{len(files)} files", "less than 4 GiB in less than 65,536 files")
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, _DAY, zlib.crc32(content), size, size, len(name), 0)
        directory += _DIRECTORY + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += _LOCAL + common + name + content
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + _END + end)


def read_archive(data: bytes, *, where: str) -> dict[str, bytes]:
    """The files of a canonical archive. Raises InvalidRecord for anything else: cut, swollen, twice, out of place."""
    files: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == _LOCAL and len(data) >= at + 30:
        size, length = struct.unpack_from("<I", data, at + 18)[0], struct.unpack_from("<H", data, at + 26)[0]
        path = data[at + 30 : at + 30 + length].decode("ascii", errors="replace")
        start = at + 30 + length
        if not _PATH.fullmatch(path) or path in files:
            raise InvalidRecord("path", path, "an allowed path, and each once", where=where)
        files[path] = data[start : start + size]
        at = start + size
    if not files or write_archive(files) != data:
        raise InvalidRecord(
            "archive", f"{len(data)} bytes", "an archive of evidence in its one canonical form", where=where
        )
    return files
