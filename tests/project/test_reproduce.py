"""`reproduce`: a recorded run, again, from recorded code and inputs alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file
from small_project import git

from governance.project import Project
from governance.records import Reproduction
from governance.runs.compare import compare_files


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def outcomes(report) -> dict[str, str]:
    return {told["stage"]: told["outcome"] for told in report.data["reproductions"]}


def test_every_stage_comes_out_identical_and_the_trail_says_so(project):
    """Also with DVC's run cache gone; no worktree is left behind."""
    shutil.rmtree(project / ".dvc/cache/runs", ignore_errors=True)
    governed = Project.find(project)
    report = governed.reproduce()
    assert int(report.exit_code) == 0
    assert outcomes(report) == {"make": "identical", "count": "identical"}
    assert [record.outcome for record in governed.facts().of(Reproduction)] == ["identical", "identical"]
    listed = subprocess.run(["git", "worktree", "list"], cwd=project, capture_output=True, text=True, check=True)
    assert len(listed.stdout.strip().split("\n")) == 1
    assert int(governed.verify().exit_code) == 0


def test_an_older_run_is_reproduced_from_its_own_revision(project):
    """Code, parameters and inputs of then, while those of today lie in the folder."""
    governed = Project.find(project)
    old = {result["stage"]: result["result"] for result in governed.reproduce().data["reproductions"]}
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    edit(project, "pipelines/helper.py", "a text", "another text")
    assert int(governed.repro().exit_code) == 0
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    assert outcomes(governed.reproduce()) == {"make": "identical", "count": "identical"}
    for stage, name in old.items():
        assert outcomes(governed.reproduce(name)) == {stage: "identical"}


def test_a_stage_that_something_outside_its_recipe_decides_is_different(project):
    """The first difference is named with its file and its place; exit 3."""
    edit(project, "pipelines/count.py", '{"rows": len(frame)}', '{"rows": __import__("time").time_ns() // 1000}')
    governed = Project.find(project)
    governed.repro()
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    report = governed.reproduce("count")
    assert int(report.exit_code) == 3
    assert outcomes(report) == {"count": "different"}
    assert report.data["reproductions"][0]["says"] == "artifacts/count.json: at .rows"


def test_what_is_missing_makes_it_unable_and_is_named(project):
    """Code that no commit holds, and an input that is nowhere: exit 4, one sentence each."""
    governed = Project.find(project)
    edit(project, "pipelines/count.py", "import json", "import json  # not committed")
    governed.repro()
    report = governed.reproduce("count")
    assert int(report.exit_code) == 4
    assert "no commit holds" in report.data["reproductions"][0]["says"]
    git(project, "checkout", "-q", "--", "pipelines/count.py")
    governed.repro()
    shutil.rmtree(project / ".dvc/cache")
    (project / "artifacts/data/made.parquet").unlink()
    result = next(r for r in governed.facts() if r.kind == "result" and r.stage == "count")
    report = governed.reproduce(result.name)
    assert int(report.exit_code) == 4
    assert "artifacts/data/made.parquet" in report.data["reproductions"][0]["says"]


def test_another_environment_is_named(project, monkeypatch):
    """A distribution that now has another version stands beside the outcome."""
    from governance.project import reproduce
    from governance.records import Distribution
    from governance.runs.runfile import RunFile

    honest = reproduce._run_stage

    def elsewhere(config, scratch, recipe):
        run = honest(config, scratch, recipe)
        others = [
            Distribution.model_validate(
                {"distribution": d.distribution, "version": "0.0" if d.distribution == "polars" else d.version}
            )
            for d in run.recipe.distributions
        ]
        changed = run.recipe.model_copy(update={"distributions": tuple(others), "python": "3.99.0"})
        return RunFile(changed, run.result)

    monkeypatch.setattr(reproduce, "_run_stage", elsewhere)
    told = Project.find(project).reproduce("make").data["reproductions"][0]["environment"]
    assert told[0].startswith("Python was 3.")
    assert [line for line in told if line.startswith("polars was ") and line.endswith("is 0.0")]


FRAME = pl.DataFrame({"example_id": ["a", "b"], "p": [0.25, 0.5], "n": [1, 2]})


def compared(tmp_path: Path, name: str, write_one, write_two) -> tuple[str, str]:
    for folder, write in (("one", write_one), ("two", write_two)):
        (tmp_path / folder).mkdir(exist_ok=True)
        write(tmp_path / folder / name)
    found = compare_files(tmp_path / "one" / name, tmp_path / "two" / name)
    return found.outcome, found.says


@pytest.mark.parametrize(
    ("change", "outcome", "says"),
    [
        (lambda f: f, "identical", ""),
        (lambda f: f.with_columns(p=pl.col("p") + 1e-12), "equal within tolerance", "last digits"),
        (lambda f: f.with_columns(p=pl.Series([0.25, 0.75])), "different", "column p, row 1"),
        (lambda f: f.with_columns(example_id=pl.Series(["a", "somebody"])), "different", "column example_id, row 1"),
        (lambda f: f.head(1), "different", "2 rows became 1"),
        (lambda f: f.drop("n"), "different", "columns"),
        (lambda f: f.with_columns(n=pl.col("n").cast(pl.Int8)), "different", "column n is Int8"),
    ],
    ids=["same", "last_digits", "a_number", "a_text", "a_row", "a_column", "a_type"],
)
def test_tables_are_compared_by_value_and_never_quoted(tmp_path, change, outcome, says):
    """The first difference has a column and a row; a cell's content is nobody's business."""
    found = compared(tmp_path, "t.parquet", FRAME.write_parquet, change(FRAME).write_parquet)
    assert found[0] == outcome
    assert says in found[1]
    assert "somebody" not in found[1]


@pytest.mark.parametrize(
    ("name", "one", "two", "outcome", "says"),
    [
        ("m.json", '{"a": [1, "0.5"]}', '{"a": [1, "0.5000000000001"]}', "equal within tolerance", "last digits"),
        ("m.json", '{"a": [1, "0.5"]}', '{"a": [1, "0.6"]}', "different", "at .a[1]"),
        ("m.json", '{"a": [1]}', '{"a": [1, 2]}', "different", "items became"),
        ("m.json", '{"a": 1}', '{"b": 1}', "different", "at .a"),
        ("m.json", '{"a": 1}', "{", "different", "cannot be read"),
        ("f.jsonl", '{"a": 1}\n', '{"a": 2}\n', "different", "at [0].a"),
        ("c.md", "a\nb\n", "a\nc\n", "different", "line 2"),
        ("c.md", "a\n", "a\nb\n", "different", "line 2"),
    ],
)
def test_json_and_text_name_the_first_place(tmp_path, name, one, two, outcome, says):
    """A path into the JSON, or a line of the text."""
    found = compared(tmp_path, name, lambda p: p.write_text(one), lambda p: p.write_text(two))
    assert found[0] == outcome
    assert says in found[1]


def test_weights_are_compared_by_tensor(tmp_path):
    """Which tensor, and by how much."""
    weights = {"w": np.array([1.0, 2.0]), "b": np.array([0.5])}

    def against(changed):
        return compared(tmp_path, "m.safetensors", lambda p: save_file(weights, p), lambda p: save_file(changed, p))

    assert against(weights)[0] == "identical"
    assert against({**weights, "w": weights["w"] + 1e-13})[0] == "equal within tolerance"
    assert "tensor w differs by up to 0.5" in against({**weights, "w": weights["w"] + 0.5})[1]
    assert "tensors" in against({"w": weights["w"]})[1]
    assert "tensor b is (2,)" in against({**weights, "b": np.zeros(2)})[1]
