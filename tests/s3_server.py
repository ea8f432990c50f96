"""An S3 server of our own for the tests: a process on a free local port, with credentials that mean nothing."""

from __future__ import annotations

import itertools
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

# A process of its own: whatever its sockets and threads have to warn of stays with it, and it ends when we do.
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


_NUMBERS = itertools.count(1)


@dataclass
class Bucket:
    """A bucket of the server, by plain HTTP."""

    endpoint: str
    name: str

    @property
    def url(self) -> str:
        """The folder in it that DVC is told."""
        return f"s3://{self.name}/kept"

    def put(self, md5: str, data: bytes) -> None:
        """Puts other bytes in the place of a content."""
        self._asked(self._place(md5), "PUT", data)

    def get(self, md5: str) -> bytes:
        return self._asked(self._place(md5), "GET")

    def delete(self, md5: str) -> None:
        self._asked(self._place(md5), "DELETE")

    def make(self) -> None:
        self._asked(self.name, "PUT")

    def _place(self, md5: str) -> str:
        return f"{self.name}/kept/files/md5/{md5[:2]}/{md5[2:]}"

    def _asked(self, place: str, method: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(f"{self.endpoint}/{place}", data=data, method=method)  # noqa: S310 - ours
        request.add_header("Content-Type", "application/octet-stream")
        # The server asks for a signature and does not check it.
        scope = "Credential=testing/20260101/us-east-1/s3/aws4_request"
        request.add_header("Authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - ours
            return answer.read()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where the server answers."""
    command = [sys.executable, "-W", "ignore", "-c", _SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port.isdigit(), "the S3 server did not start"
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def bucket(s3_endpoint: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, and credentials for it in the environment of whatever a test starts."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no_aws_config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no_aws_credentials"))
    made = Bucket(s3_endpoint, f"bucket-{next(_NUMBERS)}")
    made.make()
    return made
