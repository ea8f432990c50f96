"""A chat-completions endpoint on 127.0.0.1 that fails on request, and the same answers without a socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from governance.sources.llm.http import Reply


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    """A chat completion that says `text`."""
    message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
    given = {
        "model": "small-1",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": message, "finish_reason": more.pop("finish_reason", "stop")}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22},
    }
    return {**given, **more}


def says(text: str | None, **more: Any) -> Fault:
    """An endpoint that answers so."""
    return Fault(body=json.dumps(completion(text, **more)).encode())


@dataclass(frozen=True)
class Fault:
    """What the endpoint sends: a status with a body, half of what it promises, or nothing until it is let go."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    truncated: bool = False
    hangs: bool = False
    closes: bool = False


#: (the request's body, how many requests came before it) → what is sent
Script = Callable[[dict[str, Any], int], Fault]


def asked_text(body: dict[str, Any]) -> str:
    """The text that a request is about."""
    return body["messages"][-1]["content"].removeprefix("Comment: ")


def by_words(body: dict[str, Any], count: int) -> Fault:
    """Good or bad by the words of the text; a refusal where there is neither."""
    words = set(asked_text(body).split())
    if words & {"good"}:
        return says("Good.")
    return says("bad") if words & {"bad"} else says(None, refusal="I would rather not say.")


@dataclass
class Endpoint:
    """A running server: what it was sent, and where it is."""

    url: str
    port: int
    received: list[tuple[dict[str, Any], dict[str, str]]]


@contextmanager
def serving(script: Script) -> Iterator[Endpoint]:
    """An endpoint that answers by a script until the block ends."""
    received: list[tuple[dict[str, Any], dict[str, str]]] = []
    lock, over = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                count = len(received)
                received.append((body, dict(self.headers.items())))
            sent = script(body, count)
            self.close_connection = True
            if sent.hangs:
                over.wait()
            if sent.closes or sent.hangs:
                return
            self.send_response(sent.status)
            for name, value in sent.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent.body) * (2 if sent.truncated else 1)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(sent.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        port = server.server_address[1]
        yield Endpoint(f"http://127.0.0.1:{port}/v1/chat/completions", port, received)
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class InProcess:
    """The same script as a transport: no socket, no clock."""

    def __init__(self, script: Script) -> None:
        self.script, self.count = script, 0

    def __call__(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Reply:
        sent = self.script(json.loads(body), self.count)
        self.count += 1
        return Reply(sent.status, sent.body, {name.lower(): value for name, value in sent.headers.items()})
