"""What does a model answer to the same question, asked again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.checks.repeat_agreement import Agreement, agreement
from governance.errors import InvalidRecord
from governance.sources.llm.asking import Asked
from governance.sources.llm.voter import LlmVoter
from governance.votes.alignment import sample_rows


@dataclass(frozen=True)
class Repeats:
    """The rows that were asked again, and for each repeat what was answered, in their order."""

    rows: tuple[int, ...]
    rounds: tuple[tuple[Asked, ...], ...]


def ask_again(voter: LlmVoter, texts: Sequence[str], *, rows: int, times: int = 1, seed: int) -> Repeats:
    """A sample of `rows` texts that `seed` draws, asked `times` more; the first answers are those that voted."""
    if times < 1:
        raise InvalidRecord("times", times, "at least one repeat")
    chosen = [int(row) for row in sample_rows(len(texts), size=rows, seed=seed)]
    wanted = [texts[row] for row in chosen]
    voter.ask(wanted)
    return Repeats(tuple(chosen), tuple(tuple(voter.ask_anew(wanted)) for _ in range(times)))


def compared(voter: LlmVoter, texts: Sequence[str], repeats: Repeats) -> tuple[Agreement | None, int]:
    """How often the later votes are the first ones, and how many pairs say nothing because a request failed.

    Answers that cannot be read are equal where they fail in the same way.
    """
    first = voter.ask([texts[row] for row in repeats.rows])
    agreed, pairs, failed = [0] * len(first), [0] * len(first), 0
    for asked_again in repeats.rounds:
        for place, (one, two) in enumerate(zip(first, asked_again, strict=True)):
            if one.answer is None or two.answer is None:
                failed += 1
                continue
            pairs[place] += 1
            agreed[place] += voter.judge(one) == voter.judge(two)
    return agreement(agreed, pairs), failed
