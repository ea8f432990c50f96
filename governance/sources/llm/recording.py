"""What of a model's answers becomes a table, which facts, and what is found?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.checks import answering_model, few_shot_overlap, parse_errors, provider_terms, repeat_agreement
from governance.digest import decimal, file_digest, sha256
from governance.errors import InvalidRecord
from governance.parquet import content_digest, read_table
from governance.records import Answers, Finding, Labeller
from governance.sources.llm.repeating import Repeats, compared
from governance.sources.llm.table import exact_micros, row, write_answers
from governance.sources.llm.voter import LlmVoter
from governance.sources.registry import RegisteredSource
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Recorded:
    """The facts to state, in this order, after the source's own."""

    labeller: Labeller
    answers: Answers
    #: how often it said the same again, where it was asked again
    agreement: repeat_agreement.Agreement | None = None


def record_answers(
    source: RegisteredSource,
    ids: pl.Series,
    texts: Sequence[str],
    path: Path,
    *,
    dataset: str,
    subjects: pl.Series | None = None,
    repeats: Repeats | None = None,
) -> Recorded:
    """1. every answer, and whose it is  2. what was asked again  3. the table, written  4. the facts, counted

    `ids` and `subjects` are named as labeltrail.toml names these columns, so that a person's rows are found and taken out.
    What was not asked before is asked now. Raises InvalidRecord, ConfigurationError.
    """
    import polars as pl

    voter = voter_of(source)
    if len(ids) != len(texts) or (subjects is not None and len(subjects) != len(texts)):
        raise InvalidRecord("texts", len(texts), f"one text for each of {len(ids)} ids")
    price = voter.description.price
    # 1.
    first = voter.ask(texts)
    rows: list[dict[str, Any]] = []
    places = list(range(len(first)))
    paid: set[str] = set()
    for asked in first:
        vote, error = voter.judge(asked)
        rows.append(row(asked, repeat=0, shared=asked.request in paid, vote=vote, error=error, price=price))
        paid.add(asked.request)
    # 2.
    for number, again in enumerate(repeats.rounds if repeats else (), start=1):
        for place, asked in zip(repeats.rows if repeats else (), again, strict=True):
            vote, error = voter.judge(asked)
            rows.append(row(asked, repeat=number, shared=False, vote=vote, error=error, price=price))
            places.append(place)
    # 3.
    order = pl.Series(places, dtype=pl.Int64)
    write_answers(rows, path, ids=ids.gather(order), subjects=subjects.gather(order) if subjects is not None else None)
    # 4.
    found, failed = compared(voter, texts, repeats) if repeats else (None, 0)
    labeller = labeller_of(source)
    answers = Answers.make(
        source_title=source.title,
        source=source.record.name,
        labeller=labeller.name,
        dataset=dataset,
        sha256=file_digest(path),
        content=content_digest(read_table(path)),
        **_counted(rows),
        **_cost(rows, price),
        repeated_rows=len(repeats.rows) if repeats else 0,
        repeated_pairs=found.pairs if found else 0,
        repeated_agreed=found.agreed if found else 0,
        repeated_failed=failed,
        agreement_low=decimal(found.low) if found else None,
        agreement_high=decimal(found.high) if found else None,
    )
    return Recorded(labeller, answers, found)


def voter_of(source: RegisteredSource) -> LlmVoter:
    """The language model behind a source. Raises InvalidRecord for a source that is none."""
    if not isinstance(source.vote, LlmVoter):
        raise InvalidRecord("source", source.title, "a source that `llm_source` made")
    return source.vote


def labeller_of(source: RegisteredSource) -> Labeller:
    """What the source version was named by, as a fact that can be read."""
    voter = voter_of(source)
    said, few = voter.description, voter.description.few_shot
    return Labeller.make(
        source_title=source.title,
        source=source.record.name,
        model=said.model,
        accepts=list(said.accepts),
        endpoint=said.endpoint,
        system=said.system,
        prompt=said.prompt,
        prompt_sha256=sha256(said.prompt.encode()),
        classes=list(voter.classes),
        few_shot=len(few.ids) if few else 0,
        parameters={name: repr(value) for name, value in sorted(said.parameters.items())},
        parser=said.parser,
        parser_behaviour=voter.parsing.digest,
        opaque=list(voter.parsing.opaque),
        terms=dict(said.terms) if said.terms else None,
        price=dict(said.price) if said.price else None,
    )


def findings(
    recorded: Recorded,
    source: RegisteredSource,
    ids: pl.Series,
    *,
    as_of: str,
    parse_limit: float = 0.02,
    agreement_limit: float = 0.95,
) -> list[Finding]:
    """What was found about a model's answers; terms are judged as of a day (YYYY-MM-DD)."""
    labeller, answers, title = recorded.labeller, recorded.answers, source.title
    subject, few = source.record.name, voter_of(source).description.few_shot
    answered = answers.decisive + answers.abstained + answers.parse_errors
    told = [
        answering_model.check(answers.models, labeller.model, accepts=labeller.accepts, subject=subject, title=title),
        parse_errors.check(answers.parse_errors, answered, subject=subject, title=title, limit=parse_limit),
        provider_terms.check(labeller.terms, as_of, subject=subject, title=title),
    ]
    if few is not None:
        told.append(few_shot_overlap.check(few.ids, ids.to_list(), subject=subject, title=title))
    if answers.repeated_rows:
        failed = answers.repeated_failed
        told.append(
            repeat_agreement.check(
                recorded.agreement, subject=subject, title=title, limit=agreement_limit, failed=failed
            )
        )
    return told


def _counted(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = [one for one in rows if not one["repeat"]]
    sent = [one for one in rows if not one["shared"]]
    answered = [one for one in rows if one["response"] is not None]

    def count(field: str, among: list[dict[str, Any]]) -> dict[str, int]:
        return dict(sorted(Counter(one[field] for one in among).items()))

    return {
        "rows": len(rows),
        "examples": len(first),
        "asked": len(sent),
        "attempts": sum(one["attempts"] for one in sent),
        "decisive": sum(one["vote"] >= 0 for one in first),
        "abstained": sum(one["vote"] == ABSTAIN for one in first),
        "errors": count("error", [one for one in first if one["error"]]),
        "parse_errors": sum(bool(one["error"]) for one in answered if not one["repeat"]),
        "models": count("model", answered),
        "fingerprints": count("system_fingerprint", [one for one in answered if one["system_fingerprint"]]),
        "finish_reasons": count("finish_reason", answered),
    }


def _cost(rows: list[dict[str, Any]], price: Any) -> dict[str, Any]:
    sent = [one for one in rows if not one["shared"] and one["response"] is not None]
    told = [one for one in sent if one["prompt_tokens"] is not None and one["completion_tokens"] is not None]
    prompt = sum(one["prompt_tokens"] for one in told)
    completion = sum(one["completion_tokens"] for one in told)
    # Rounded once: what each row holds is rounded for that row.
    exact = exact_micros(prompt, completion, price)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "without_usage": len(sent) - len(told),
        "cost_micros": None if exact is None else round(exact),
        "currency": price["currency"] if price else "",
    }
