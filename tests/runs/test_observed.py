"""Is every file seen that a stage opens, whoever reads it, and is what nobody saw unknown?"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.csv
import pyarrow.parquet
import pytest

from governance.runs import inotify, observed
from governance.runs.observed import Seen

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has inotify")
BOTH = ("audit hook", "inotify")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project of a few files, and nobody who watches it afterwards."""
    folder = tmp_path / "project"
    (folder / "data/deep").mkdir(parents=True)
    (folder / "labeltrail.toml").write_text('[project]\nname = "small"\n')
    (folder / "words.txt").write_text("good\n")
    pl.DataFrame({"a": [1, 2]}).write_csv(folder / "data/table.csv")
    pl.DataFrame({"a": [1, 2]}).write_parquet(folder / "data/deep/table.parquet")
    yield folder
    observed.end()


@contextlib.contextmanager
def watched(root: Path, seen: list[Seen], **ending: object) -> Iterator[None]:
    """The body of a stage; what was seen is put into `seen`, without what the library reads itself."""
    observed.begin(root)
    yield
    found = observed.end(**ending)
    found.reads.pop("labeltrail.toml", None)
    seen.append(found)


def sees(root: Path, body: Callable[[], object], **ending: object) -> Seen:
    seen: list[Seen] = []
    with watched(root, seen, **ending):
        body()
    return seen[0]


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("words.txt", lambda path: path.read_text()),
        ("words.txt", lambda path: os.close(os.open(path, os.O_RDONLY))),
        ("words.txt", lambda path: open(str(path).encode(), "rb").close()),
        ("words.txt", lambda path: shutil.copy(path, path.parent.parent / "elsewhere.txt")),
    ],
    ids=["pathlib", "os", "bytes", "copied"],
)
def test_what_python_reads_is_seen_by_both(root, path, read):
    """The audit hook and inotify agree on the file and on who saw it."""
    seen = sees(root, lambda: read(root / path))
    assert dict(seen.reads) == {path: BOTH}
    assert (seen.watchers, seen.unseen) == (BOTH, "")


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("data/table.csv", pl.read_csv),
        ("data/table.csv", lambda path: pl.scan_csv(path).collect()),
        ("data/deep/table.parquet", pl.read_parquet),
        ("data/deep/table.parquet", lambda path: pl.scan_parquet(path).collect()),
        ("data/deep/table.parquet", pyarrow.parquet.read_table),
        ("data/table.csv", lambda path: pyarrow.csv.read_csv(str(path))),
        ("words.txt", lambda path: subprocess.run(["cat", path], check=True, capture_output=True)),
    ],
    ids=["read_csv", "scan_csv", "read_parquet", "scan_parquet", "pyarrow_parquet", "pyarrow_csv", "subprocess"],
)
def test_what_native_code_and_subprocesses_read_is_seen(root, path, read):
    """polars, pyarrow and other programs open files of which Python hears nothing; the kernel does."""
    seen = sees(root, lambda: read(root / path))
    assert set(seen.reads) == {path}
    assert "inotify" in seen.reads[path]
    assert not seen.writes


def test_a_file_opened_to_be_read_and_written_is_both(root):
    """inotify sees the writing, and the audit hook how it was opened; one cut off at once was not read."""
    seen = sees(root, lambda: (open(root / "words.txt", "r+").close(), open(root / "data/table.csv", "w+").close()))
    assert dict(seen.reads) == {"words.txt": ("audit hook",)}
    assert dict(seen.writes) == {"words.txt": BOTH, "data/table.csv": BOTH}


def test_relative_and_crooked_paths_are_one_file(root, monkeypatch):
    """However a path is written, the file has one name."""
    monkeypatch.chdir(root / "data")
    seen = sees(
        root, lambda: [open(path).close() for path in ("../words.txt", "deep/../../words.txt", "..//words.txt")]
    )
    assert dict(seen.reads) == {"words.txt": BOTH}


def test_what_is_written_and_stays_is_a_write_and_no_read(root):
    """New files, files written over and appended to, by Python and by native code, also when they are read back."""

    def write() -> None:
        (root / "new.txt").write_text("x")
        (root / "new.txt").read_text()
        with open(root / "words.txt", "w") as stream:
            stream.write("other")
        (root / "words.txt").read_text()
        pl.DataFrame({"a": [1]}).write_csv(root / "native.csv")
        (root / "native.csv").read_text()
        subprocess.run(["cp", "native.csv", "data/copied.csv"], cwd=root, check=True)
        subprocess.run(["sh", "-c", "echo a > data/table.csv"], cwd=root, check=True)
        (root / "data/table.csv").read_text()

    seen = sees(root, write)
    assert set(seen.writes) == {"new.txt", "words.txt", "native.csv", "data/copied.csv", "data/table.csv"}
    assert seen.writes["data/copied.csv"] == seen.writes["native.csv"][-1:] == ("inotify",)
    assert not seen.reads


def test_what_is_gone_in_the_end_is_the_stages_own_business(root):
    """Temporary files leave no trace, neither as reads nor as writes, whoever made them."""

    def pass_by() -> None:
        with tempfile.TemporaryDirectory(dir=root) as folder:
            (Path(folder) / "a.txt").write_text("x")
            pl.DataFrame({"a": [1]}).write_csv(Path(folder) / "b.csv")
            assert (Path(folder) / "b.csv").read_text()
        (root / "c.txt").write_text("x")
        (root / "c.txt").unlink()

    seen = sees(root, pass_by)
    assert (dict(seen.reads), dict(seen.writes)) == ({}, {})


def test_files_in_folders_that_appear_meanwhile_are_writes(root):
    """Nothing in a new folder was there before, so that a look at it in the end is enough."""

    def make() -> None:
        (root / "new/deep").mkdir(parents=True)
        pl.DataFrame({"a": [1]}).write_csv(root / "new/deep/part.csv")
        (root / "new/deep/part.csv").rename(root / "new/deep/whole.csv")
        (root / "new/deep/whole.csv").read_text()
        pl.DataFrame({"a": [1]}).write_csv(root / "new/native.csv")

    seen = sees(root, make)
    assert dict(seen.writes) == {"new/deep/whole.csv": BOTH, "new/native.csv": ("inotify",)}
    assert not seen.reads


def test_a_partial_output_goes_by_the_name_that_it_takes(root):
    """The library's own temporary name is nobody's finding."""
    partial, final = root / "data/.table.17.csv", root / "data/final.csv"
    seen = sees(root, lambda: partial.write_text("x"), becoming={partial: final})
    assert dict(seen.writes) == {"data/final.csv": BOTH}


def test_a_file_moved_away_was_read_and_its_new_name_written(root):
    """Whoever moves a file to an output has taken its content from somewhere."""
    seen = sees(root, lambda: (root / "words.txt").rename(root / "data/output.txt"))
    assert (set(seen.reads), set(seen.writes)) == ({"words.txt"}, {"data/output.txt"})


def test_what_somebody_else_had_open_before_is_not_the_stages(root):
    """A shell's redirection of what we print does not count."""
    with open(root / "log.txt", "w") as log:
        seen = sees(root, lambda: (log.write("a line\n"), log.flush()))
    assert (dict(seen.reads), dict(seen.writes)) == ({}, {})


def test_a_file_that_is_not_there_and_a_folder_that_is_listed_are_not_read(root):
    """Looking is not reading."""

    def look() -> None:
        with contextlib.suppress(FileNotFoundError):
            (root / "absent.txt").read_text()
        assert list(root.rglob("*.csv"))
        os.close(os.open(root / "data", os.O_RDONLY))
        os.stat(root / "words.txt")

    assert not sees(root, look).reads


def test_hidden_folders_and_installed_packages_are_left_out(root):
    """Tools keep their own files where nobody declares them."""
    left_out = [".git/config", ".dvc/x", "venv/lib/a.py", "lib/site-packages/b.py", "small.egg-info/PKG-INFO"]
    for path in (*left_out, "venv/pyvenv.cfg", ".coverage.host.4711.XabcdeYx", ".gitignore", ".env"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    paths = [*left_out, ".coverage.host.4711.XabcdeYx", ".gitignore"]
    # The audit hook hears of a folder's name only, so that another environment is read by another process here.
    seen = sees(root, lambda: subprocess.run(["cat", *paths, ".env"], cwd=root, check=True, capture_output=True))
    assert set(seen.reads) == {".env"}


def test_byte_code_stands_for_its_module(root, monkeypatch):
    """Whether a module was compiled before makes no difference, neither to us nor in a subprocess."""
    (root / "package").mkdir()
    (root / "package/module.py").write_text("WORD = 1\n")
    command = [sys.executable, "-c", "import package.module"]
    for variable in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        monkeypatch.delenv(variable, raising=False)
    first = sees(root, lambda: subprocess.run(command, cwd=root, check=True))
    assert list((root / "package/__pycache__").glob("module.*.pyc"))
    second = sees(root, lambda: subprocess.run(command, cwd=root, check=True))
    assert dict(first.reads) == dict(second.reads) == {"package/module.py": ("inotify",)}
    assert not first.writes
    monkeypatch.syspath_prepend(str(root))
    third = sees(root, lambda: importlib.import_module("package.module"))
    assert dict(third.reads) == {"package/module.py": BOTH}


def test_a_link_into_a_cache_is_watched_where_the_file_lies(root):
    """DVC may keep outputs as links into its cache, which is a hidden folder."""
    cache = root / ".dvc/cache/ab"
    cache.parent.mkdir(parents=True)
    shutil.move(root / "data/table.csv", cache)
    (root / "data/table.csv").symlink_to(cache)
    seen = sees(root, lambda: pl.scan_csv(root / "data/table.csv").collect())
    assert dict(seen.reads) == {"data/table.csv": ("inotify",)}


def test_a_folder_that_is_a_link_is_watched_under_its_name_here(root, tmp_path):
    """Large data often lies on another disk; links in a circle end nothing."""
    (tmp_path / "disk/deep").mkdir(parents=True)
    (tmp_path / "disk/deep/big.csv").write_text("a\n1\n")
    (tmp_path / "disk/deep/back").symlink_to(tmp_path / "disk")
    (root / "big").symlink_to(tmp_path / "disk")
    (root / "data/up").symlink_to(root)
    (root / "nowhere").symlink_to(root / "absent")
    seen = sees(root, lambda: pl.read_csv(root / "big/deep/big.csv"))
    assert set(seen.reads) == {"big/deep/big.csv"}


def test_a_database_is_read_by_whoever_connects(root):
    """SQLite opens its file itself."""
    sqlite3.connect(root / "data/some.db").close()
    connection = sqlite3.connect(root / "data/made.db")
    connection.execute("create table t (x)")
    connection.close()

    def ask() -> None:
        opened = sqlite3.connect(root / "data/made.db")
        assert opened.execute("select count(*) from t").fetchone() == (0,)
        opened.close()

    assert set(sees(root, ask).reads) == {"data/made.db"}


def test_a_stage_that_opens_very_many_files_is_seen_whole(root):
    """Events are taken out of the kernel's queue as they come, so that a stage may open more than it holds."""
    many = root / "many"
    many.mkdir()
    held = min(_queue(), 20_000)
    paths = [many / str(index) for index in range(held + 10)]
    for path in paths:
        path.touch()

    def open_all() -> None:
        # Half of what the queue holds at a time: the last file of one half is seen before the next one begins.
        for start in range(0, len(paths), held // 2):
            part = paths[start : start + held // 2]
            for path in part:
                os.close(os.open(path, os.O_RDONLY))
            deadline = time.monotonic() + 30
            while f"many/{part[-1].name}" not in _kernel_reads():
                assert time.monotonic() < deadline, "nobody empties the queue"
                time.sleep(0.005)

    seen = sees(root, open_all)
    assert (len(seen.reads), seen.unseen) == (len(paths), "")
    assert set(seen.reads.values()) == {BOTH}


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def _kernel_reads() -> set[str]:
    watch = observed._current[0]._inotify
    assert watch is not None
    return watch._seen.read


def _queue() -> int:
    return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


def test_a_queue_that_ran_over_is_unknown(root, monkeypatch):
    """Where the kernel dropped events, what was seen counts and nothing more is claimed."""
    monkeypatch.setattr(inotify.Inotify, "_listen", lambda self: None)
    one, other = root / "words.txt", root / "data/table.csv"

    def open_often() -> None:
        # Equal events that follow each other are one event in the queue, so two files take turns.
        for _ in range(_queue() // 2 + 2):
            os.close(os.open(one, os.O_RDONLY))
            os.close(os.open(other, os.O_RDONLY))

    seen = sees(root, open_often)
    assert seen.unseen == "more files were opened at once than inotify's queue holds"
    assert seen.watchers == ("audit hook",)
    assert set(seen.reads) == {"words.txt", "data/table.csv"}


class Without:
    """A C library whose inotify gives an error, or that has none."""

    def __init__(self, *, start: int | None = None, watch: int | None = None) -> None:
        self._real = ctypes.CDLL(None, use_errno=True)
        self._start, self._watch = start, watch

    def inotify_init1(self, flags: int) -> int:
        if self._start is not None:
            ctypes.set_errno(self._start)
            return -1
        return self._real.inotify_init1(flags)

    def inotify_add_watch(self, *given: object) -> int:
        if self._watch is not None:
            ctypes.set_errno(self._watch)
            return -1
        return self._real.inotify_add_watch(*given)


@pytest.mark.parametrize(
    ("library", "says"),
    [
        (Without(start=24), "inotify could not be started: Too many open files"),
        (Without(watch=28), "No space left on device (see fs.inotify.max_user_watches)"),
        (object(), "this system's C library has no inotify"),
    ],
    ids=["too_many_instances", "too_many_watches", "no_inotify"],
)
def test_where_inotify_cannot_be_had_the_hook_alone_answers(root, monkeypatch, library, says):
    """A limit of the system never fails a run: what native code opens is unknown, and what Python opens is seen."""
    monkeypatch.setattr(inotify.ctypes, "CDLL", lambda *_, **__: library)
    before = descriptors()
    seen = sees(root, lambda: ((root / "words.txt").read_text(), pl.read_parquet(root / "data/deep/table.parquet")))
    assert says in seen.unseen
    assert seen.watchers == ("audit hook",)
    assert seen.reads["words.txt"] == ("audit hook",)
    assert descriptors() == before


def test_another_system_than_linux_is_unknown(root, monkeypatch):
    """The audit hook works everywhere, and says that it is alone."""
    monkeypatch.setattr(inotify.sys, "platform", "darwin")
    seen = sees(root, (root / "words.txt").read_text)
    assert (seen.unseen, dict(seen.reads)) == (inotify.UNSUPPORTED, {"words.txt": ("audit hook",)})


def test_too_many_folders_are_unknown(root, monkeypatch):
    """A stage does not wait until a whole disk has been looked at."""
    monkeypatch.setattr(inotify, "_MOST_FOLDERS", 1)
    assert "more than 1 folders" in sees(root, lambda: None).unseen


def test_a_file_system_that_tells_nothing_is_unknown(root, monkeypatch):
    """Silence is told from nothing to tell by a file that is opened on purpose."""
    monkeypatch.setattr(inotify.Inotify, "_take", lambda self, block: None)
    assert "tells nothing" in sees(root, (root / "words.txt").read_text).unseen


def test_a_fork_takes_nothing_from_its_parent(root):
    """A child that ends its copy of the watch leaves the events to the process that runs the stage."""

    def fork() -> None:
        (root / "words.txt").read_text()
        child = os.fork()
        if child == 0:
            os._exit(0 if observed.end() == Seen() else 1)
        assert os.waitpid(child, 0)[1] == 0

    assert set(sees(root, fork).reads) == {"words.txt"}


def test_nothing_is_left_behind(root):
    """After the watch no thread and no descriptor remains, the hook hears nothing, and ending twice is ending once."""
    before = descriptors()
    assert sees(root, (root / "words.txt").read_text).reads
    assert descriptors() == before
    (root / "words.txt").read_text()
    assert observed.end() == Seen()


def test_equal_work_is_told_equally(root):
    """Two runs of the same body give the same answer, in the same order."""

    def work() -> None:
        for path in (root / "words.txt", root / "data/table.csv"):
            path.read_text()
        pl.read_parquet(root / "data/deep/table.parquet")

    first, second = sees(root, work), sees(root, work)
    assert first == second
    assert list(first.reads) == sorted(first.reads)


@pytest.mark.parametrize("name", [".github_words.txt", ".gitlab-words.csv", ".coverage.words.txt", ".dvcignore2"])
def test_a_file_whose_name_begins_like_that_of_a_tool_is_a_file_of_the_project(root, name):
    """`.gitignore` is known by its whole name."""
    (root / name).write_text("good\n")
    assert name in sees(root, (root / name).read_text).reads
