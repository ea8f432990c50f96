"""A line to a server that breaks while a COMMIT is under way: before it arrives, or before its answer does."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path


class BreakingLine:
    """Stands between clients and a PostgreSQL server; `breaks` the next COMMIT "before" the server has it, or "after"."""

    def __init__(self, folder: Path, port: int) -> None:
        name = f".s.PGSQL.{port}"
        self.breaks = ""
        self._server = str(folder / name)
        # A socket's path has to be short.
        self.folder = Path(tempfile.mkdtemp(prefix="line-"))
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / name))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        shutil.rmtree(self.folder)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._server)
            answers = threading.Thread(target=_pump, args=(server, client), daemon=True)
            answers.start()
            while data := client.recv(65536):
                if b"COMMIT\x00" in data and self.breaks:
                    self._break(data, client, server)
                    return
                server.sendall(data)

    def _break(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        broken, self.breaks = self.breaks, ""
        client.shutdown(socket.SHUT_RDWR)
        if broken == "before":
            server.shutdown(socket.SHUT_RDWR)
        else:
            server.sendall(data)
            # The server ends when it reads the end of what we say, and by then it has committed.
            server.shutdown(socket.SHUT_WR)
            while server.recv(65536):
                pass


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
