"""A language model as the tests describe it, and what votes with it."""

from __future__ import annotations

from pathlib import Path

from llm_server import InProcess

from governance.sources.description import read_description
from governance.sources.llm.voter import LlmVoter
from governance.sources.registry import RegisteredSource, make_source

CLASSES = ("bad", "good")
DATASET = "dataset:" + "0" * 64
DESCRIBED = {
    "kind": "llm",
    "version": "1",
    "summary": "asks a model",
    "owner": "us",
    "origin": "a test",
    "licence": {"declared": "MIT", "found": "MIT"},
    "collection": "by hand",
    "personal_data": {"holds": False},
}
LLM = {
    "model": "small-1",
    "endpoint": "http://127.0.0.1:9/v1/chat/completions",
    "system": "Answer with one of: {classes}.",
    "prompt": "Comment: {text}",
    "parameters": {"temperature": 0, "max_tokens": 5},
    "parser": "label",
    "price": {"currency": "EUR", "prompt_per_million": 0.15, "completion_per_million": 0.6},
    "limits": {"attempts": 3, "first_wait_seconds": 1, "longest_wait_seconds": 8, "at_once": 1, "timeout_seconds": 20},
}


class Waits(list):
    """A clock that moves when somebody sleeps; it keeps how long they slept."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def voter_of(description, script=None, *, waits: Waits | None = None, root: Path | None = None) -> LlmVoter:
    """A voter over a script in process, or over the real transport where there is none."""
    waits = Waits() if waits is None else waits
    more = {} if script is None else {"transport": InProcess(script)}
    return LlmVoter(description, classes=CLASSES, root=root, sleep=waits.sleep, clock=waits.clock, **more)


def source_of(voter: LlmVoter, folder: Path) -> RegisteredSource:
    """The source version that a voter and the description beside it make."""
    return make_source(voter, read_description(folder / f"{voter.description.name}.yaml"), many=True)
