"""What does this project promise of its labels?"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from governance.contracts import LabelsContract
from schemas.examples import CLASSES, ID

#: -1 stands where there is no label
_LABELS = list(range(-1, len(CLASSES)))


class Labels(LabelsContract):
    """One soft label for every example, for one of two classes."""

    example_id: str = pa.Field(unique=True, str_matches=ID)
    covered: bool
    majority: pl.Int8 = pa.Field(isin=_LABELS)
    label: pl.Int8 = pa.Field(isin=_LABELS)
    log_odds: float = pa.Field(nullable=True)

    @pa.dataframe_check
    def one_probability_a_class(cls, data: pa.PolarsData) -> bool:  # noqa: N805
        """There is a probability for every class, and for nothing else."""
        named = [name for name in data.lazyframe.collect_schema() if name.startswith("p_")]
        return named == [f"p_{name}" for name in CLASSES]

    @pa.dataframe_check
    def covered_has_a_label(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A label and its log-odds stand exactly where some source voted."""
        labelled = (pl.col("label") >= 0) & pl.col("log_odds").is_not_null()
        silent = (pl.col("label") < 0) & pl.col("log_odds").is_null()
        return data.lazyframe.select(pl.when(pl.col("covered")).then(labelled).otherwise(silent))
