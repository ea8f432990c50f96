"""The log is published as tiles, step by step, and whatever happens meanwhile a reader finds a whole log."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import warnings
from pathlib import Path

import pytest
from evidence import standalone
from small_facts import finding

from governance.errors import BrokenEvidence, Busy, ConfigurationError, MissingEvidence
from governance.proof import publish as publishing
from governance.proof.folder import Folder, check_folder
from governance.proof.publish import publish
from governance.store import tiles
from governance.store.checkpoint import parse_note
from governance.store.database import Database
from governance.store.trail import Trail

verify_py = standalone()


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Four to a tile instead of 256: a small log has tiles of three levels."""
    for module in (tiles, verify_py):
        monkeypatch.setattr(module, "WIDTH", 4)
    for module in ("governance.proof.folder",):
        monkeypatch.setattr(f"{module}.WIDTH", 4)


def codes(folder: Path, trail: Trail) -> set[int]:
    """What both verifiers answer with the log's key at hand."""
    key = bytes.fromhex(trail.start().public_key or "")
    state = check_folder(Folder(folder), key=key).checks[0].state
    return {{"fine": 0, "broken": 3, "unknown": 4}[state], verify_py.verify(verify_py.read_folder(folder), key=key)[0]}


def grow(trail: Trail, size: int) -> None:
    trail.append([finding(1000 + i) for i in range(trail.size(), size)])


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path: (data, (folder / path).stat().st_mtime_ns) for path, data in Folder(folder).items()}


def test_a_log_that_grows_is_published_step_by_step(trail, tmp_path):
    """At each size both verifiers find it whole; no file is ever written twice, and the second time nothing is done.

    Only partial tiles whose full tile is there are taken away, and all of them.
    """
    folder = tmp_path / "published"
    removed: set[str] = set()

    def short(level: str, *numbers: int) -> set[str]:
        return {f"tile/{level}/{number:03}.p/{width}" for number in numbers for width in (1, 2, 3)}

    for size in range(5, 24):
        grow(trail, size)
        before = state(folder) if folder.is_dir() else {}
        done = publish(trail, folder)
        after = state(folder)
        same = {path for path in before if path in after and path != "checkpoint"}
        removed |= set(before) - set(after)
        assert done.removed == len(set(before) - set(after))
        assert all(before[path] == after[path] for path in same)
        assert done.checkpoint.size == size
        assert (done.written, done.kept) == (len(after) - 1 - len(same), len(same))
        assert codes(folder, trail) == {0}
        again = publish(trail, folder)
        assert (again.written, again.removed) == (0, 0)
        assert state(folder) == after
    assert {"tile/0/004", "tile/1/001.p/1", "tile/2/000.p/1"} <= set(after)
    assert removed == {"tile/1/000.p/1", "tile/1/000.p/2", "tile/1/000.p/3", *short("0", 1, 2, 3, 4)} | {
        path.replace("tile/0", "tile/entries") for path in short("0", 1, 2, 3, 4)
    }


def test_an_entry_too_long_for_a_bundle_is_published_where_it_has_room(trail, tmp_path):
    """Its bundle lies below tile/large and is told; both verifiers read it, also after it stood in a short bundle."""
    folder = tmp_path / "published"
    assert publish(trail, folder).large == ()
    trail.append([finding(7).model_copy(update={"says": "x" * 70_000})])
    assert publish(trail, folder).large == ("tile/large/001.p/2",)
    assert "tile/entries/001.p/1" in Folder(folder)
    assert codes(folder, trail) == {0}
    (folder / "tile/large/001.p/2").unlink()
    assert codes(folder, trail) == {3}


def other_log(tmp_path: Path) -> Trail:
    (tmp_path / "other").mkdir()
    made = Trail.open("sqlite:///.labeltrail/trail.db", root=tmp_path / "other", project="other", create=True)
    grow(made, 9)
    return made


def test_a_folder_of_another_log_is_refused_and_left_alone(trail, tmp_path):
    """Exit 3 and not one byte of it changed."""
    folder = tmp_path / "published"
    publish(other_log(tmp_path), folder)
    before = state(folder)
    with pytest.raises(BrokenEvidence, match="earlier state of this log"):
        publish(trail, folder)
    assert state(folder) == before


def test_a_folder_of_a_longer_history_is_refused_and_left_alone(trail, tmp_path):
    """A store that was taken back publishes nothing over what was published since, not even without its checkpoint."""
    folder = tmp_path / "published"
    older = (tmp_path / ".labeltrail/trail.db").read_bytes()
    grow(trail, 9)
    publish(trail, folder)
    trail.database.close()
    (tmp_path / ".labeltrail/trail.db").write_bytes(older)
    rolled_back = Trail(Database("sqlite:///.labeltrail/trail.db", root=tmp_path, create=False), trail.log)
    before = state(folder)
    with pytest.raises(BrokenEvidence, match="9 entries"):
        publish(rolled_back, folder)
    assert state(folder) == before
    (folder / "checkpoint").unlink()
    with pytest.raises(BrokenEvidence, match="tile/"):
        publish(rolled_back, folder)


def test_a_folder_of_another_history_of_the_same_log_is_refused(trail, tmp_path):
    """Two stores that went on from one copy cannot publish to one folder."""
    folder = tmp_path / "published"
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / ".labeltrail/trail.db").read_bytes())
    grow(trail, 7)
    publish(trail, folder)
    split = Trail(Database(f"sqlite:///{copy}", root=tmp_path, create=False), trail.log)
    split.append([finding(1), finding(50), finding(51), finding(52)])
    before = state(folder)
    with pytest.raises(BrokenEvidence, match="tile/"):
        publish(split, folder)
    assert state(folder) == before


@pytest.mark.parametrize("change", ["flip", "cut", "longer", "tile of another place"])
def test_a_tile_that_was_changed_is_refused_and_not_mended(trail, tmp_path, change):
    """Whoever changed what was published is not covered up by publishing again."""
    folder = tmp_path / "published"
    grow(trail, 9)
    publish(trail, folder)
    place = folder / "tile/0/001"
    data = place.read_bytes()
    changed = {
        "flip": bytes([data[0] ^ 1]) + data[1:],
        "cut": data[:-1],
        "longer": data + b"\0",
        "tile of another place": (folder / "tile/0/000").read_bytes(),
    }[change]
    place.write_bytes(changed)
    with pytest.raises(BrokenEvidence, match="tile/0/001"):
        publish(trail, folder)
    assert place.read_bytes() == changed
    assert codes(folder, trail) == {3}


def test_what_is_no_part_of_a_published_log_is_not_published_among(trail, tmp_path):
    """A foreign file, a link, a link to a folder, a file where a folder should be: one error, and nothing is written."""
    hostile = {
        "a foreign file": lambda folder: (folder / "index.html").write_text("x"),
        "a hidden file": lambda folder: (folder / ".htaccess").write_text("x"),
        "a link": lambda folder: (folder / "checkpoint").symlink_to(tmp_path / "somewhere"),
        "a linked folder": lambda folder: (folder / "tile").symlink_to(tmp_path),
        "a file for a folder": lambda folder: (folder / "tile").write_text("x"),
        "a pipe": lambda folder: os.mkfifo(folder / "checkpoint"),
    }
    for name, lay in hostile.items():
        folder = tmp_path / name
        folder.mkdir()
        lay(folder)
        before = sorted(Folder(folder))
        with pytest.raises(ConfigurationError, match="no part of a published log"):
            publish(trail, folder)
        assert sorted(Folder(folder)) == before
        assert codes(folder, trail) == {3}
    place = tmp_path / "a file"
    place.write_text("x")
    for folder in (place, tmp_path / "no" / "such"):
        with pytest.raises(ConfigurationError, match="cannot be published to"):
            publish(trail, folder)
    (tmp_path / "a folder for a file/tile/0/000").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="former checkpoint"):
        publish(trail, tmp_path / "a folder for a file")


def test_a_log_without_entries_is_not_published(trail, tmp_path):
    """There is nothing that a checkpoint could be over."""
    empty = Trail(trail.database, "0" * 32)
    with pytest.raises(MissingEvidence, match="no entry yet"):
        publish(empty, tmp_path / "published")


def readers_find(folder: Path) -> None:
    """Everything that the checkpoint there promises, as a C2SP reader fetches it."""
    if not (folder / "checkpoint").is_file():
        return
    size = parse_note((folder / "checkpoint").read_text()).size
    level, count = 0, size
    while count:
        for kind in (str(level), "entries")[: 2 if level == 0 else 1]:
            for number in range(-(-count // 4)):
                width = min(4, count - 4 * number)
                path, full = (folder / tiles.tile_path(kind, number, w) for w in (width, 4))
                # "MAY delete any partial tile once the corresponding full tile is available"
                assert path.is_file() or full.is_file()
        level, count = level + 1, count // 4


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_refuses_is_one_error_and_the_next_time_all_is_well(trail, tmp_path, monkeypatch, fault):
    """Full, read-only, forbidden or failing, at each write: readers keep a whole log, and publishing again mends it."""
    whole = publishing.write_atomically
    for allowed in range(9):
        folder = tmp_path / f"published-{allowed}"
        monkeypatch.setattr(publishing, "write_atomically", whole)
        publish(trail, folder)
        grow(trail, trail.size() + 3)
        left = allowed

        def refusing(path, data, **more):
            nonlocal left
            if left == 0:
                raise OSError(fault, os.strerror(fault), str(path))
            left -= 1
            whole(path, data, **more)

        monkeypatch.setattr(publishing, "write_atomically", refusing)
        try:
            publish(trail, folder)
        except ConfigurationError as error:
            assert os.strerror(fault) in error.message
            assert "again" in (error.hint or "")
            readers_find(folder)
        else:
            break
        monkeypatch.setattr(publishing, "write_atomically", whole)
        publish(trail, folder)
        assert codes(folder, trail) == {0}
    assert allowed >= 3


def forked() -> int:
    """A child that does nothing with the threads of its parent, of which newer Pythons warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_a_child(work) -> int:
    """Runs it in a process of its own and answers how that ended."""
    child = forked()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Busy:
            code = 5
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def opened(tmp_path: Path, log: str) -> Trail:
    return Trail(Database("sqlite:///.labeltrail/trail.db", root=tmp_path, create=False), log)


@pytest.mark.parametrize("call", ["replace", "fsync", "unlink"])
def test_killed_at_any_moment_it_is_whole_for_readers_and_the_next_time_for_all(trail, tmp_path, call):
    """SIGKILL before each rename, each flush and each removal in turn; half-written files are swept up afterwards."""
    log = trail.log
    folder = tmp_path / "published"
    publish(trail, folder)
    grow(trail, 18)
    trail.database.close()
    original = getattr(os, call)
    killed = 0
    for allowed in range(60):
        root = tmp_path / f"{call}-{allowed}"
        shutil.copytree(folder, root)

        def dying(allowed=allowed, root=root):
            left = allowed

            def counted(*arguments, **more):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return original(*arguments, **more)

            setattr(os, call, counted)
            publish(opened(tmp_path, log), root)

        ended = in_a_child(dying)
        readers_find(root)
        publish(opened(tmp_path, log), root)
        assert codes(root, trail) == {0}
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
    assert killed >= (1 if call == "unlink" else 8)
    assert ended == 0


def test_who_publishes_while_somebody_else_does_is_told_to_wait(trail, tmp_path):
    """One at a time; the other one is busy and has changed nothing."""
    folder = tmp_path / "published"
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="somebody else"):
            publish(trail, folder)
        assert list(folder.iterdir()) == []
    finally:
        os.close(held)
    assert publish(trail, folder).written == 5


def test_many_at_once_leave_a_whole_log(trail, tmp_path):
    """Four processes publish again and again while the log grows; what comes last is whole and of the longest log."""
    log, folder = trail.log, tmp_path / "published"
    trail.database.close()
    children = []
    for _ in range(4):
        child = forked()
        if child == 0:
            code = 1
            try:
                for _ in range(6):
                    mine = opened(tmp_path, log)
                    mine.append([finding(os.getpid() * 100 + mine.size())])
                    with contextlib.suppress(Busy):
                        publish(mine, folder)
                    mine.database.close()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert codes(folder, trail) == {0}
    publish(trail, folder)
    assert codes(folder, trail) == {0}
    assert parse_note((folder / "checkpoint").read_text()).size == trail.size() == 5 + 24
