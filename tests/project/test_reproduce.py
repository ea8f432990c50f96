"""`reproduce`: a recorded run, again, from recorded code and inputs alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file
from small_project import git

from governance.errors import UnknownName
from governance.facts import facts_bytes
from governance.project import Project
from governance.records import Finding, Reproduction
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


def test_a_misspelt_stage_is_answered_with_what_can_be_reproduced(project):
    """No title of a record that is no result."""
    governed = Project.find(project)
    with pytest.raises(UnknownName, match="no result or stage is named 'comit'") as caught:
        governed.reproduce("comit")
    assert caught.value.suggestions == ["count"]
    with pytest.raises(UnknownName, match="no result or stage"):
        governed.reproduce("rows: pass")


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
        ("m.json", '{"a": [1, 0.5]}', '{"a": [1, 0.5000000000001]}', "equal within tolerance", "last digits"),
        ("m.json", '{"a": 0.50}', '{"a": 0.5}', "equal within tolerance", "written otherwise"),
        ("m.json", '{"a": [1, "0.5"]}', '{"a": [1, "0.6"]}', "different", "at .a[1]"),
        ("m.json", '{"a": [1]}', '{"a": [1, 2]}', "different", "items became"),
        ("m.json", '{"a": 1}', '{"b": 1}', "different", "at .a"),
        ("m.json", '{"a": 1}', "{", "different", "cannot be read"),
        ("f.jsonl", '{"a": 1}\n', '{"a": 2}\n', "different", "at [0].a"),
        ("c.md", "a\nb\n", "a\nc\n", "different", "line 2"),
        ("c.md", "a\n", "a\nb\n", "different", "line 2"),
        ("c.md", "a", "a\n", "different", "line 1"),
        (
            "f.jsonl",
            '{"a": "x\u2028y\x85z", "b": 0.5}\n',
            '{"a": "x\u2028y\x85z", "b": 0.50}\n',
            "equal within tolerance",
            "",
        ),
        ("f.jsonl", '{"a": "\u2028", "b": 1}\n', '{"a": "\u2028", "b": 2}\n', "different", "at [0].b"),
        ("f.jsonl", "{}\n", "{}\n{}\n", "different", "1 lines became 2"),
        ("m.json", '{"a": NaN, "b": 0.5}', '{"a": NaN, "b": 0.50}', "equal within tolerance", ""),
        ("m.json", '{"a": NaN}', '{"a": 0.5}', "different", "at .a"),
        ("m.json", '{"a": 1, "a": 2}', '{"a": 2}', "different", "twice"),
        ("m.json", "[" * 100_000, "[" * 99_999, "different", "cannot be read"),
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


ID = 90071992547409931


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("m.json", f'{{"example_id": "{ID}"}}', f'{{"example_id": "{ID + 2}"}}'),
        ("m.json", f'{{"example_id": {ID}}}', f'{{"example_id": {ID + 2}}}'),
        ("m.json", f'{{"example_id": {ID}.0}}', f'{{"example_id": {ID + 2}.0}}'),
        ("m.json", f'{{"example_id": [{ID}.0]}}', f'{{"example_id": [{ID + 2}.0]}}'),
        ("m.json", '{"version": "3.10"}', '{"version": "3.1"}'),
        ("m.json", '{"zip": "007"}', '{"zip": "7"}'),
        ("m.json", '{"ratio": "0.5"}', '{"ratio": "0.5000000000001"}'),
        ("m.json", '{"text": "1e3"}', '{"text": "1000.0"}'),
        ("f.jsonl", '{"n": true}', '{"n": 1}'),
    ],
)
def test_texts_and_ids_that_read_as_near_numbers_are_different(tmp_path, name, one, two):
    """A text is somebody's, whatever it looks like; an id is exact in any type."""
    found = compare(tmp_path, name, one, two)
    assert found[0] == "different", found


def compare(tmp_path: Path, name: str, one: str, two: str) -> tuple[str, str]:
    places = [tmp_path / "one.bin", tmp_path / name]
    for place, text in zip(places, (one, two), strict=True):
        place.write_text(text)
    found = compare_files(*places, id_column="example_id")
    return found.outcome, found.says


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (pl.Series("zip", ["007"]), pl.Series("zip", ["7"]), "column zip, row 0"),
        (pl.Series("zip", [["1.0"]]), pl.Series("zip", [["1.00"]]), "column zip, row 0"),
        (pl.Series("example_id", [str(ID)]), pl.Series("example_id", [str(ID + 2)]), "column example_id, row 0"),
        (pl.Series("example_id", [0.5]), pl.Series("example_id", [0.5 + 1e-15]), "column example_id, row 0"),
        (pl.Series("n", [ID]), pl.Series("n", [ID + 2]), "column n, row 0"),
        (
            pl.Series("p", [float("nan"), 0.5, 0.5]),
            pl.Series("p", [float("nan"), 0.5 + 1e-12, 0.75]),
            "column p, row 2",
        ),
    ],
    ids=["text", "list_of_texts", "id_text", "id_float", "count", "nan_beside_a_difference"],
)
def test_only_floats_of_a_table_have_a_tolerance(tmp_path, was, now, says):
    """Texts, counts and ids have to be equal, and what is no number in both is no difference."""
    for name, series in (("one.parquet", was), ("two.parquet", now)):
        series.to_frame().write_parquet(tmp_path / name)
    found = compare_files(tmp_path / "one.parquet", tmp_path / "two.parquet", id_column="example_id")
    assert (found.outcome, found.says) == ("different", says)


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), None])
def test_a_cell_without_a_number_in_both_leaves_the_last_digits_alone(tmp_path, cell):
    """Also inside of lists."""
    for name, more in (("one.parquet", 0.0), ("two.parquet", 1e-12)):
        frame = pl.DataFrame({"p": [cell, 0.5 + more], "l": [[cell, 0.5], [0.25 + more]]})
        frame.write_parquet(tmp_path / name)
    assert compare_files(tmp_path / "one.parquet", tmp_path / "two.parquet").outcome == "equal within tolerance"


def facts_file(measured: str, says: str) -> str:
    subject = f"dataset:{'0' * 64}"
    found = Finding.make(check="c", subject=subject, outcome="pass", measured=measured, says=says)
    return facts_bytes([found]).decode()


def test_the_decimals_of_records_have_a_tolerance_and_their_texts_have_none(tmp_path):
    """What is a number is known from the type of the record's field."""
    first = facts_file("0.5", "0.5")
    assert compare(tmp_path, "f.jsonl", first, facts_file("0.5000000000001", "0.5"))[0] == "equal within tolerance"
    assert compare(tmp_path, "f.jsonl", first, facts_file("0.5001", "0.5")) == ("different", "at [0].body.measured")
    assert compare(tmp_path, "f.jsonl", first, facts_file("0.5", "0.5000000000001")) == (
        "different",
        "at [0].body.says",
    )


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        ('{{"format": "labeltrail/end-model", "idf": ["{}"]}}', "equal within tolerance"),
        ('{{"format": "labeltrail/end-model", "vocabulary": ["{}"]}}', "different"),
        ('{{"format": "labeltrail/label-model", "state": {{"balance": [["{}"]]}}}}', "equal within tolerance"),
        ('{{"format": "labeltrail/label-model", "state_of_mind": "{}"}}', "different"),
        ('{{"format": "labeltrail/metrics", "metrics": [{{"value": "{}"}}]}}', "equal within tolerance"),
        ('{{"format": "labeltrail/metrics", "metrics": [{{"slice": "{}"}}]}}', "different"),
        ('{{"format": ["labeltrail/metrics"], "metrics": [{{"value": "{}"}}]}}', "different"),
    ],
)
def test_the_documents_of_the_library_have_their_decimals_in_known_places(tmp_path, document, outcome):
    """Elsewhere a text that looks like one is a text."""
    assert compare(tmp_path, "m.json", document.format("0.5"), document.format("0.5000000000001"))[0] == outcome
    assert compare(tmp_path, "m.json", document.format("0.5"), document.format("0.50"))[0] == "different"


def tensors_file(path: Path, **tensors: tuple[str, bytes]) -> Path:
    """Also of types that numpy has not."""
    import safetensors

    sizes = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8, "I64": 8}
    told = {
        name: {"dtype": kind, "shape": [len(data) // sizes[kind]], "data": data}
        for name, (kind, data) in tensors.items()
    }
    header, start = {}, 0
    for name, one in told.items():
        header[name] = {
            "dtype": one["dtype"],
            "shape": one["shape"],
            "data_offsets": [start, start + len(one["data"])],
        }
        start += len(one["data"])
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(one["data"] for one in told.values()))
    assert len(safetensors.deserialize(path.read_bytes())) == len(tensors)
    return path


NAN = float("nan")


@pytest.mark.parametrize(
    ("was", "now", "outcome", "says"),
    [
        (("I64", np.array([2**53 + 1])), ("I64", np.array([2**53 + 7])), "different", "tensor w differs"),
        (("F32", np.array([0.5], "f4")), ("F64", np.array([0.5])), "different", "tensor w is F64, was F32"),
        (("F64", np.array([NAN, 0.5])), ("F64", np.array([NAN, 0.5 + 1e-13])), "equal within tolerance", "last digits"),
        (("F64", np.array([NAN, 0.5])), ("F64", np.array([NAN, 0.75])), "different", "by up to 0.25"),
        (("F64", np.array([NAN, 0.5])), ("F64", np.array([0.5, 0.5])), "different", "where one is not finite"),
        (("F64", np.array([np.inf])), ("F64", np.array([-np.inf])), "different", "where one is not finite"),
        (("BF16", np.array([0x3F80], "u2")), ("BF16", np.array([0x4000], "u2")), "different", "by up to 1"),
        (("BF16", np.array([0x8000], "u2")), ("BF16", np.array([0], "u2")), "equal within tolerance", "last digits"),
    ],
    ids=["integers", "types", "nan", "nan_and_more", "nan_gone", "infinities", "bf16", "bf16_zeros"],
)
def test_tensors_are_compared_by_their_type(tmp_path, was, now, outcome, says):
    """Integers bit by bit, floats of any width within the tolerance, NaN as itself."""
    files = [
        tensors_file(tmp_path / name, w=(kind, values.tobytes()))
        for name, (kind, values) in (("one.safetensors", was), ("two.safetensors", now))
    ]
    found = compare_files(*files)
    assert found.outcome == outcome
    assert says in found.says


def test_weights_that_are_none_cannot_be_read(tmp_path):
    """The library's own error stays behind the door."""
    for name in ("one.safetensors", "two.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    found = compare_files(tmp_path / "one.safetensors", tmp_path / "two.safetensors")
    assert found.outcome == "different"
    assert "cannot be read" in found.says


def test_large_texts_are_compared_in_little_memory(tmp_path):
    """Side by side, line by line."""
    line = b"x" * 99 + b"\n"
    (tmp_path / "one.csv").write_bytes(line * 200_000)
    (tmp_path / "two.csv").write_bytes(line * 199_999 + b"y\n")
    tracemalloc.start()
    try:
        found = compare_files(tmp_path / "one.csv", tmp_path / "two.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.says == "line 200000"
    assert peak < 5_000_000
