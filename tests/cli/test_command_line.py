"""The command line: quick, plain and the same everywhere."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from governance.cli import app as app_room
from governance.errors import ConfigurationError
from governance.project import Project

HEAVY = ("torch", "sklearn", "polars", "pandera", "sqlalchemy", "sqlmodel", "dvc", "numpy", "jinja2", "yaml")


def labeltrail(*arguments, folder=None, **settings):
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **settings)


@pytest.mark.parametrize("arguments", [["--help"], ["why", "--help"], ["repro", "--help"], ["key", "rotate", "--help"]])
def test_help_imports_no_heavy_package(arguments):
    """Whatever help does not need it does not import."""
    code = (
        "import sys\nsys.argv = ['labeltrail', *sys.argv[1:]]\nfrom governance.cli import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "Usage: labeltrail" in done.stdout
    assert done.stdout.rstrip().endswith("HEAVY []")


def test_every_verb_has_help_with_an_example():
    """Help says what a verb does, its exit codes and one command to copy."""
    listed = labeltrail("--help").stdout
    verbs = [
        "init",
        "repro",
        "sync",
        "status",
        "doctor",
        "log",
        "show",
        "trace",
        "diff",
        "why",
        "source",
        "card",
        "audit",
        "attest",
        "verify",
        "checkpoint",
        "bundle",
        "challenge",
        "adopt",
        "reproduce",
        "replay",
    ]
    for verb in verbs:
        assert f"  {verb} " in listed
        told = labeltrail(verb, "--help").stdout
        assert "Example: " in told
        assert "labeltrail" in told.partition("Example: ")[2]
    assert "3 integrity broken" in " ".join(listed.split())


def test_a_misspelt_verb_is_answered_with_the_right_one():
    """Exit 2 and the nearest verb."""
    done = labeltrail("stauts")
    assert done.returncode == 2
    assert "status" in done.stderr


def test_outside_a_project_every_verb_says_the_same(tmp_path):
    """Exit 2, one sentence, and how to make a project."""
    for verb in (
        ["status"],
        ["log"],
        ["verify"],
        ["reproduce"],
        ["repro"],
        ["why", "x"],
        ["trace", "x"],
        ["diff", "x"],
        ["card"],
        ["audit"],
        ["sync"],
        ["replay", "x"],
    ):
        done = labeltrail(*verb, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "is not a LabelTrail project" in done.stderr
        assert "labeltrail init" in done.stderr
    told = json.loads(labeltrail("status", "--json", folder=tmp_path).stdout)
    assert (told["error"], told["exit_code"]) == ("NotAProject", 2)


@pytest.mark.parametrize("verb", ["status", "doctor"])
def test_a_folder_that_is_not_there_is_named(tmp_path, verb):
    """Exit 2, and no word of a project that would have to be made."""
    done = labeltrail("-C", str(tmp_path / "elsewhere"), verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert "elsewhere: there is no such folder" in done.stderr
    assert "labeltrail init" not in done.stderr


def test_a_project_elsewhere_is_reached_with_c(project):
    """-C works as git's does."""
    assert labeltrail("-C", str(project), "verify").returncode == 0


def test_a_store_that_is_not_ours_is_one_error(project):
    """Exit 2 for a foreign file where the store should be, and the file is left alone."""
    store = project / ".labeltrail/trail.db"
    store.write_text("dear diary")
    done = labeltrail("log", folder=project)
    assert done.returncode == 2
    assert "not a LabelTrail store" in done.stderr
    assert store.read_text() == "dear diary"


def test_repro_tells_progress_on_stderr_and_the_answer_on_stdout(project):
    """A pipe gets the table, the terminal the progress."""
    done = labeltrail("repro", folder=project)
    assert done.returncode == 0
    assert "unchanged" in done.stdout
    assert "make unchanged" in done.stderr
    told = json.loads(labeltrail("repro", "--json", folder=project).stdout)
    assert told["stages"] == {"make": "unchanged", "count": "unchanged"}


def test_a_reader_that_stops_listening_is_no_error(project):
    """`labeltrail log | head` ends quietly."""
    command = f"{sys.executable} -m governance log --all --json | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_no_colour_reaches_a_pipe(project):
    """Tables in a pipe are plain text, every cell whole."""
    done = labeltrail("log", folder=project)
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout


@pytest.mark.parametrize("command", ["log --all --json | head -n 1", "verify | true", "audit --help | head -n 1"])
def test_a_closed_pipe_never_reads_as_a_verdict(project, command):
    """Whoever stops listening gets no traceback; the exit code is the shell's own for a closed pipe, or the answer's."""
    script = f"set -o pipefail; {sys.executable} -m governance {command}"
    done = subprocess.run(["bash", "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_a_description_cannot_steer_a_terminal_or_become_a_link(project):
    """Control characters are shown as what they are, and Markdown of a stranger stays text."""
    helper = project / "pipelines/make.py"
    evil = "x\\x1b[2J\\u202e[a](javascript:alert(1))"
    helper.write_text(helper.read_text().replace('title="made"', f'title="{evil}"'))
    assert labeltrail("repro", folder=project).returncode == 0
    for answer in (
        labeltrail("log", folder=project),
        labeltrail("log", "--md", folder=project),
        labeltrail("show", "dataset", folder=project),
    ):
        assert "\x1b" not in answer.stdout
        assert "\u202e" not in answer.stdout
    assert "[a](javascript" not in labeltrail("log", "--md", folder=project).stdout


def test_errors_as_data_hold_facts_and_nothing_else(project):
    """`--json` of an error: its class, its sentence, its hint, its facts."""
    told = json.loads(labeltrail("show", "nothing-like-this", "--json", folder=project).stdout)
    facts = {"error", "message", "hint", "what", "given", "suggestions"}
    assert set(told) == {"schema_version", "verb", "exit_code"} | facts
    assert told["verb"] == "show"


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [
        (["-C", "log", "show", "nothing-like-this", "--json"], "show"),
        (["subject", "find", "--json"], "subject find"),
        (["audit", "--as-of", "yesterday", "--json"], "audit"),
    ],
)
def test_an_error_as_data_names_the_verb_that_was_asked_for(monkeypatch, arguments, verb):
    """As its answer would have, also of a verb in a group, and where a folder is called as a verb is."""
    monkeypatch.setattr(sys, "argv", ["labeltrail", *arguments])
    assert app_room._verb() == verb


def test_a_day_that_is_none_is_named_as_it_was_given(project):
    """`audit --as-of`: the option, not the name of a parameter inside."""
    done = labeltrail("audit", "--as-of", "yesterday", folder=project)
    assert done.returncode == 2
    assert "--as-of" in done.stderr
    assert "as_of" not in done.stderr


def test_what_is_no_archive_is_no_broken_bundle(project, tmp_path):
    """A wrong file name is exit 2 with the way out; an archive that was cut short stays exit 3."""
    (tmp_path / "README.md").write_text("# Not evidence\n")
    done = labeltrail("verify", str(tmp_path / "README.md"), folder=project)
    assert done.returncode == 2
    assert "is no bundle and no challenge" in done.stderr
    assert labeltrail("bundle", str(tmp_path / "e.zip"), folder=project).returncode == 0
    whole = (tmp_path / "e.zip").read_bytes()
    for cut in (len(whole) // 2, 30, 3, 0):
        (tmp_path / "cut.zip").write_bytes(whole[:cut])
        assert labeltrail("verify", str(tmp_path / "cut.zip"), folder=project).returncode == 3, cut


def test_evidence_that_is_there_is_not_overwritten_unasked(project, tmp_path):
    """Exit 2 before the log says anything; with --force it is; the same verify.py may be there."""
    target, verifier = tmp_path / "e.zip", tmp_path / "verify.py"
    asked = ["bundle", str(target), "--verifier", str(verifier)]
    assert labeltrail(*asked, folder=project).returncode == 0
    first, size = target.read_bytes(), Project.find(project).trail.size()
    done = labeltrail(*asked, folder=project)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert (target.read_bytes(), Project.find(project).trail.size()) == (first, size)
    assert labeltrail(*asked, "--force", folder=project).returncode == 0
    assert target.read_bytes() != first
    with pytest.raises(ConfigurationError, match="is there already"):
        Project.find(project).challenge(target, seed="s")
    target.unlink()
    verifier.write_text("# another one")
    with pytest.raises(ConfigurationError, match=r"verify\.py is there already"):
        Project.find(project).bundle(target, verifier=verifier)


def test_a_folder_nobody_may_write_and_a_file_for_a_folder_are_one_error(tmp_path):
    """What the operating system refuses is said in one sentence, exit 2."""
    (tmp_path / "file").write_text("x")
    for arguments in (["-C", str(tmp_path / "file"), "status"], ["-C", str(tmp_path / "file"), "init"]):
        done = labeltrail(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_the_version_is_told():
    """`labeltrail --version`."""
    from governance import __version__

    assert labeltrail("--version").stdout == f"labeltrail {__version__}\n"
