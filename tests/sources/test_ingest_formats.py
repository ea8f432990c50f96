"""What other tools export is read whole, and written so that the tool reads it again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.sources.ingest import Gathered, Options, Voter, formats, guess, read, write
from governance.sources.ingest._base import by_example

EXPORTS = Path(__file__).parent / "exports"
FORMATS = {
    "label_studio.json": ("label-studio", Options()),
    "argilla_2.json": ("argilla", Options()),
    "argilla_feedback.json": ("argilla", Options()),
    "crowd.csv": ("crowd", Options()),
    "wide_bom_crlf_quotes.csv": ("csv", Options()),
    "votes_by_row.csv": ("csv", Options()),
}


def said(gathered: Gathered) -> dict[str, list[tuple[str, str, int, object]]]:
    """By id: kind and name of the voter, the repeat, the class or the number of what is none."""
    told = {}
    for name, answers in zip(gathered.ids, by_example(gathered), strict=True):
        told[name] = [
            (gathered.voters[v].kind, gathered.voters[v].name, repeat, gathered.classes[x] if x >= 0 else x)
            for v, repeat, x in answers
        ]
    return told


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_recognised_read_and_written_so_that_it_reads_the_same(name, tmp_path):
    """Ids, annotators, repeats, votes and texts survive read, write, read; the format is told by the content."""
    kind, options = FORMATS[name]
    assert guess(EXPORTS / name) == kind
    first = read(EXPORTS / name, format=kind, options=options)
    again = tmp_path / name
    write(first, again, format=kind)
    assert guess(again) == kind
    assert read(again, format=kind, options=replace(options, classes=first.classes)) == first


def test_annotations_and_predictions_of_label_studio_are_told_apart():
    """Annotators, gold, models, a cancelled annotation, one without a choice, and a task that nobody saw."""
    gathered = read(EXPORTS / "label_studio.json", format="label-studio")
    assert said(gathered) == {
        "11": [("crowd", "7", 0, "good"), ("gold", "jun@example.org", 0, "bad"), ("pretrained", "bert-2", 0, "good")],
        "12": [("crowd", "7", 0, -3), ("crowd", "7", 1, -1)],
        "13": [],
    }
    assert gathered.texts == ('A film that "sings", slowly', "Nothing to say", "日本語\nzwei")
    assert "left out: 1 drafts, which nobody has submitted" in gathered.notes


def test_the_id_of_a_task_may_stand_in_its_data():
    """--id-column names a field of the data."""
    gathered = read(EXPORTS / "label_studio.json", format="label-studio", options=Options(id_column="ref"))
    assert gathered.ids == ("ä/1", "ä/2", "ä/3")


def test_what_is_written_for_label_studio_is_of_its_schema(tmp_path):
    """Each field that the guide lists has the type that it lists."""
    write(read(EXPORTS / "label_studio.json", format="label-studio"), tmp_path / "x.json", format="label-studio")
    for task in json.loads((tmp_path / "x.json").read_text()):
        assert type(task["id"]) is int
        assert isinstance(task["data"], dict)
        for one in task["annotations"]:
            assert isinstance(one["completed_by"], (int, dict))
            assert type(one["was_cancelled"]) is bool
            assert type(one["ground_truth"]) is bool
        for one in (*task["annotations"], *task["predictions"]):
            for item in one["result"]:
                assert item["type"] == "choices"
                assert all(isinstance(choice, str) for choice in item["value"]["choices"])
                assert {"from_name", "to_name"} <= set(item)


def test_responses_and_suggestions_of_argilla_are_told_apart():
    """Submitted, draft and discarded; models and people who suggest; both shapes."""
    assert said(read(EXPORTS / "argilla_2.json", format="argilla")) == {
        "r-1": [("crowd", "u-jun", 0, "bad"), ("crowd", "u-maria", 0, "good"), ("pretrained", "setfit-1", 0, "good")],
        "r-2": [("crowd", "u-jun", 0, -3)],
        "r-3": [],
    }
    assert said(read(EXPORTS / "argilla_feedback.json", format="argilla")) == {
        "r/1": [
            ("crowd", "u-lead", 0, "3"),
            ("crowd", "u-li", 0, -3),
            ("crowd", "u-maria", 0, "4"),
            ("pretrained", "rater", 0, "5"),
        ],
        "r/2": [],
    }


def test_a_worker_may_label_a_task_again():
    """The second label is a repeat, in the order of the file."""
    told = said(read(EXPORTS / "crowd.csv", format="crowd"))
    assert told["t1"] == [("crowd", "w1", 0, "yes"), ("crowd", "w1", 1, "no"), ("crowd", "w2", 0, "no")]
    assert told["t2"] == [("crowd", "w,3", 0, "yes"), ("crowd", "w1", 0, "yes")]


def test_gold_annotators_are_gold():
    """--gold names them, and a name that nobody has is refused."""
    gathered = read(EXPORTS / "crowd.csv", format="crowd", options=Options(gold=("w2",)))
    assert Voter("gold", "w2") in gathered.voters
    with pytest.raises(InvalidRecord, match="annotators of this export"):
        read(EXPORTS / "crowd.csv", format="crowd", options=Options(gold=("nobody",)))


def test_a_matrix_comes_with_its_ids(tmp_path):
    """Ids come from lines, JSON, .npy or a column; the matrix is written and read the same."""
    matrix = np.array([[0, -1], [1, -3]], dtype=np.int8)
    np.save(tmp_path / "m.npy", matrix)
    (tmp_path / "ids.txt").write_text("ä/1\nb\n")
    (tmp_path / "ids.json").write_text('["ä/1", "b"]')
    (tmp_path / "ids.csv").write_text("example_id\nä/1\nb\n")
    np.save(tmp_path / "ids.npy", np.array(["ä/1", "b"]))
    assert guess(tmp_path / "m.npy") == "npy"
    read_in = [
        read(tmp_path / "m.npy", format="npy", options=Options(ids=tmp_path / f"ids.{kind}", sources=("a", "b")))
        for kind in ("txt", "json", "csv", "npy")
    ]
    assert all(one == read_in[0] for one in read_in)
    write(read_in[0], tmp_path / "again.npy", format="npy")
    assert read(tmp_path / "again.npy", format="npy", options=Options(sources=("a", "b"))) == read_in[0]


def test_a_parquet_table_is_read_in_either_form(tmp_path):
    """Numbers and names of classes, and ids that are numbers."""
    pl.DataFrame({"id": [1, 2], "a": [0, None], "b": [1, -1]}).write_parquet(tmp_path / "wide.parquet")
    assert guess(tmp_path / "wide.parquet") == "parquet"
    wide = read(tmp_path / "wide.parquet", format="parquet")
    assert said(wide) == {
        "1": [("heuristic", "a", 0, "0"), ("heuristic", "b", 0, "1")],
        "2": [("heuristic", "b", 0, -1)],
    }
    rows = {"source": ["a", "a"], "example_id": ["x", "x"], "vote": ["no", "yes"], "repeat": [0, 1]}
    pl.DataFrame(rows).write_parquet(tmp_path / "long.parquet")
    long = read(tmp_path / "long.parquet", format="parquet", options=Options(classes=("no", "yes")))
    for name, one in (("wide", wide), ("long", long)):
        write(one, tmp_path / f"{name}_again.parquet", format="parquet")
        options = Options(classes=one.classes)
        assert read(tmp_path / f"{name}_again.parquet", format="parquet", options=options) == one


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(lambda t: t.strip() == t)
IDS = NAMES.filter(lambda text: text not in ("nan", "NaN", "<NA>"))
CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)


@st.composite
def gathered(draw, *, kinds=("crowd",), votes=(0, 1, -1, -2, -3), most=1):
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    voters = sorted((Voter(draw(st.sampled_from(kinds)), name) for name in names), key=lambda v: (v.kind, v.name))
    texts = draw(st.one_of(st.just(()), st.tuples(*(CELLS for _ in ids))))
    rows = []
    for example in range(len(ids)):
        for voter in range(len(voters)):
            many = draw(st.integers(0, most))
            rows += [(example, voter, repeat, draw(st.sampled_from(votes))) for repeat in range(many)]
    for voter in range(len(voters)):
        if not any(row[1] == voter for row in rows):
            rows.append((0, voter, 0, draw(st.sampled_from(votes))))
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
    return Gathered(tuple(ids), texts, ("neg", "pos"), tuple(voters), table, {})


def round_trip(one: Gathered, path: Path, *, format: str, options: Options) -> None:
    """What is written reads as what was written, and as itself when it is written again."""
    write(one, path, format=format)
    first = read(path, format=format, options=options)
    assert (first.ids, first.texts or (), first.classes) == (one.ids, one.texts, one.classes)
    assert said(first) == said(one)
    write(first, path, format=format)
    assert read(path, format=format, options=options) == first


@settings(max_examples=60, deadline=None)
@given(gathered(most=3))
def test_any_crowd_table_comes_back(tmp_path_factory, one):
    """Whatever names, ids, texts and repeats there are."""
    round_trip(one, tmp_path_factory.mktemp("x") / "x.csv", format="crowd", options=Options(classes=("neg", "pos")))


@settings(max_examples=60, deadline=None)
@given(gathered(kinds=("crowd", "gold", "pretrained"), votes=(0, 1, -1)))
def test_any_export_of_label_studio_comes_back(tmp_path_factory, one):
    """Annotators, gold annotators and models."""
    path = tmp_path_factory.mktemp("x") / "x.json"
    options = Options(classes=("neg", "pos"), question="label", id_column="example_id")
    round_trip(one, path, format="label-studio", options=options)


@settings(max_examples=60, deadline=None)
@given(gathered(kinds=("crowd",), votes=(0, 1, -1, -3), most=2))
def test_any_responses_of_argilla_come_back(tmp_path_factory, one):
    """Submitted and discarded, once and again, in both shapes."""
    path, options = tmp_path_factory.mktemp("x") / "x.json", Options(classes=("neg", "pos"), question="label")
    for shape in ("questions", "lists"):
        round_trip(replace(one, layout={"shape": shape}), path, format="argilla", options=options)


BAD = {
    "votes_same_id_twice.csv": (b"example_id,a\nx,0\nx,1\n", r"rows\[1\]\.example_id: .*each example once"),
    "id_nan.csv": (b"example_id,a\nx,0\nnan,1\n", r"rows\[1\]\.example_id: .*an id that is not empty"),
    "id_empty.csv": (b"example_id,a\n,0\n", r"rows\[0\]\.example_id"),
    "id_column_missing.csv": (b"name,a\nx,0\n", r"columns: .*wanted a column 'example_id'"),
    "vote_float.csv": (b"example_id,a\nx,0.5\n", r"rows\[0\]\.a: given '0\.5', wanted a class index"),
    "vote_nan.csv": (b"example_id,a\nx,0\ny,nan\n", r"rows\[1\]\.a: given 'nan'"),
    "class_below_skipped.csv": (b"example_id,a\nx,0\ny,-4\n", r"rows\[1\]\.a: given '-4'"),
    "class_beyond_127.csv": (b"example_id,a\nx,2019\n", r"classes: given 2020"),
    "one_class.csv": (b"example_id,a\nx,0\n", r"classes: given 1, wanted 2 to 127"),
    "row_too_short.csv": (b"example_id,a,b\nx,0,1\ny,1\n", r"rows\[1\]: given '2 cells', wanted 3 cells"),
    "no_rows.csv": (b"example_id,a\n", r"rows: given 0"),
    "only_blank_lines.csv": (b"\n\n", "a line with the names"),
    "column_twice.csv": (b"example_id,a,a\nx,0,1\n", r"columns: given 'a', wanted each column once"),
    "quote_without_end.csv": (b'example_id,a\n"x,0\n', "a whole table"),
    "latin_1.csv": ("example_id,a\nä,0\n".encode("latin-1"), "text in UTF-8"),
    "repeat_twice.csv": (b"example_id,source,vote,repeat\nx,a,0,0\nx,a,1,0\n", "under a repeat of its own"),
    "repeat_float.csv": (b"example_id,source,vote,repeat\nx,a,0,0.5\nx,a,1,1\n", r"rows\[0\]\.repeat: given '0\.5'"),
    "source_missing.csv": (b"example_id,source,vote\nx,a,0\nx,,1\n", r"rows\[1\]\.source"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_table_at_fault_is_refused_whole(fault, tmp_path):
    """Row and column are named, and what was wanted."""
    data, says = BAD[fault]
    (tmp_path / fault).write_bytes(data)
    with pytest.raises(InvalidRecord, match=says):
        read(tmp_path / fault, format="csv")


def test_a_label_that_is_no_class_is_named_with_its_row(tmp_path):
    """The id, which may tell whose it is, is not."""
    (tmp_path / "x.csv").write_text("worker,task,label\nw,secret,yes\nw,secret-2,maybe\n")
    with pytest.raises(InvalidRecord, match=r"rows\[1\]\.label: given 'maybe', wanted one of no, yes") as caught:
        read(tmp_path / "x.csv", format="crowd", options=Options(classes=("no", "yes")))
    assert "secret" not in caught.value.message


def test_rows_at_fault_are_put_aside_whole_and_the_others_come_in(tmp_path):
    """Every row of the file is either read or put aside as it stood."""
    (tmp_path / "x.csv").write_text("example_id,a,b\nx,0,1\ny,7,0\nx,1,1\nz,1\n,0,0\n")
    found = read(tmp_path / "x.csv", format="csv", options=Options(classes=("n", "p"), aside=True))
    assert found.ids == ("x",)
    assert [fault.row for fault in found.faults] == [1, 2, 3, 4]
    assert found.faults[0].record == {"example_id": "y", "a": "7", "b": "0"}


def task(result, **fields) -> list[dict]:
    return [{"id": 1, "data": {"text": "x"}, "annotations": [{"completed_by": 1, "result": result, **fields}]}]


def choice(*names, kind="choices", question="q") -> dict:
    return {"from_name": question, "to_name": "text", "type": kind, "value": {kind: list(names)}}


BAD_TASKS = {
    "multi_label": (task([choice("a", "b")]), "multi-label"),
    "sequence": (task([choice("PER", kind="labels")]), r"a sequence task \(labels\)"),
    "regions": (task([choice("x", kind="rectanglelabels")]), r"another kind of task \(rectanglelabels\)"),
    "two_questions": (task([choice("a"), choice("b", question="r")]), "one question"),
    "nobody_completed_it": (task([choice("a")], completed_by=None), r"rows\[0\]\.annotations\[0\]\.completed_by"),
    "choice_no_text": (task([choice(3)]), "value.choices with one text"),
    "result_no_list": (task([choice("a")]) + task("x"), r"rows\[1\]"),
    "data_missing": ([{"id": 1, "annotations": []}, *task([choice("a")])], r"rows\[0\]\.data"),
    "id_missing": ([{"data": {}, "annotations": []}, *task([choice("a")])], r"rows\[0\]\.id"),
    "same_task_twice": (task([choice("a")]) * 2, "each example once"),
    "annotations_flat": ([{"id": 2, "data": {}, "annotations": "a"}, *task([choice("a")])], r"rows\[0\]\.annotations"),
    "half_a_character": ([*task([choice("a")]), {"id": "\ud800", "data": {}}], r"rows\[1\]\.id"),
}


@pytest.mark.parametrize("fault", BAD_TASKS)
def test_an_export_of_label_studio_at_fault_is_refused(fault, tmp_path):
    """Tasks of another kind are refused by name, everything else by its place."""
    tasks, says = BAD_TASKS[fault]
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    with pytest.raises(InvalidRecord, match=says):
        read(tmp_path / "x.json", format="label-studio", options=Options(classes=("a", "b")))


def record(**fields) -> list[dict]:
    return [{"id": "1", "fields": {"text": "x"}, "responses": {}, "suggestions": {}, **fields}]


BAD_RECORDS = {
    "multi_label": (record(responses={"q": [{"value": ["a", "b"], "user_id": "u"}]}), "multi-label"),
    "spans": (record(responses={"q": [{"value": [{"start": 0}], "user_id": "u"}]}), "a sequence task"),
    "two_questions": (record(responses={"q": [], "r": []}, suggestions={"q": {"value": "a"}, "r": {}}), "one question"),
    "no_user": (record(responses={"q": [{"value": "a", "user_id": None}]}), r"rows\[0\]\.responses\.q\[0\]\.user_id"),
    "status_unknown": (record(responses={"q": [{"value": "a", "user_id": "u", "status": "lost"}]}), "given 'lost'"),
    "value_float": (record(responses={"q": [{"value": 0.5, "user_id": "u"}]}), "a label as text"),
    "responses_a_text": (record(suggestions={"q": {"value": "a"}}, responses="a"), "another shape"),
    "fields_missing": (record(fields=None, suggestions={"q": {"value": "a"}}), r"rows\[0\]\.fields"),
}


@pytest.mark.parametrize("fault", BAD_RECORDS)
def test_records_of_argilla_at_fault_are_refused(fault, tmp_path):
    """Tasks of another kind are refused by name, everything else by its place."""
    records, says = BAD_RECORDS[fault]
    (tmp_path / "x.json").write_text(json.dumps(records))
    with pytest.raises(InvalidRecord, match=says):
        read(tmp_path / "x.json", format="argilla", options=Options(classes=("a", "b")))


@pytest.mark.parametrize("format", ["label-studio", "argilla"])
@pytest.mark.parametrize("text", ['[{"id": 1', "{}", "[1]", "[]", '[{"id": NaN}]', "[" * 100_000, ""])
def test_json_that_is_cut_short_or_of_another_shape_is_refused(format, text, tmp_path):
    """No traceback of a parser reaches anybody."""
    (tmp_path / "truncated.json").write_text(text)
    with pytest.raises(InvalidRecord):
        read(tmp_path / "truncated.json", format=format)


def test_a_matrix_at_fault_is_refused(tmp_path):
    """Floats, objects, a file cut short, another number of ids or of sources, a class out of range."""
    (tmp_path / "ids.json").write_text('["a", "b"]')
    ids = Options(ids=tmp_path / "ids.json")
    faults = {
        "floats": (np.zeros((2, 2)), ids, "matrix"),
        "one_row_too_many": (np.zeros((3, 2), dtype=np.int8), ids, "an id for each of 3 rows"),
        "one_dimension": (np.zeros(2, dtype=np.int8), ids, "rows x sources"),
        "wrong_number_of_sources": (np.zeros((2, 2), dtype=np.int8), replace(ids, sources=("a",)), "each of 2 columns"),
        "class_out_of_range": (np.full((2, 1), 5), replace(ids, classes=("n", "p")), r"rows\[0\]\.column 0: given '5'"),
        "below_skipped": (np.full((2, 1), -4), replace(ids, classes=("n", "p")), r"rows\[0\]\.column 0"),
        "objects": (np.array([[{}], [{}]]), ids, "without objects"),
    }
    for name, (matrix, options, says) in faults.items():
        np.save(tmp_path / f"{name}.npy", matrix, allow_pickle=True)
        with pytest.raises(InvalidRecord, match=says):
            read(tmp_path / f"{name}.npy", format="npy", options=options)
    (tmp_path / "short.npy").write_bytes((tmp_path / "floats.npy").read_bytes()[:-9])
    with pytest.raises(InvalidRecord, match=r"a whole \.npy file"):
        read(tmp_path / "short.npy", format="npy", options=ids)
    with pytest.raises(ConfigurationError, match="whose its rows are"):
        read(tmp_path / "floats.npy".replace("floats", "one_row_too_many"), format="npy")


def test_what_a_format_has_no_place_for_is_refused_and_not_dropped(tmp_path):
    """A crash has no word in Label Studio, a repeat no cell in a matrix."""
    table = np.array([[0, 0, 0, -2]], dtype=np.int64)
    one = Gathered(("x",), (), ("n", "p"), (Voter("crowd", "w"),), table, {})
    for kind in ("label-studio", "argilla"):
        with pytest.raises(InvalidRecord):
            write(one, tmp_path / "x", format=kind)
    twice = replace(one, answers=np.array([[0, 0, 0, 1], [0, 0, 1, 1]], dtype=np.int64))
    with pytest.raises(InvalidRecord):
        write(twice, tmp_path / "x", format="npy")
    assert not list(tmp_path.iterdir())


def test_a_format_that_is_not_known_is_answered_with_those_that_are(tmp_path):
    """What is on the shelf is what can be asked for."""
    assert set(formats()) == {"argilla", "crowd", "csv", "label-studio", "npy", "parquet"}
    with pytest.raises(UnknownName, match="label-studo"):
        read(EXPORTS / "crowd.csv", format="label-studo")
    (tmp_path / "x").write_bytes(b"\x00\x01")
    with pytest.raises(ConfigurationError, match="looks like nothing"):
        guess(tmp_path / "x")
