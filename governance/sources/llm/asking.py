"""What did the endpoint answer, after how many attempts, or why did it not?"""

from __future__ import annotations

import contextlib
import email.utils
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from governance.digest import sha256
from governance.errors import ConfigurationError
from governance.sources.llm import http
from governance.sources.llm.description import Limits, LlmDescription
from governance.sources.llm.http import AskingError, MalformedAnswer, Reply, Transport
from governance.sources.llm.parsers import Answer
from governance.sources.llm.prompt import Request

#: what another attempt may mend
_PASSING = (
    http.TimedOut,
    http.ConnectionFailed,
    http.TruncatedAnswer,
    http.MalformedAnswer,
    http.RateLimited,
    http.ServerError,
)
#: an endpoint may say anything in the fields that are kept as names
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Asked:
    """One request with its answer, or the type of what went wrong at the last attempt.

    `response` is digested as [text, refusal, finish reason]. Latency is that of the last attempt, in microseconds. Tokens
    are None where the answer does not say.
    """

    request: str
    asked: str
    answer: Answer | None
    error: str = ""
    attempts: int = 1
    latency_us: int = 0
    system_fingerprint: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def response(self) -> str:
        """The digest of the answer; empty where there is none."""
        return response_digest(self.answer) if self.answer else ""


def response_digest(answer: Answer) -> str:
    """The digest by which an answer is told from another."""
    return sha256(json.dumps([answer.text, answer.refusal, answer.finish_reason]).encode())


class Pace:
    """Lets requests go no faster than so many a minute, also where several threads ask."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._gap = 60.0 / a_minute if a_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when it is this caller's turn."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


class Endpoint:
    """Asks, and asks again where that may help."""

    def __init__(
        self,
        description: LlmDescription,
        *,
        transport: Transport = http.post,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._description, self._transport = description, transport
        self._sleep, self._clock = sleep, clock
        self._pace = Pace(description.limits.requests_per_minute, clock=clock, sleep=sleep)

    def ask(self, request: Request) -> Asked:
        """1. wait for our turn  2. send  3. read  4. where it may pass, wait (as asked, or twice as long as before), again

        Raises ConfigurationError where no text would be answered: no key, a key or a model that the endpoint refuses.
        """
        limits = self._description.limits
        key = self._key()
        for attempt in range(1, limits.attempts + 1):
            # 1.
            self._pace.wait()
            began = self._clock()
            reply: Reply | None = None
            try:
                # 2.
                reply = self._send(request, key)
                # 3.
                _judge_status(reply.status, self._description)
                found = _completion(reply, key)
            except AskingError as error:
                spent = round((self._clock() - began) * 1_000_000)
                wait = _wait(reply, limits, attempt)
                if attempt == limits.attempts or wait is None or not isinstance(error, _PASSING):
                    return Asked(request.sha256, request.asked, None, type(error).__name__, attempt, spent)
                # 4.
                self._sleep(wait)
                continue
            spent = round((self._clock() - began) * 1_000_000)
            return Asked(request.sha256, request.asked, attempts=attempt, latency_us=spent, **found)
        raise AssertionError("there is at least one attempt")

    def _key(self) -> str:
        variable = self._description.api_key_variable
        if not variable:
            return ""
        key = os.environ.get(variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise ConfigurationError(
                f"source {self._description.name!r} needs the API key in {variable}, and there is none",
                hint=f"export {variable}=… in the shell that starts this; votes from stored answers need none",
            )
        return key

    def _send(self, request: Request, key: str) -> Reply:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        said = self._description
        return self._transport(said.endpoint, request.body, headers=headers, timeout=said.limits.timeout_seconds)


def _judge_status(status: int, description: LlmDescription) -> None:
    if status == 200:
        return
    if status in (401, 403):
        variable = description.api_key_variable
        hint = f"check the key in {variable}" if variable else "name the variable with its key as api_key_variable"
        raise ConfigurationError(f"{description.endpoint} lets nobody in (HTTP {status})", hint=hint)
    if status in (404, 405) or 300 <= status < 400:
        hint = f"check endpoint and model ({description.model}) of source {description.name!r}"
        raise ConfigurationError(f"{description.endpoint} answers no chat completions (HTTP {status})", hint=hint)
    if status == 429:
        raise http.RateLimited
    raise http.ServerError if status >= 500 else http.RefusedRequest


def _wait(reply: Reply | None, limits: Limits, attempt: int) -> float | None:
    """Seconds until the next attempt; None where the endpoint asks for more patience than there is."""
    backoff = min(limits.longest_wait_seconds, limits.first_wait_seconds * 2 ** min(attempt - 1, 60))
    asked = _retry_after(reply.headers.get("retry-after", "")) if reply is not None else None
    if asked is None:
        return backoff
    return None if asked > limits.longest_wait_seconds else max(asked, backoff)


def _retry_after(value: str) -> float | None:
    """RFC 9110 section 10.2.3: seconds or a date."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _completion(reply: Reply, key: str) -> dict[str, Any]:
    """The fields of `Asked` that a chat completion gives. Raises MalformedAnswer."""
    try:
        given = json.loads(reply.body)
        choice = given["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise MalformedAnswer from None
    if not (isinstance(content, str) or content is None) or not (isinstance(refusal, str) or refusal is None):
        raise MalformedAnswer
    usage = given.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    answer = Answer(
        text=_kept(content or "", key),
        refusal=_kept(refusal or "", key),
        finish_reason=_named(choice.get("finish_reason"), key),
        model=_named(given.get("model"), key),
    )
    return {
        "answer": answer,
        "system_fingerprint": _named(given.get("system_fingerprint"), key),
        "prompt_tokens": _tokens(usage.get("prompt_tokens")),
        "completion_tokens": _tokens(usage.get("completion_tokens")),
    }


def _kept(text: str, key: str) -> str:
    # Some proxies send back what they were sent. Half a character is kept as its escape, so that it can be stored.
    text = text.replace(key, "[key]") if key else text
    return text.encode("utf-8", "backslashreplace").decode()


def _named(value: Any, key: str) -> str:
    told = _kept(value, key) if isinstance(value, str) else ""
    return told.encode("ascii", "backslashreplace").decode()[:_LONGEST_NAME]


def _tokens(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= 10**12 else None
