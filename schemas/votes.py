"""What does this project promise of its votes?"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from governance.contracts import VotesContract
from schemas.examples import CLASSES, ID


class Votes(VotesContract):
    """Votes on the examples of four domains, for one of two classes."""

    example_id: str = pa.Field(unique=True, str_matches=ID)

    @pa.dataframe_check
    def votes_name_a_class(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """No vote names a class that does not exist."""
        types = data.lazyframe.collect_schema()
        votes = [pl.col(name).fill_null(0) < len(CLASSES) for name, dtype in types.items() if dtype == pl.Int8]
        return data.lazyframe.select(pl.all_horizontal(pl.int_range(pl.len()) >= 0, *votes))
