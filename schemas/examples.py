"""What does this project promise of its examples?"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from governance.contracts import ExamplesContract

DOMAINS = ("tweets", "amazon", "movies", "nyt")
SPLITS = ("train", "valid", "test")
CLASSES = ("negative", "positive")
SHORTEST, LONGEST = 3, 1_000
ID = r"^(tweets/\d+|amazon/\d+_\d+|movies/\d+|nyt/\d+_\d+)$"


class Examples(ExamplesContract):
    """Rated texts of four domains."""

    example_id: str = pa.Field(unique=True, str_matches=ID)
    domain: str = pa.Field(isin=list(DOMAINS))
    text: str = pa.Field(str_length={"min_value": SHORTEST, "max_value": LONGEST})
    rating: float = pa.Field(ge=-4.0, le=4.0)
    gold: pl.Int8 = pa.Field(isin=list(range(len(CLASSES))))
    split: str = pa.Field(isin=list(SPLITS))
    duplicate_of: str = pa.Field(nullable=True)

    @pa.check("text")
    def text_has_a_word_or_face(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """At least one letter or digit, or a face made of signs."""
        return data.lazyframe.select(pl.col(data.key).str.contains(r"[\p{L}\p{N}]|[:;=][-^']?[()DPp/\\|]"))

    @pa.check("rating")
    def rating_is_not_zero(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A mean of zero takes no side."""
        return data.lazyframe.select(pl.col(data.key) != 0.0)

    @pa.dataframe_check
    def gold_matches_rating(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """The class is the sign of the mean rating."""
        return data.lazyframe.select((pl.col("rating") > 0.0) == (pl.col("gold") == 1))

    @pa.dataframe_check
    def domain_matches_id(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """An id begins with its domain."""
        return data.lazyframe.select(pl.col("example_id").str.starts_with(pl.col("domain") + "/"))

    @pa.dataframe_check
    def duplicate_is_another(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """No example repeats itself."""
        return data.lazyframe.select(pl.col("duplicate_of").ne_missing(pl.col("example_id")))
