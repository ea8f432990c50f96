"""Is every failure of an endpoint an error with its type and exact number, and is nobody's key ever told?"""

from __future__ import annotations

import datetime as dt
import email.utils
import json

import pytest
from llm_described import CLASSES, DATASET, Waits, source_of, voter_of
from llm_server import Fault, asked_text, by_words, completion, says, serving

from governance.errors import ConfigurationError
from governance.sources import ABSTAIN, ERROR
from governance.sources.applying import apply_sources
from governance.sources.llm import http, record_answers
from governance.sources.llm.asking import Pace

TEXTS = ["a good one", "a bad one", "neither", "good again"]
KEY = "sk-a-very-secret-key"


def applied(voter, folder, texts=TEXTS):
    ids = [f"c{number}" for number in range(len(texts))]
    return apply_sources([source_of(voter, folder)], ids, texts, classes=CLASSES)


def test_a_model_votes_like_any_other_source(described, tmp_path):
    """Its votes stand beside their ids, a refusal abstains, and each distinct text is asked about once."""
    with serving(by_words) as endpoint:
        voter = voter_of(described(endpoint=endpoint.url, limits={"at_once": 3}))
        found = applied(voter, tmp_path, [*TEXTS, TEXTS[0]])
    assert found.table.matrix[:, 0].tolist() == [1, 0, ABSTAIN, 1, 1]
    assert found.error_types == {"judge": {}}
    assert found.revoted == 5
    assert sorted(asked_text(body) for body, _ in endpoint.received) == sorted(TEXTS)
    body, headers = endpoint.received[0]
    assert body["messages"][0] == {"role": "system", "content": "Answer with one of: bad, good."}
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("small-1", 0.0, 5)
    assert "Authorization" not in headers


FAULTS = {
    "RateLimited": Fault(status=429, body=b"slow down"),
    "ServerError": Fault(status=503),
    "MalformedAnswer": Fault(body=b'{"choices": ['),
    "TruncatedAnswer": Fault(body=json.dumps(completion("good")).encode(), truncated=True),
    "ConnectionFailed": Fault(closes=True),
    "RefusedRequest": Fault(status=400, body=b"too long"),
    "TimedOut": Fault(hangs=True),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_fails_to_the_last_attempt_is_an_error_of_its_type(described, tmp_path, kind):
    """Two of four texts fail, two are ERROR of that type, the others vote, and nothing is an abstention."""

    def script(body, count):
        return FAULTS[kind] if "good" in asked_text(body) else says("bad")

    limits = {"attempts": 2, "first_wait_seconds": 0, "at_once": 1}
    limits["timeout_seconds"] = 2 if kind == "TimedOut" else 20
    with serving(script) as endpoint:
        voter = voter_of(described(endpoint=endpoint.url, limits=limits))
        found = applied(voter, tmp_path)
        asked = voter.ask(TEXTS)
    assert found.table.matrix[:, 0].tolist() == [ERROR, 0, 0, ERROR]
    assert found.error_types == {"judge": {f"raised {kind}": 2}}
    assert [one.attempts for one in asked] == ([1, 1, 1, 1] if kind == "RefusedRequest" else [2, 1, 1, 2])
    assert [one.error for one in asked] == [kind, "", "", kind]


@pytest.mark.parametrize("kind", [name for name in FAULTS if name not in ("RefusedRequest", "TimedOut")])
def test_what_passes_is_asked_again_and_votes(described, kind):
    """A failure before the last attempt is no error, and the number of attempts is kept."""
    with serving(lambda body, count: FAULTS[kind] if count < 2 else says("good")) as endpoint:
        waits = Waits()
        voter = voter_of(described(endpoint=endpoint.url), waits=waits)
        assert voter(["x"]) == [1]
    assert voter.ask(["x"])[0].attempts == 3
    assert waits == [1, 2]


def test_waits_grow_to_their_cap():
    """Twice as long each time, and never longer than is allowed."""
    from governance.sources.llm.asking import _wait
    from governance.sources.llm.description import Limits

    limits = Limits(first_wait_seconds=1, longest_wait_seconds=8)
    assert [_wait(None, limits, attempt) for attempt in range(1, 7)] == [1, 2, 4, 8, 8, 8]
    assert _wait(None, limits, 5000) == 8


@pytest.mark.parametrize(
    ("value", "waited"), [("5", [5, 5]), ("0", [1, 2]), ("not a time", [1, 2]), ("-1", [1, 2]), ("60", [])]
)
def test_retry_after_is_obeyed(described, value, waited):
    """As long as the endpoint asks, where that is longer than we would wait; beyond our patience nobody is asked again."""
    waits = Waits()
    voter = voter_of(described(), lambda body, count: Fault(status=429, headers={"Retry-After": value}), waits=waits)
    (asked,) = voter.ask(["x"])
    assert (waits, asked.error, asked.attempts) == (waited, "RateLimited", len(waited) + 1)


def test_retry_after_may_be_a_date(described):
    """A day of the past means now, and one that is far away means never."""
    waits = Waits()
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    voter_of(described(), lambda b, c: Fault(status=503, headers={"Retry-After": past}), waits=waits).ask(["x"])
    assert waits == [1, 2]
    far = email.utils.format_datetime(dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=2), usegmt=True)
    waits.clear()
    voter_of(described(), lambda b, c: Fault(status=503, headers={"Retry-After": far}), waits=waits).ask(["x"])
    assert waits == []


def test_no_more_requests_a_minute_than_are_allowed():
    """Turns are a sixtieth of the minute apart, whoever takes them."""
    waits = Waits()
    pace = Pace(60, clock=waits.clock, sleep=waits.sleep)
    for _ in range(4):
        pace.wait()
    assert waits == [1, 1, 1]
    assert Pace(0, clock=waits.clock, sleep=waits.sleep).wait() is None


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_where_no_text_would_be_answered_the_run_ends(described, status):
    """Exit 2 and the way out after one request, where ten thousand errors would hide the reason."""
    headers = {"Location": "http://127.0.0.1:1/elsewhere"} if status == 302 else {}
    with serving(lambda body, count: Fault(status=status, headers=headers)) as endpoint:
        voter = voter_of(described(endpoint=endpoint.url))
        with pytest.raises(ConfigurationError, match=str(status)) as caught:
            voter(TEXTS)
    assert int(caught.value.exit_code) == 2
    assert caught.value.hint
    assert len(endpoint.received) == 1


def test_a_missing_key_is_told_by_the_name_of_its_variable(described, monkeypatch):
    """Nothing is sent without it."""
    monkeypatch.delenv("A_KEY_OF_OURS", raising=False)
    voter = voter_of(described(api_key_variable="A_KEY_OF_OURS"), by_words)
    with pytest.raises(ConfigurationError, match="A_KEY_OF_OURS") as caught:
        voter(["x"])
    assert "export A_KEY_OF_OURS" in str(caught.value.hint)


def test_the_key_is_sent_and_kept_nowhere(described, tmp_path, monkeypatch):
    """Not in the table, not in a record, not in an error, also where the endpoint sends it back."""
    import polars as pl

    monkeypatch.setenv("A_KEY_OF_OURS", KEY)

    def script(body, count):
        return says(f"good, said {KEY}", model=f"small {KEY}", system_fingerprint=KEY, finish_reason=KEY)

    with serving(script) as endpoint:
        voter = voter_of(described(endpoint=endpoint.url, api_key_variable="A_KEY_OF_OURS", parser="first_word"))
        source, path = source_of(voter, tmp_path), tmp_path / "answers.parquet"
        kept = record_answers(source, pl.Series("example_id", ["a"]), ["x"], path, dataset=DATASET)
        with pytest.raises(ConfigurationError) as caught, serving(lambda b, c: Fault(status=401)) as closed:
            voter_of(described(endpoint=closed.url, api_key_variable="A_KEY_OF_OURS"))(["x"])
    assert endpoint.received[0][1]["Authorization"] == f"Bearer {KEY}"
    told = [kept.answers.canonical(), kept.labeller.canonical(), source.record.canonical(), path.read_bytes()]
    assert not any(KEY.encode() in one for one in told)
    assert KEY not in str(caught.value.facts()) + repr(vars(voter))
    assert pl.read_parquet(path)["response"].to_list() == ["good, said [key]"]


ODD = {
    "not JSON": b"<html>",
    "no choices": b"{}",
    "empty choices": b'{"choices": []}',
    "choices that are no list": b'{"choices": 3}',
    "a message that is text": b'{"choices": [{"message": "good"}]}',
    "content in parts": b'{"choices": [{"message": {"content": [{"text": "good"}]}}]}',
    "not UTF-8": b"\xff\xfe\x00",
    "nested too deeply": b"[" * 100_000,
    "null": b"null",
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_an_answer_that_is_no_completion_is_malformed(described, body):
    """Whatever it is, the vote is an error and nothing breaks."""
    (asked,) = voter_of(described(), lambda b, c: Fault(body=body)).ask(["x"])
    assert (asked.error, asked.answer, asked.attempts) == ("MalformedAnswer", None, 3)


def test_odd_counts_of_tokens_are_not_believed(described):
    """A count that is no count is as if the answer had not said."""
    for usage in (None, [], {"prompt_tokens": -1, "completion_tokens": 1.5}, {"prompt_tokens": True}):
        (asked,) = voter_of(described(), lambda b, c, usage=usage: says("good", usage=usage)).ask(["x"])
        assert (asked.prompt_tokens, asked.completion_tokens) == (None, None)


def test_half_a_character_is_sent_and_kept(described, tmp_path):
    """A lone surrogate in a text or an answer ends no run."""
    import polars as pl

    voter = voter_of(described(), lambda body, count: Fault(body=b'{"choices": [{"message": {"content": "\\ud83d"}}]}'))
    (asked,) = voter.ask(["x \ud83d"])
    assert asked.answer is not None
    assert asked.answer.text == "\\ud83d"
    path = tmp_path / "answers.parquet"
    record_answers(source_of(voter, tmp_path), pl.Series("example_id", ["a"]), ["x"], path, dataset=DATASET)


def test_every_error_of_asking_has_the_name_that_it_is_kept_under():
    """So that a stored failure is the same failure again."""
    assert all(http.ERRORS[kind].__name__ == kind for kind in http.ERRORS)
    assert set(FAULTS) == set(http.ERRORS)
