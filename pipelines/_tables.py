"""Where do the tables of this project lie, and what do their columns count up to?"""

from __future__ import annotations

import polars as pl

from schemas.examples import CLASSES

EXAMPLES = "artifacts/data/examples.parquet"
RATINGS = "artifacts/data/ratings.parquet"
SCREENED = "artifacts/data/screened.parquet"
QUARANTINE = "artifacts/data/quarantine.parquet"
VOTES = "artifacts/votes/votes.parquet"


def count(frame: pl.DataFrame, column: str, names: tuple[str, ...]) -> dict[str, int]:
    """How many rows hold each of `names`."""
    return {name: int((frame[column] == name).sum()) for name in names}


def class_counts(frame: pl.DataFrame) -> dict[str, int]:
    """How many examples belong to each class."""
    return {name: int((frame["gold"] == index).sum()) for index, name in enumerate(CLASSES)}


def columns_of(frame: pl.DataFrame) -> list[dict[str, str]]:
    """The columns as a dataset's record lists them."""
    return [{"name": name, "dtype": str(dtype)} for name, dtype in frame.schema.items()]
