"""Language models of the tests answer on 127.0.0.1, and no test reaches another address."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from llm_described import DESCRIBED, LLM

from governance.sources.llm.description import LlmDescription, read_llm


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch):
    """A connection to any other address fails the test."""
    real = socket.socket.connect

    def connect(self, address):
        assert isinstance(address, tuple), "only sockets of the internet are expected here"
        assert address[0] == "127.0.0.1", f"a test reached for {address}"
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def described(tmp_path: Path):
    """Writes both descriptions of a source and reads the model's: fields are replaced, or left out where None."""
    import yaml

    def make(name: str = "judge", **fields) -> LlmDescription:
        told = {key: value for key, value in {**LLM, **fields}.items() if value is not None}
        (tmp_path / "llm").mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(DESCRIBED))
        path = tmp_path / f"llm/{name}.yaml"
        path.write_text(yaml.safe_dump(told, sort_keys=False))
        return read_llm(path)

    return make
