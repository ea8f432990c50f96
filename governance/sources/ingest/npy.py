"""What does a matrix of votes hold, with the ids of its rows in a second file?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import write_atomically
from governance.errors import ConfigurationError, InvalidRecord
from governance.sources.ingest import _tables
from governance.sources.ingest._base import Gathered, Gathering, Options
from governance.votes.table import SKIPPED

if TYPE_CHECKING:
    import numpy as np

TELLS = "a NumPy matrix (.npy), a row an example and a column a source, with the ids in a second file (--ids)"
SUFFIX = ".npy"


def looks_like(head: bytes, path: Path) -> bool:
    """The bytes that an .npy file begins with."""
    del path
    return head.startswith(b"\x93NUMPY")


def ids_beside(path: Path) -> Path:
    """Where `write` puts the ids."""
    return path.with_name(f"{path.name}.ids.json")


def read(path: Path, options: Options) -> Gathered:
    """1. the matrix  2. the ids, one a row  3. the columns"""
    import numpy as np

    # 1.
    matrix = _load(path)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.integer):
        given = f"{matrix.dtype} {list(matrix.shape)}"
        raise InvalidRecord("matrix", given, "whole numbers, rows x sources", where=str(path))
    # 2.
    place = options.ids or ids_beside(path)
    if not place.is_file():
        hint = "--ids FILE names them: a text an id a line, a JSON list, a .npy of texts, or a CSV table with the id column"
        raise ConfigurationError(
            f"{path}: a matrix does not say whose its rows are, and {place} is not there", hint=hint
        )
    ids = read_ids(place, options.id_column)
    if len(ids) != len(matrix):
        raise InvalidRecord("ids", len(ids), f"an id for each of {len(matrix)} rows", where=str(place))
    # 3.
    names = options.sources or tuple(f"column {number}" for number in range(matrix.shape[1]))
    if len(names) != matrix.shape[1]:
        raise InvalidRecord("sources", len(names), f"a name for each of {matrix.shape[1]} columns", where="--sources")
    _tables.one_name_each(names)
    gathering = Gathering(
        path, options, lambda row: {"id": ids[row], "votes": matrix[row].tolist()}, indices=True, in_order=True
    )
    if not options.sources:
        gathering.notes.append(f"sources by their place, column 0 to {matrix.shape[1] - 1} (--sources names them)")
    kind = options.kind or "heuristic"
    voters = [gathering.voter(kind, name) for name in names]
    texts = {int(value): str(value) for value in np.unique(matrix)}
    for row, (name, votes) in enumerate(zip(ids, matrix.tolist(), strict=True)):
        example = gathering.example(row, name, column="id")
        if example is not None:
            for voter, column, vote in zip(voters, names, votes, strict=True):
                gathering.answer(row, example, voter, vote if SKIPPED <= vote < 0 else texts[vote], column=column)
    return gathering.whole()


def _load(path: Path) -> np.ndarray:
    import numpy as np

    try:
        # Pickled objects run code when they are read.
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidRecord(
            "file", str(error).splitlines()[0], "a whole .npy file without objects", where=str(path)
        ) from None


def read_ids(path: Path, id_column: str = "") -> list[Any]:
    """The ids in a file: an id a line, a JSON list, an .npy array of texts or numbers, or a column of a CSV table."""
    import numpy as np

    if path.suffix == ".npy":
        array = _load(path)
        if array.ndim != 1 or array.dtype.kind not in "Uiu":
            raise InvalidRecord("ids", f"{array.dtype} {list(array.shape)}", "texts or whole numbers", where=str(path))
        return np.asarray(array).tolist()
    if path.suffix == ".csv":
        cells = _tables.read_csv(path, names=[id_column])
        known = id_column or next((name for name in _tables.IDS if name in cells.columns), _tables.IDS[0])
        at = cells.place(known, option="--id-column")
        return [row[at] if len(row) > at else "" for row in cells.rows]
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix == ".json":
            found = json.loads(text)
            if not isinstance(found, list):
                raise InvalidRecord("ids", type(found).__name__, "a list of ids", where=str(path))
            return found
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidRecord(
            "ids", type(error).__name__, "text in UTF-8, a whole list in JSON", where=str(path)
        ) from None
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def write(gathered: Gathered, path: Path) -> None:
    """The matrix, and its ids beside it; the names of the sources have no place in either."""
    import numpy as np

    if len(gathered.answers) != len(gathered.ids) * len(gathered.voters) or not _tables.is_once(gathered):
        raise InvalidRecord(
            "answers", len(gathered.answers), "one answer of every source on every example", where=str(path)
        )
    if gathered.texts:
        raise InvalidRecord("texts", len(gathered.texts), "no texts, which a matrix has no place for", where=str(path))
    matrix = gathered.answers[:, 3].reshape(len(gathered.ids), len(gathered.voters)).astype(np.int8)
    told = io.BytesIO()
    np.save(told, matrix, allow_pickle=False)
    write_atomically(ids_beside(path), json.dumps(list(gathered.ids), ensure_ascii=False).encode())
    write_atomically(path, told.getvalue())
