"""What is kept of every question and its answer, and how does it come back?

A row for each example (`repeat` 0) and one for each time it was asked again. The table holds texts and belongs to the
people whose rows these are: it carries their ids, and is committed to and erased from row by row as other tables are.
The system prompt and the few-shot examples are in the request's digest, and in no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord
from governance.parquet import read_table, write_table
from governance.sources.llm.asking import Asked
from governance.sources.llm.parsers import Answer

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "repeat",
    "request",
    "asked",
    "response",
    "refusal",
    "finish_reason",
    "model",
    "system_fingerprint",
    "response_sha256",
    "prompt_tokens",
    "completion_tokens",
    "cost_micros",
    "latency_us",
    "attempts",
    "shared",
    "error",
    "vote",
)


def micros(asked: Asked, price: Any) -> int | None:
    """What an answer cost in millionths, rounded; None where price or tokens are not known."""
    exact = exact_micros(asked.prompt_tokens, asked.completion_tokens, price)
    return None if exact is None else round(exact)


def exact_micros(prompt: int | None, completion: int | None, price: Any) -> Fraction | None:
    """A price for a million tokens is a price in millionths for one."""
    if price is None or prompt is None or completion is None:
        return None
    return prompt * Fraction(price["prompt"]) + completion * Fraction(price["completion"])


def row(asked: Asked, *, repeat: int, shared: bool, vote: int, error: str, price: Any) -> dict[str, Any]:
    """One row, without the columns that say whose it is. A shared answer was paid for by an earlier row."""
    answer = asked.answer
    return {
        "repeat": repeat,
        "request": asked.request,
        # The question is the same every time: it is kept once for each example.
        "asked": asked.asked if not repeat else None,
        "response": answer.text if answer else None,
        "refusal": answer.refusal if answer else None,
        "finish_reason": answer.finish_reason if answer else None,
        "model": answer.model if answer else None,
        "system_fingerprint": asked.system_fingerprint if answer else None,
        "response_sha256": asked.response or None,
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": asked.completion_tokens,
        "cost_micros": 0 if shared else micros(asked, price),
        "latency_us": asked.latency_us,
        "attempts": asked.attempts,
        "shared": shared,
        "error": error,
        "vote": vote,
    }


def write_answers(
    rows: Sequence[dict[str, Any]], path: Path, *, ids: pl.Series, subjects: pl.Series | None = None
) -> None:
    """Writes the rows beside their ids, and beside whose they are where that is known."""
    import polars as pl

    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    kinds |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cost_micros", "latency_us"), pl.Int64)
    kinds |= {"repeat": pl.Int32, "attempts": pl.Int32, "vote": pl.Int8, "shared": pl.Boolean}
    told = pl.DataFrame(list(rows), schema=kinds)
    whose = [ids] if subjects is None or subjects.name == ids.name else [ids, subjects]
    write_table(pl.DataFrame([*whose, *told.iter_columns()]), path)


def read_answers(path: Path, *, id_column: str = "example_id") -> pl.DataFrame:
    """The stored answers. Raises ConfigurationError (no file), InvalidRecord (no such table)."""
    return read_table(path, columns=[id_column, *COLUMNS])


def stored(frame: pl.DataFrame) -> Iterable[Asked]:
    """First answers as they were given, for `LlmVoter.remember`. Raises InvalidRecord for one that is not its digest."""
    for number, one in enumerate(frame.iter_rows(named=True)):
        if one["repeat"]:
            continue
        answer = answer_of(one)
        asked = Asked(
            request=one["request"],
            asked=one["asked"] or "",
            answer=answer,
            error=one["error"] if answer is None else "",
            attempts=one["attempts"],
            latency_us=one["latency_us"],
            system_fingerprint=one["system_fingerprint"] or "",
            prompt_tokens=one["prompt_tokens"],
            completion_tokens=one["completion_tokens"],
        )
        if asked.response != (one["response_sha256"] or ""):
            raise InvalidRecord(f"answers[{number}].response", "another text (not shown)", "what its digest names")
        yield asked


def answer_of(one: dict[str, Any]) -> Answer | None:
    """The answer in a row; None where the request failed."""
    if one["response"] is None:
        return None
    return Answer(one["response"], one["refusal"] or "", one["finish_reason"] or "", one["model"] or "")
