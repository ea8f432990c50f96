"""Which rows keep a contract, and why do the others not?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import pandera.polars as pa
    import polars as pl

#: the column of a quarantine table that says which checks turned the row away
REASON = "reason"


@dataclass(frozen=True, eq=False)
class Screened:
    """`good` and `quarantined` together are the rows that were given, each in their order.

    `quarantined` has a column more, the reason; `failures` counts the rows that each check turned away.
    """

    good: pl.DataFrame
    quarantined: pl.DataFrame
    failures: Mapping[str, int]


def screen(frame: pl.DataFrame, contract: type[pa.DataFrameModel], *, where: str = "table") -> Screened:
    """Holds every row of `frame` against `contract`.

    Raises InvalidRecord, which names the column, where the table as a whole cannot be judged: it is empty, a column is
    missing, unknown or of another type, or a check itself failed. Rows that fail go to quarantine; none is lost.
    """
    import pandera.polars as pa
    import polars as pl

    if isinstance(frame, pl.LazyFrame):
        # pandera looks at a LazyFrame's types only, so that bad rows would pass.
        frame = frame.collect()
    if frame.is_empty():
        raise InvalidRecord("rows", 0, "at least one row", where=where)
    if REASON in frame.columns:
        raise InvalidRecord("columns", REASON, "a table without a column of that name", where=where)
    try:
        contract.to_schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases
    except pa.errors.SchemaError as error:
        raise _structural(str(error.check), error.failure_cases, None, contract, where) from None
    except pl.exceptions.PolarsError as error:
        raise InvalidRecord("table", str(error).splitlines()[0], "a table that can be checked", where=where) from None
    else:
        return Screened(frame, _with_reason(frame.clear(), []), {})
    return _split(frame, failures, contract, where)


def _split(frame: pl.DataFrame, failures: pl.DataFrame, contract: type[pa.DataFrameModel], where: str) -> Screened:
    """1. what is wrong with the table as a whole  2. reasons by row  3. two tables"""
    import polars as pl

    # 1.
    whole = failures.filter(pl.col("index").is_null()).to_dicts()
    if whole:
        first = min(whole, key=lambda failure: (_rank(failure["check"]), str(failure["column"])))
        column = first["column"] if first["schema_context"] == "Column" else None
        raise _structural(first["check"], first["failure_case"], column, contract, where)
    # 2.
    told = failures.select(pl.col("index").cast(pl.Int64), says=_says()).unique()
    by_row = told.group_by("index").agg(pl.col("says").sort().str.join("; ")).sort("index")
    counts = told.group_by("says").len().sort("says")
    # 3.
    bad = pl.Series(range(len(frame)), dtype=pl.Int64).is_in(by_row["index"].implode())
    return Screened(
        good=frame.filter(~bad),
        quarantined=_with_reason(frame.filter(bad), by_row["says"].to_list()),
        failures=dict(zip(counts["says"], counts["len"], strict=True)),
    )


def _says() -> pl.Expr:
    import polars as pl

    of_column = pl.format("{}: {}", pl.col("column"), pl.col("check"))
    return pl.when(pl.col("schema_context") == "Column").then(of_column).otherwise(pl.col("check"))


def _with_reason(frame: pl.DataFrame, reasons: list[str]) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(pl.Series(REASON, reasons, dtype=pl.String))


def _rank(check: str) -> int:
    """A missing column or another type makes later checks fail too, so these are told first."""
    shapes = ("column_in_dataframe", "column_in_schema", "dtype(")
    return next((rank for rank, shape in enumerate(shapes) if check.startswith(shape)), len(shapes))


def _structural(
    check: str, case: Any, column: str | None, contract: type[pa.DataFrameModel], where: str
) -> InvalidRecord:
    if check == "column_in_dataframe":
        return InvalidRecord("columns", "no such column", f"a column {case!r}", where=where)
    if check == "column_in_schema":
        return InvalidRecord("columns", case, f"only the columns that {contract.__name__} names", where=where)
    if check.startswith("dtype("):
        return InvalidRecord(f"columns.{column}", case, f"values of type {check[6:-1]}", where=where)
    return InvalidRecord(
        f"columns.{column}" if column else "table", case, f"a table on which {check} can be judged", where=where
    )
