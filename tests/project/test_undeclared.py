"""Is what was seen of a stage compared rightly with what dvc.yaml lists?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from governance.config import read_config
from governance.dvc.files import read_stages
from governance.project.undeclared import Judged, judge_stage
from governance.runs.runfile import read_run

HOOK, KERNEL = ["audit hook"], ["inotify"]


def judged(
    root: Path, *, reads: dict[str, Any] | None = None, writes: dict[str, Any] | None = None, others: bool = False
) -> Judged:
    """The second stage, as if these files had been seen while it ran."""
    opened = {"reads": reads or {}, "writes": writes or {}, "unseen": "", "others": others}
    run = read_run(root / "artifacts/runs/count.json")
    return judge_stage(read_config(root), read_stages(root)["count"], run, opened, by=[*HOOK, *KERNEL])


def declare(root: Path, was: str, now: str) -> None:
    text = (root / "dvc.yaml").read_text()
    assert was in text
    (root / "dvc.yaml").write_text(text.replace(was, now))


@pytest.mark.parametrize(
    "path",
    [
        *("labeltrail.toml", "params.yaml", "dvc.yaml", "dvc.lock"),
        *("artifacts/runs/count.json", "artifacts/facts/count.jsonl"),
        *("artifacts/data/made.parquet", "pipelines/__init__.py"),
    ],
)
def test_what_the_library_reads_what_is_declared_and_what_is_empty_passes(project, path):
    """None of these is a finding, neither read by Python nor seen by inotify alone."""
    assert judged(project, reads={path: HOOK}).finding.outcome == "pass"
    assert judged(project, reads={path: KERNEL}).finding.outcome == "pass"


def test_a_dependency_that_is_written_is_undeclared_and_an_output_that_is_read_is_not(project):
    """Only outputs may be written."""
    found = judged(
        project, reads={"artifacts/count.json": HOOK}, writes={"pipelines/count.py": HOOK, "artifacts/count.json": HOOK}
    )
    assert (found.reads, found.writes) == ((), ("pipelines/count.py",))


@pytest.mark.parametrize("spelled", ["data", "data/", "./data", "data/deep/..", "data/deep/x.csv"])
def test_a_folder_is_declared_however_it_is_spelled(project, spelled):
    """A folder covers what lies in it, and a longer name that begins alike is another one."""
    (project / "data/deep").mkdir(parents=True)
    declare(project, "deps: [pipelines/count.py,", f"deps: [pipelines/count.py, {spelled},")
    found = judged(project, reads={"data/deep/x.csv": HOOK, "data2/x.csv": HOOK, "data.csv": KERNEL})
    assert found.reads == ("data.csv", "data2/x.csv")


def test_a_file_that_only_shares_a_place_in_the_cache_is_told_apart_where_its_name_was_heard(project):
    """Equal files are links to one; the audit hook knows which of them was opened, and inotify does not."""
    cache = project / ".dvc/cache/files/md5/of_a_link"
    cache.mkdir(parents=True)
    (cache / "cd").write_text("same")
    for name in ("declared.txt", "other.txt"):
        (project / name).symlink_to(cache / "cd")
    declare(project, "deps: [pipelines/count.py,", "deps: [pipelines/count.py, declared.txt,")
    assert judged(project, reads={"declared.txt": HOOK}).reads == ()
    assert judged(project, reads={"other.txt": KERNEL}).reads == ()
    assert judged(project, reads={"other.txt": HOOK}).reads == ("other.txt",)


def test_a_declared_file_by_its_other_name_in_the_project_is_declared(project):
    """A link to a declared file leads to what DVC looks at."""
    (project / "latest.py").symlink_to("pipelines/count.py")
    assert judged(project, reads={"latest.py": HOOK}).reads == ()


def test_a_file_of_parameters_is_declared_as_one(project):
    """DVC looks at whatever file its parameters name."""
    (project / "other.yaml").write_text("least: 1\n")
    assert judged(project, reads={"other.yaml": HOOK}).reads == ("other.yaml",)
    declare(
        project,
        "params: [seed, threads]\n    outs: [artifacts/count",
        "params: [seed, threads, other.yaml: [least]]\n    outs: [artifacts/count",
    )
    assert judged(project, reads={"other.yaml": HOOK}).reads == ()


@pytest.mark.parametrize(
    ("listed", "missing"), [("[threads]", ("seed",)), ("[params.yaml: ]", ()), ("[]", ("seed", "threads"))]
)
def test_seed_and_threads_are_parameters_of_every_stage(project, listed, missing):
    """Every recipe holds them, so that DVC has to look at them wherever params.yaml sets them."""
    declare(project, "params: [seed, threads]\n", f"params: {listed}\n")
    assert judged(project).parameters == tuple(f"params.yaml:{name}" for name in missing)


def test_paths_that_dvc_computes_are_unknown(project):
    """Templates of dvc.yaml are DVC's own to read."""
    declare(project, "artifacts/count.json, artifacts/facts", "'artifacts/${name}.json', artifacts/facts")
    found = judged(project, reads={"words.txt": HOOK}).finding
    assert (found.outcome, found.measured) == ("unknown", None)
    assert "dvc.yaml computes its paths" in found.says


def test_beside_a_reader_what_inotify_alone_saw_is_nobodys(project):
    """Unknown with the way out, and no file is named; nothing undeclared passes all the same."""
    found = judged(project, reads={"a.txt": KERNEL, "b.txt": KERNEL}, writes={"c.txt": KERNEL}, others=True)
    assert (found.finding.outcome, found.reads, found.writes) == ("unknown", (), ())
    assert "LabelTrail itself was used in the project meanwhile, and 3 files" in found.finding.says
    assert "labeltrail repro --force" in found.finding.says
    assert "a.txt" not in found.finding.says
    assert judged(project, reads={"pipelines/count.py": KERNEL}, others=True).finding.outcome == "pass"


def test_beside_a_reader_what_python_was_heard_to_open_is_still_the_stages(project):
    """The audit hook hears the stage's own process and nobody else."""
    found = judged(project, reads={"a.txt": HOOK, "b.txt": KERNEL, "c.txt": [*HOOK, *KERNEL]}, others=True)
    assert (found.finding.outcome, found.reads) == ("fail", ("a.txt", "c.txt"))
    assert "There may be more: LabelTrail itself was used" in found.finding.says
