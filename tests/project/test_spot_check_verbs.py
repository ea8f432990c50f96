"""`source ask` and `source take`: what a person is asked, what is taken in of her answers, and what is refused."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord, MissingEvidence
from governance.project import Project
from governance.records import Evaluation
from pipelines.results import evaluated, table


def labeltrail(*arguments, folder):
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def voted(tmp_path, monkeypatch):
    """A project with 60 rows, on which two honest sources and a bad one vote; (project, gold by id)."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    root = tmp_path / "voted"
    root.mkdir()
    (root / "labeltrail.toml").write_text('[project]\nname = "voted"\n')
    gold = {f"r/{i:02d}": ("no", "yes")[i % 2] for i in range(60)}
    lines = ["example_id,text,one,two,bad"]
    for i, (name, label) in enumerate(gold.items()):
        other = "no" if label == "yes" else "yes"
        lines.append(f"{name},text {i},{label},{other if i % 10 == 0 else label},{other}")
    (root / "votes.csv").write_text("\n".join(lines) + "\n")
    done = labeltrail("ingest", "votes.csv", "--text-column", "text", "--classes", "no,yes", folder=root)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr)
    return Project.find(root), gold


def filled(path, label):
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows:
        row["label"] = label(row)
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_answers_become_accuracies_of_the_sources_in_the_report(voted, tmp_path):
    """Asked, filled in, taken: one evaluation with an interval for each source, told by `source report` too."""
    project, gold = voted
    look = tmp_path / "look.csv"
    asked = project.source_ask(look, rows=30, seed=1)
    assert (asked.data["rows"], asked.data["of"]) == (30, 60)
    rows = filled(look, lambda row: gold[row["example_id"]])
    assert {"example_id", "text", "label"} == set(rows[0])
    told = project.source_take(look, by="A. Ode")
    found = {metric["of"]: metric for metric in told.data["metrics"]}
    assert (found["source one"]["value"], found["source bad"]["value"]) == ("1.0", "0.0")
    assert float(found["source bad"]["high"]) < 0.5
    (evaluation,) = project.current_facts().of(Evaluation)
    assert "A. Ode" in evaluation.gold
    (votes,) = [one for one in project.source_report().data["votes"] if len(one["sources"]) == 3]
    assert project.verify().exit_code == 0
    checks = {one["column"]: one["spot_checks"] for one in votes["sources"]}
    assert {column: [check["accuracy"] for check in some] for column, some in checks.items()} == {
        column: [found[f"source {column}"]["value"]] for column in ("one", "two", "bad")
    }
    shown = project.source_report().to_markdown()
    assert "right where gold exists" in shown
    assert "no evaluation of these votes is recorded" not in shown


def test_the_same_seed_asks_the_same_rows_in_any_process(voted, tmp_path):
    """Byte for byte; another seed asks others."""
    project, _ = voted
    project.source_ask(tmp_path / "one.csv", rows=20, seed=3)
    done = labeltrail(
        "source", "ask", str(tmp_path / "two.csv"), "--rows", "20", "--seed", "3", folder=project.config.root
    )
    assert done.returncode == 0, done.stderr
    project.source_ask(tmp_path / "three.csv", rows=20, seed=4)
    one, two, three = ((tmp_path / f"{name}.csv").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three
    assert (tmp_path / "one.csv").stat().st_mode & 0o077 == 0


def test_an_empty_answer_is_skipped_and_told(voted, tmp_path):
    """Whoever cannot say leaves the cell empty; nobody at all is exit 4."""
    project, gold = voted
    look = tmp_path / "look.csv"
    project.source_ask(look, rows=30, seed=1)
    with pytest.raises(MissingEvidence, match="no row has an answer"):
        project.source_take(look)
    filled(look, lambda row: gold[row["example_id"]] if row["example_id"] < "r/40" else " ")
    told = project.source_take(look)
    assert told.data["answers"] + told.data["skipped"] == 30
    assert told.data["skipped"] > 0
    assert any("too high" in str(block) for block in told.blocks)


FAULTS = {
    "an_id_that_was_not_asked": (lambda text: text + "r/x,text,yes\n", "row 31: given 'an id that was not asked'"),
    "the_same_row_twice": (lambda text: text + text.splitlines()[1] + "\n", "row 31: given 'an id that an earlier"),
    "an_unknown_class": (
        lambda text: text.replace(",\n", ",maybe\n"),
        "row 1.label: given 'maybe', wanted one of no, yes",
    ),
    "no_column_label": (lambda text: text.replace("label", "verdict", 1), "columns"),
    "a_text_that_no_cell_takes": (
        lambda text: text.replace("text ", f"{'long ' * 30_000}text ", 1),
        "row 1: given 'field larger than field limit (131072)', wanted cells of up to 131,072 characters",
    ),
    "an_empty_file": (lambda text: "", "columns"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_that_fit_no_question_are_refused_whole(voted, tmp_path, fault):
    """One error that names the line and never the id; nothing is recorded."""
    project, _ = voted
    look = tmp_path / "look.csv"
    project.source_ask(look, rows=30, seed=1)
    change, says = FAULTS[fault]
    look.write_text(change(look.read_text()))
    with pytest.raises(InvalidRecord) as raised:
        project.source_take(look)
    assert says in raised.value.message
    assert "r/" not in raised.value.message
    assert not project.current_facts().of(Evaluation)


def chances(change):
    return lambda plan: plan | {"chances": change(plan["chances"])}


BAD_PLANS = {
    "chances_that_are_null": (chances(lambda told: None), "chances: given None"),
    "chances_by_name": (chances(dict), "chances: given {"),
    "a_chance_alone": (chances(lambda told: ["0.5", *told[1:]]), "chances, pair 1: given 'str'"),
    "a_pair_of_three": (chances(lambda told: [*told[:-1], [*told[-1], "0.5"]]), "chances, pair 5: given 'list'"),
    "an_id_twice": (chances(lambda told: [*told, told[0]]), "chances, pair 6: given 'list'"),
    "a_chance_that_is_no_number": (chances(lambda told: [[told[0][0], "zz"], *told[1:]]), "pair 1: given 'zz'"),
    "a_chance_that_is_null": (chances(lambda told: [[told[0][0], None], *told[1:]]), "pair 1: given None"),
    "a_chance_of_nan": (chances(lambda told: [[told[0][0], "nan"], *told[1:]]), "pair 1: given 'nan'"),
    "a_chance_of_nothing": (chances(lambda told: [[told[0][0], "0.0"], *told[1:]]), "pair 1: given '0.0'"),
    "a_seed_that_is_null": (lambda plan: plan | {"seed": None}, "seed: given None, wanted a whole number"),
    "rows_as_text": (lambda plan: plan | {"rows": "5"}, "rows: given '5', wanted a whole number"),
    "a_list": (lambda plan: [plan], "file: given 'list', wanted the plan of a spot check"),
}


@pytest.mark.parametrize("fault", BAD_PLANS)
def test_a_plan_that_is_none_is_one_error_that_names_its_field(voted, tmp_path, fault):
    """Field, given and wanted, and never an id; nothing is recorded."""
    project, gold = voted
    look, plan = tmp_path / "look.csv", tmp_path / "look.csv.plan.json"
    project.source_ask(look, rows=5, seed=1)
    filled(look, lambda row: gold[row["example_id"]])
    change, says = BAD_PLANS[fault]
    plan.write_bytes(canonical(change(json.loads(plan.read_text()))) + b"\n")
    with pytest.raises(InvalidRecord) as raised:
        project.source_take(look)
    assert says in raised.value.message
    assert not project.current_facts().of(Evaluation)


def test_an_answer_on_a_row_that_the_votes_do_not_hold_is_missing_evidence(voted, tmp_path):
    """The plan and the answers agree, and there is nothing to hold the answer against."""
    project, _ = voted
    look, plan = tmp_path / "look.csv", tmp_path / "look.csv.plan.json"
    project.source_ask(look, rows=5, seed=1)
    told = json.loads(plan.read_text())
    told["chances"][0][0], gone = "r/gone", told["chances"][0][0]
    plan.write_bytes(canonical(told) + b"\n")
    look.write_text(look.read_text().replace(gone, "r/gone"))
    filled(look, lambda row: "yes")
    with pytest.raises(MissingEvidence, match="the votes hold no row for 1 answer"):
        project.source_take(look)


def test_a_spot_check_leaves_the_evaluation_of_the_pipeline_what_it_is(reference, tmp_path):
    """Results, summary and gold tell of the evaluate stage; a second evaluation makes none of them ambiguous."""
    project = Project.find(reference)
    before = table(evaluated(project.current_facts()))
    look = tmp_path / "look.csv"
    project.source_ask(look, rows=20, seed=1)
    filled(look, lambda row: "positive")
    project.source_take(look, by="A. Ode")
    assert len(project.current_facts().of(Evaluation)) == 2
    assert table(evaluated(project.current_facts())) == before
    for module in ("pipelines.results", "pipelines.summary"):
        done = subprocess.run(
            [sys.executable, "-m", module], cwd=reference, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert project.whatif("vader").data["gold"]["says"] == "sign of the mean human rating"


def test_what_cannot_be_asked_or_taken_says_so(voted, tmp_path):
    """Too many rows, a file that is there, a plan that is gone, a file in place of a folder."""
    project, _ = voted
    with pytest.raises(InvalidRecord, match="1 to 60"):
        project.source_ask(tmp_path / "a.csv", rows=61)
    project.source_ask(tmp_path / "a.csv", rows=5)
    with pytest.raises(ConfigurationError, match="there already"):
        project.source_ask(tmp_path / "a.csv", rows=5)
    (tmp_path / "a.csv.plan.json").unlink()
    with pytest.raises(ConfigurationError, match="no such file"):
        project.source_take(tmp_path / "a.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        project.source_ask(tmp_path / "file" / "a.csv", rows=5)


def test_the_verbs_answer_as_data(voted, tmp_path):
    """--json with its version, through the command line."""
    project, gold = voted
    root, look = project.config.root, tmp_path / "look.csv"
    asked = json.loads(labeltrail("source", "ask", str(look), "--rows", "10", "--json", folder=root).stdout)
    assert (asked["schema_version"], asked["verb"], asked["rows"]) == (1, "source ask", 10)
    filled(look, lambda row: gold[row["example_id"]])
    taken = json.loads(labeltrail("source", "take", str(look), "--by", "A", "--json", folder=root).stdout)
    assert (taken["answers"], taken["skipped"], taken["stage"]) == (10, 0, "ingested/spot-check")
