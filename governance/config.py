"""Where is the project, and what does its labeltrail.toml say?"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.errors import ConfigurationError, InvalidRecord, NoSuchFolder, NotAProject, UnknownName

CONFIG_NAME = "labeltrail.toml"
STATE_FOLDER = ".labeltrail"


@dataclass(frozen=True)
class Config:
    """What labeltrail.toml says, checked; every path is below `root`."""

    root: Path
    name: str
    store: str = dataclasses.field(repr=False)  # there may be a password in it
    artifacts: str
    id_column: str
    subject_column: str
    text_column: str
    #: how tables are committed to: a leaf for each row, or for each block of rows
    commit: str
    #: the statement that blocks need
    no_personal_data: str

    @property
    def state(self) -> Path:
        """The folder that git and DVC do not carry: the store, notes of executions, locks."""
        return self.root / STATE_FOLDER


_FIELDS: dict[str, str] = {
    "name": "",
    "store": f"sqlite:///{STATE_FOLDER}/trail.db",
    "artifacts": "artifacts",
    "id_column": "example_id",
    "subject_column": "",
    "text_column": "text",
    "commit": "rows",
    "no_personal_data": "",
}


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` with a labeltrail.toml. Raises NoSuchFolder, NotAProject."""
    if not start.is_dir():
        raise NoSuchFolder(start, is_file=start.exists())
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise NotAProject(start)


def read_config(root: Path) -> Config:
    """The configuration of the project in `root`. Raises NotAProject, ConfigurationError, UnknownName, InvalidRecord."""
    path = root / CONFIG_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotAProject(root) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}", hint="labeltrail.toml is TOML, in UTF-8") from None
    unknown = set(document) - {"project"}
    if unknown:
        raise UnknownName("table of labeltrail.toml", sorted(unknown)[0], ["project"])
    return _checked(root, document.get("project", {}), where=str(path))


def _checked(root: Path, given: dict[str, Any], *, where: str) -> Config:
    values: dict[str, str] = dict(_FIELDS)
    for field, value in given.items():
        if field not in _FIELDS:
            raise UnknownName(f"field of [project] in {where}", field, _FIELDS)
        if not isinstance(value, str):
            raise InvalidRecord(f"project.{field}", value, "text", where=where)
        values[field] = value
    if not values["name"]:
        raise InvalidRecord("project.name", values["name"], "a name", where=where)
    folder = Path(values["artifacts"])
    if folder.is_absolute() or ".." in folder.parts or not values["artifacts"]:
        raise InvalidRecord("project.artifacts", values["artifacts"], "a folder below the project", where=where)
    _need_impersonal(values, where=where)
    return Config(root=root, **values)


def _need_impersonal(values: dict[str, str], *, where: str) -> None:
    """Blocks cannot forget one row, so that they are for tables of nobody's data alone."""
    if values["commit"] not in ("rows", "blocks"):
        raise InvalidRecord("project.commit", values["commit"], '"rows" or "blocks"', where=where)
    if values["commit"] == "rows":
        return
    way_out = '`commit = "rows"` needs no statement, and lets one person be erased and one row be shown'
    if not values["no_personal_data"].strip():
        raise ConfigurationError(
            f'{where}: `commit = "blocks"` needs project.no_personal_data, which is empty',
            hint=f"let whoever answers for the data write there that no table holds personal data, and why; or {way_out}",
        )
    if values["subject_column"]:
        raise ConfigurationError(
            f'{where}: project.subject_column says that rows belong to persons, and `commit = "blocks"` that none does',
            hint=way_out,
        )
