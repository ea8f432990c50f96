"""What does a replay tell: which votes moved, what the model cost, how often it said the same again?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from governance.errors import ExitCode
from governance.facts import Facts
from governance.project.report import Report, Table, counted, table
from governance.records import Answers, Finding, Labeller, Source

#: how many changed votes are listed on a screen; `--json` lists all
FIRST = 20
_CHECKS = ("answering_model", "parse_errors", "repeat_agreement", "provider_terms", "few_shot_overlap")


@dataclass(frozen=True)
class Changed:
    """A vote that comes out otherwise: class names, "abstains", or an error with its type."""

    example: str
    was: str
    now: str


@dataclass(frozen=True)
class Replayed:
    """One table of answers, read again."""

    answers: Answers
    stored: int
    compared: int
    unanswered: int
    changed: list[Changed]
    behaviour: str


def vote_told(vote: int, error: str, labeller: Labeller) -> str:
    """A vote as people read it."""
    if vote >= 0:
        return labeller.classes[vote] if vote < len(labeller.classes) else f"class {vote}"
    return {-1: "abstains", -3: "skipped"}.get(vote) or (f"error ({error})" if error else "error")


def replay_report(
    source: Source,
    labellers: dict[str, Labeller],
    done: list[Replayed],
    facts: Facts,
    *,
    sample: int | None,
    seed: int,
) -> Report:
    """What came out otherwise, what the model cost, and what was found when it voted; exit 1 for a difference."""
    blocks: list[str | Table] = []
    told: list[dict[str, Any]] = []
    found = 0
    for one in done:
        labeller = labellers[one.answers.labeller]
        edited = one.behaviour != labeller.parser_behaviour
        found += len(one.changed) + edited
        blocks += _told_one(one, labeller, edited=edited, sample=sample, seed=seed)
        told.append(
            {
                "answers": one.answers.name,
                "labeller": labeller.name,
                "stored": one.stored,
                "compared": one.compared,
                "unanswered": one.unanswered,
                "changed": [vars(change) for change in one.changed],
                "parser": labeller.parser,
                "parser_edited": edited,
                "figures": _figures(one.answers),
            }
        )
    findings = [one for one in facts.of(Finding) if one.subject == source.name and one.check in _CHECKS]
    if findings:
        blocks.append(
            table(("found when it voted", "outcome", "says"), ((f.check, f.outcome, f.says) for f in findings))
        )
    code = ExitCode.FINDINGS if found else ExitCode.FINE
    data = {
        "source": source.title,
        "name": source.name,
        "sample": sample,
        "seed": seed,
        "tables": told,
        "findings": [{"name": one.name, **one.body()} for one in findings],
    }
    return Report("replay", data, tuple(blocks), exit_code=code)


def _told_one(one: Replayed, labeller: Labeller, *, edited: bool, sample: int | None, seed: int) -> list[str | Table]:
    drawn = f" (drawn by seed {seed} from {one.stored:,})" if sample is not None else ""
    says = f"{counted(one.compared, 'stored answer')} of {labeller.source_title}{drawn} read again, nobody was asked"
    if one.unanswered:
        says += f"; {one.unanswered:,} have no answer and stay errors"
    blocks: list[str | Table] = [says]
    if edited:
        blocks.append(f"parser {labeller.parser} is not the one that read the votes: a new version of this source")
    if not one.changed:
        blocks.append("every vote comes out as it was recorded")
    else:
        blocks.append(f"{counted(len(one.changed), 'vote comes', 'votes come')} out otherwise")
        kinds = Counter((change.was, change.now) for change in one.changed)
        blocks.append(table(("was", "is now", "votes"), ((*kind, count) for kind, count in kinds.most_common())))
        listed = [(change.example, change.was, change.now) for change in one.changed[:FIRST]]
        title = f"the first {FIRST}" if len(one.changed) > FIRST else ""
        blocks.append(table(("example", "was", "is now"), listed, title=title))
    blocks.append(table(("figure", "value"), _figures(one.answers).items()))
    return blocks


def _figures(answers: Answers) -> dict[str, str]:
    """What was counted when the model was asked, for people."""

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name or '(not named)'} {count:,}" for name, count in counts.items()) or "none"

    told = {
        "examples": f"{answers.examples:,}",
        "requests": f"{answers.asked:,} in {answers.attempts:,} attempts",
        "models that answered": listed(answers.models),
        "decisive labels": f"{answers.decisive:,}",
        "abstained": f"{answers.abstained:,}",
        "errors": listed(answers.errors),
        "tokens": f"{answers.prompt_tokens:,} prompt, {answers.completion_tokens:,} completion",
        "cost": "not known: no price is described",
        "cost per decisive label": "not known",
        "repeat agreement": "not asked again",
    }
    if answers.cost_micros is not None:
        least = "at least " if answers.without_usage else ""
        told["cost"] = f"{least}{_money(answers.cost_micros, answers.currency)}"
        if answers.decisive:
            told["cost per decisive label"] = least + _money(
                Fraction(answers.cost_micros, answers.decisive), answers.currency
            )
    if answers.without_usage:
        told["tokens"] += f"; {counted(answers.without_usage, 'answer')} did not say"
    if answers.repeated_pairs:
        share = answers.repeated_agreed / answers.repeated_pairs
        low, high = (float(bound or 0) for bound in (answers.agreement_low, answers.agreement_high))
        told["repeat agreement"] = (
            f"{share:.1%} of {answers.repeated_pairs:,} pairs on {answers.repeated_rows:,} examples, "
            f"95 % interval {low:.1%} to {high:.1%}"
        )
    return told


def _money(micros: Fraction | int, currency: str) -> str:
    return f"{float(Fraction(micros) / 1_000_000):.8f}".rstrip("0").rstrip(".") + f" {currency}"
