"""Small facts to make tests with."""

from __future__ import annotations

from governance.records import Evaluation, Finding, Source

NOBODY = "dataset:" + "0" * 64


def finding(number: int, *, outcome: str = "pass", says: str = "it was looked at") -> Finding:
    """One of many different small facts."""
    return Finding.make(check=f"check_{number}", subject=NOBODY, outcome=outcome, measured=repr(number / 8), says=says)


def some_source() -> Source:
    """A source version without personal data."""
    said = {"title": "words", "source_kind": "lexicon", "version": "1", "fingerprint": "1" * 64, "summary": "words"}
    terms = {
        "owner": "us",
        "origin": "here",
        "licence_declared": "MIT",
        "licence_found": "MIT",
        "collection": "by hand",
    }
    return Source.make(**said, **terms, personal_data=False)


def some_evaluation() -> Evaluation:
    """One figure with its interval."""
    figure = {
        "metric": "accuracy",
        "of": "model",
        "slice": "all",
        "value": "0.5",
        "low": "0.25",
        "high": "0.75",
        "examples": 8,
    }
    return Evaluation.make(
        title="figures", gold="gold", dataset=NOBODY, compared=[], sha256="2" * 64, metrics=[figure], classes=["a", "b"]
    )
