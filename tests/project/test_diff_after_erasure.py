"""`diff` across an erasure: what was taken out is told as where the difference began, once it can be the reason."""

from __future__ import annotations

import people_project
from small_project import git

from governance.project import Project
from governance.records import Erasure


def erase(root, person="author-bert"):
    report = Project.find(root).subject_erase(person)
    assert report.exit_code == 0, report.to_markdown()
    git(root, "commit", "--allow-empty", "-qam", "erased")
    return report.data["entry"]


def again(root, **asked):
    report = Project.find(root).repro(**asked)
    assert report.exit_code == 0, report.to_markdown()
    return Project.find(root)


def test_what_runs_again_after_an_erasure_names_it_as_where_it_began(people):
    """The file that nobody made lost rows; the next stage names the same, and both name entry, record and counts."""
    entry = erase(people)
    project = again(people, force=True)
    erasure = project.facts().one(Erasure)
    for stage, files in (
        ("read", {"data/posts.csv": 2, "artifacts/posts.parquet": 2, "artifacts/lengths.jsonl": 2}),
        ("mark", {"artifacts/posts.parquet": 2, "artifacts/marks.parquet": 2}),
    ):
        report = project.diff(stage)
        assert report.exit_code == 0, report.data["unknown"]
        assert [(one["stage"], one["says"]) for one in report.data["began"]] == [
            ("read", [f"input data/posts.csv lost 2 rows, erased by entry {entry}"])
        ]
        (one,) = report.data["erased"]
        assert one == {"entry": entry, "erasure": erasure.name, "at": erasure.at, "files": files}
        assert f"entry {entry}, an erasure, took rows out of what the earlier run read or made" in report.to_markdown()
        assert "author-bert" not in report.to_markdown()


def test_an_edit_after_the_erasure_is_told_beside_it(people):
    """A post that somebody added later is a change of its own: both are named."""
    entry = erase(people)
    kept = [row for row in people_project.POSTS if row[1] != "author-bert"]
    kept = [(number, author, "", text) for number, author, _, text in kept]
    later = ("post-0008", "author-erik", "", "a post that came later")
    (people / "data/posts.csv").write_text(people_project.csv_of([*kept, later]))
    (began,) = again(people).diff("read").data["began"]
    assert began["says"] == [
        f"input data/posts.csv lost 2 rows, erased by entry {entry}",
        "input data/posts.csv changed",
    ]


def test_code_that_changed_after_the_erasure_is_told_beside_it(people):
    """Only what has to run again runs; its input is what the erasure left of the very content it read before."""
    entry = erase(people)
    marked = (people / "pipelines/mark.py").read_text()
    (people / "pipelines/mark.py").write_text(marked.replace("str.len_bytes()", "str.len_chars()"))
    project = again(people)
    assert project.diff("mark").data["began"][0]["stage"] == "mark"
    (began,) = project.diff("mark").data["began"]
    assert began["says"][1:] == [f"input artifacts/posts.parquet lost 2 rows, erased by entry {entry}"]
    assert began["says"][0].startswith("code pipelines/mark.py: ")
    makers = [one["made_by"] for one in project.diff("mark").data["inputs"] if one["path"].endswith("posts.parquet")]
    assert len({*makers[0].values()}) == 1


def test_an_erasure_that_came_after_both_runs_is_no_reason_for_what_differs_between_them(people):
    """Two runs of before differ by a post that was taken back; erasing its author later explains nothing of that."""
    before = Project.find(people).diff("read").data
    entry = erase(people, "author-dora")
    told = Project.find(people).diff("read").data
    assert not told["erased"]
    assert told["began"] == before["began"]
    assert f"erased by entry {entry}" in str(told["effect"]["outputs"])


def test_an_erasure_between_other_runs_is_not_told_of_later_ones(people):
    """Two runs that both came after it have nothing of it."""
    erase(people)
    again(people, force=True)
    kept = [(number, author, "", text) for number, author, _, text in people_project.POSTS if author != "author-bert"]
    (people / "data/posts.csv").write_text(people_project.csv_of(kept[:-1]))
    project = again(people)
    told = project.diff("read").data
    assert not told["erased"]
    assert [one["says"] for one in told["began"]] == [["input data/posts.csv changed"]]


def test_two_erasures_are_both_named(people):
    """Each with its own entry and its own rows."""
    first, second = erase(people), erase(people, "author-anna")
    told = again(people, force=True).diff("read").data
    assert [(one["entry"], one["files"]["data/posts.csv"]) for one in told["erased"]] == [(first, 2), (second, 2)]
    assert told["began"][0]["says"] == [f"input data/posts.csv lost 4 rows, erased by entries {first} and {second}"]
