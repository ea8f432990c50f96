"""What stands in the rated texts, line by line?"""

from __future__ import annotations

import gzip
import io
import math
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from governance.errors import InvalidRecord

ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
FOLDER = "hutto_ICWSM_2014"
#: domain → how its two files begin
DOMAINS = {
    "tweets": "tweets",
    "amazon": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "nyt": "nytEditorialSnippets",
}
#: ratings go from -RANGE to +RANGE
RANGE = 4
_LARGEST = 64 * 1024 * 1024
_NUMBER = re.compile(r"\d+(_\d+)?")
_RATINGS = re.compile(r"\[-?\d+(, ?-?\d+)*\]")


@dataclass(frozen=True)
class Rated:
    """One text with the mean that its authors state and the single ratings behind it."""

    number: str
    mean: float
    text: str
    ratings: tuple[int, ...]


def read_corpus(sdist: Path, *, name: str) -> dict[str, list[Rated]]:
    """The four domains in the order of their files. Nothing is unpacked to disk. Raises InvalidRecord.

    `name` is the folder at the top of the source distribution.
    """
    where = sdist.name
    with _opened(sdist.read_bytes(), where) as outer:
        inner_bytes = _member(outer, f"{name}/{ARCHIVE}", where)
    corpus: dict[str, list[Rated]] = {}
    with _opened(inner_bytes, ARCHIVE) as inner:
        for domain, begins in DOMAINS.items():
            truth, ratings = f"{begins}_GroundTruth.txt", f"{begins}_anonDataRatings.txt"
            corpus[domain] = _joined(
                _means(_member(inner, f"{FOLDER}/{truth}", ARCHIVE), truth),
                _singles(_member(inner, f"{FOLDER}/{ratings}", ARCHIVE), ratings),
                ratings,
            )
    return corpus


def _opened(data: bytes, where: str) -> tarfile.TarFile:
    """A tar archive in memory; its size is bounded, since a small file may unpack to a very large one."""
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = stream.read(_LARGEST + 1)
        if len(plain) > _LARGEST:
            raise InvalidRecord("archive", f"more than {_LARGEST} bytes", "an archive of a few megabytes", where=where)
        return tarfile.open(fileobj=io.BytesIO(plain), mode="r:")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InvalidRecord("archive", str(error), "a whole .tar.gz file", where=where) from None


def _member(archive: tarfile.TarFile, name: str, where: str) -> bytes:
    try:
        member = archive.getmember(name)
        stream = archive.extractfile(member) if member.isfile() else None
        if stream is None:
            raise InvalidRecord("member", name, "a plain file", where=where)
        data = stream.read()
    except KeyError:
        raise InvalidRecord("member", "no such file", f"{name!r}", where=where) from None
    except (tarfile.TarError, OSError) as error:
        raise InvalidRecord("member", str(error), f"a whole file {name!r}", where=where) from None
    if not data:
        raise InvalidRecord("file", "0 bytes", "rated texts", where=name)
    return data


def _lines(data: bytes, name: str, fields: int) -> list[tuple[str, list[str]]]:
    """(place, fields) of every line; lines end in CRLF or LF, the last one need not end at all."""
    rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if rows[-1] == b"":
        rows.pop()
    found = []
    for number, row in enumerate(rows, start=1):
        where = f"{name}:{number}"
        try:
            line = row.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRecord("line", row[error.start : error.start + 4], "text in UTF-8", where=where) from None
        values = line.split("\t", fields - 1)
        if len(values) != fields:
            raise InvalidRecord("line", f"{len(values)} fields", f"{fields} fields between tabs", where=where)
        if not _NUMBER.fullmatch(values[0]):
            raise InvalidRecord("id", values[0], "a number, or two with _ between them", where=where)
        found.append((where, values))
    return found


def _means(data: bytes, name: str) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    for where, (number, mean, text) in _lines(data, name, 3):
        if number in found:
            raise InvalidRecord("id", number, "each id once", where=where)
        found[number] = (_mean(mean, where), text)
    return found


def _mean(text: str, where: str) -> float:
    try:
        mean = float(text)
    except ValueError:
        mean = math.nan
    if not -RANGE <= mean <= RANGE:
        raise InvalidRecord("mean", text, f"a number from -{RANGE} to {RANGE}", where=where)
    return mean


def _singles(data: bytes, name: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for where, (number, _, _, listed) in _lines(data, name, 4):
        if number in found:
            raise InvalidRecord("id", number, "each id once", where=where)
        if not _RATINGS.fullmatch(listed):
            raise InvalidRecord("ratings", listed, "a list of whole numbers such as [1, 0, -2]", where=where)
        ratings = tuple(int(rating) for rating in listed[1:-1].split(","))
        if not all(-RANGE <= rating <= RANGE for rating in ratings):
            raise InvalidRecord("ratings", listed, f"ratings from -{RANGE} to {RANGE}", where=where)
        found[number] = ratings
    return found


def _joined(means: dict[str, tuple[float, str]], singles: dict[str, tuple[int, ...]], name: str) -> list[Rated]:
    odd = sorted(set(means) ^ set(singles))
    if odd:
        raise InvalidRecord("id", odd[0], "the same ids in the means and in the ratings", where=name)
    return [Rated(number, mean, text, singles[number]) for number, (mean, text) in means.items()]
