"""Does the check name what is undeclared, and say `unknown` where not everything was seen?"""

from __future__ import annotations

from governance.checks import undeclared_files

SUBJECT = "recipe:" + "0" * 64


def test_undeclared_files_are_counted_and_named_in_order():
    """Two files fail a limit of none, whatever order they were seen in."""
    files = {"words.txt": "read", "pipelines/more.py": "imported"}
    found = undeclared_files.check(files, "vote", subject=SUBJECT)
    assert (found.outcome, found.measured, found.limit) == ("fail", "2.0", "0.0")
    assert found.says == (
        "Stage vote uses what dvc.yaml does not list: pipelines/more.py (imported), words.txt (read)."
    )
    assert undeclared_files.check(dict(reversed(files.items())), "vote", subject=SUBJECT) == found


def test_many_files_are_named_in_part():
    """Ten names are enough to go and look."""
    found = undeclared_files.check({f"{n:04}.txt": "read" for n in range(1234)}, "vote", subject=SUBJECT)
    assert found.measured == "1234.0"
    assert "0009.txt (read) and 1,224 more." in found.says
    assert "0010.txt" not in found.says


def test_nothing_undeclared_passes_only_where_everything_was_seen():
    """What could not be seen leaves no pass, and takes nothing from what was seen."""
    assert undeclared_files.check({}, "vote", subject=SUBJECT).outcome == "pass"
    unseen = undeclared_files.check({}, "vote", subject=SUBJECT, unseen="the queue ran over")
    assert (unseen.outcome, unseen.measured) == ("unknown", None)
    assert "the queue ran over" in unseen.says
    some = undeclared_files.check({"a": "read"}, "vote", subject=SUBJECT, unseen="the queue ran over")
    assert (some.outcome, some.measured) == ("fail", "1.0")
    assert some.says.endswith("There may be more: the queue ran over.")


def test_what_may_be_another_process_is_said_to_be():
    """Where nobody can tell who opened a file, the sentence does not pretend to."""
    heard = undeclared_files.check({"a": "read"}, "vote", subject=SUBJECT)
    seen = undeclared_files.check({"a": f"opened {undeclared_files.WHILE}"}, "vote", subject=SUBJECT)
    assert "another process" in seen.says
    assert "another process" not in heard.says
