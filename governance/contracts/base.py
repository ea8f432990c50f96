"""What must every table of a governed run satisfy, whatever the project?

A project subclasses these in its own `schemas/` and adds what its data promises.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

#: how far the probabilities of one row may miss 1 through rounding
SUM_TOLERANCE = 1e-9


class ExamplesContract(pa.DataFrameModel):
    """Examples: an id that names exactly one row, and a text."""

    example_id: str = pa.Field(unique=True, str_length={"min_value": 1})
    text: str

    class Config(pa.DataFrameModel.Config):  # type: ignore[misc]
        """Columns that nobody named are refused."""

        strict = True


class VotesContract(pa.DataFrameModel):
    """Votes: an id that names exactly one row; every other column holds votes of one source."""

    example_id: str = pa.Field(unique=True, str_length={"min_value": 1})

    @pa.dataframe_check
    def votes_are_int8(cls, data: pa.PolarsData) -> bool:  # noqa: N805
        """There is at least one source, and every column but the id holds votes."""
        types = [dtype for name, dtype in data.lazyframe.collect_schema().items() if name != "example_id"]
        return bool(types) and all(dtype == pl.Int8 for dtype in types)

    @pa.dataframe_check
    def votes_are_in_range(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """No vote is missing, and none lies below SKIPPED (-3)."""
        types = data.lazyframe.collect_schema()
        votes = [pl.col(name).fill_null(-128) >= -3 for name, dtype in types.items() if dtype == pl.Int8]
        return data.lazyframe.select(pl.all_horizontal(pl.int_range(pl.len()) >= 0, *votes))


class LabelsContract(pa.DataFrameModel):
    """Labels: an id that names exactly one row, and one probability a class in columns `p_CLASS`."""

    example_id: str = pa.Field(unique=True, str_length={"min_value": 1})
    probabilities: float = pa.Field(alias="^p_.+$", regex=True, ge=0.0, le=1.0)

    @pa.dataframe_check
    def probabilities_sum_to_one(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Each row is one distribution over the classes."""
        return data.lazyframe.select((pl.sum_horizontal("^p_.+$") - 1.0).abs() <= SUM_TOLERANCE)
