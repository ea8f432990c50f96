"""How does one request reach an endpoint, and what comes back?"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

#: an answer that is longer is none
LONGEST = 16 << 20
_BLOCK = 1 << 16


class AskingError(Exception):
    """Why there is no answer; the name of the class is the type under which the vote's error is counted."""


class TimedOut(AskingError):
    """No whole answer within the time."""


class ConnectionFailed(AskingError):
    """Nobody there, or the connection was closed before an answer began."""


class TruncatedAnswer(AskingError):
    """The answer ended before it was whole."""


class MalformedAnswer(AskingError):
    """An answer that is no chat completion."""


class RateLimited(AskingError):
    """HTTP 429."""


class ServerError(AskingError):
    """HTTP 5xx."""


class RefusedRequest(AskingError):
    """Any other status: the endpoint does not take this request, such as a text that is too long."""


#: by the name under which the table of answers keeps them
ERRORS: dict[str, type[AskingError]] = {
    kind.__name__: kind
    for kind in (
        TimedOut,
        ConnectionFailed,
        TruncatedAnswer,
        MalformedAnswer,
        RateLimited,
        ServerError,
        RefusedRequest,
    )
}


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; the names of headers are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Sends one request. Raises TimedOut, ConnectionFailed or TruncatedAnswer where no whole answer came back."""

    def __call__(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Reply: ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the API key, and people's texts, to whomever the answer names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Reply:
    """One POST by the standard library, through the proxy that the environment names; redirects are not followed.

    `timeout` (seconds) holds for the whole answer, so that an endpoint which drips does not hold us.
    """
    request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310 - http or https, checked before
    for name, value in headers.items():
        # Unredirected: urllib passes such headers on to nobody else.
        request.add_unredirected_header(name, value)
    until = time.monotonic() + timeout
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        try:
            reply = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            told = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(int(reply.status or 0), _read(reply, until), told)
    except TimeoutError:
        raise TimedOut from None
    except http.client.IncompleteRead:
        raise TruncatedAnswer from None
    except urllib.error.URLError as error:
        raise (TimedOut if isinstance(error.reason, TimeoutError) else ConnectionFailed) from None
    except (OSError, http.client.HTTPException, ValueError):
        # A ValueError is a header or a length that is none.
        raise ConnectionFailed from None


def _read(reply: Any, until: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while block := reply.read1(_BLOCK):
        parts.append(block)
        size += len(block)
        if size > LONGEST:
            raise TruncatedAnswer
        if time.monotonic() > until:
            raise TimedOut
    if reply.length:
        # read1 does not complain of what was promised and did not come.
        raise TruncatedAnswer
    return b"".join(parts)
