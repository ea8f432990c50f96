"""A script that nobody edited is recorded whole, computes the same, and ends as it would have."""

from __future__ import annotations

import re

import pytest
from watching.scripts import (
    AGAIN,
    DOORS,
    HANGING,
    HANGING_ELSEWHERE,
    HEAD,
    KILLED,
    MAJORITY,
    PARALLEL,
    SHUFFLED,
    TWICE,
    asked,
    captured,
    facts,
    plain,
    project_with,
)

from governance.errors import InvalidRecord
from governance.project import Project
from governance.records import Dataset, Execution, Finding, LabelModel, Labels, Model, Recipe, Result, Source, Votes


def test_a_script_gives_the_same_bytes_and_its_own_exit_code(trained):
    """Votes, probabilities, weights and the next random numbers of Python, numpy and torch; exit code 7."""
    _, done, alone = trained
    assert re.fullmatch(r"[0-9a-f]{64}\n", done.stdout)
    assert (done.stdout, done.returncode) == (alone.stdout, alone.returncode) == (alone.stdout, 7)


def test_everything_that_a_script_did_with_votes_is_recorded(trained):
    """Six sources, the rows, the votes, the label model with its seed, the labels and what learned them."""
    folder, done, _ = trained
    known = facts(folder)
    assert [source.title for source in known.of(Source)] == ["good", "great", "bad", "awful", "bad_again", "fragile"]
    dataset, votes, labels = known.one(Dataset), known.one(Votes), known.one(Labels)
    assert (dataset.rows, votes.rows, labels.rows) == (300, 300, 300)
    assert (votes.dataset, labels.votes) == (dataset.name, votes.name)
    model, learner = known.one(LabelModel), known.one(Model)
    assert (model.parameters["seed"], model.parameters["seed_origin"]) == ("7", "given")
    assert learner.labels == labels.name
    assert learner.architecture == "sklearn.pipeline.Pipeline"
    assert learner.trained_on["rows on which a source votes"] == labels.covered
    recipe = known.one(Recipe)
    assert [ref.path for ref in recipe.code] == ["train.py"]
    assert '"train.py"' in recipe.parameters["argv"]
    from governance.project import Project

    (execution,) = Project.find(folder).facts().of(Execution)
    assert execution.measured["exit code"] == "7.0"
    assert "recorded captured/train" in done.stderr


def test_what_raises_or_times_out_is_an_error_in_its_exact_number(trained):
    """Never an abstention: by type, as the texts themselves say."""
    folder, _, _ = trained
    import polars as pl

    texts = pl.read_parquet(folder / "artifacts/captured/train/data.parquet")["text"]
    (part,) = [part for part in facts(folder).one(Votes).sources if part.column == "fragile"]
    wanted = {
        "raised TimeoutError": int(texts.str.starts_with("great").sum()),
        "raised ValueError": int(texts.str.starts_with("good").sum()),
    }
    assert part.error_types == wanted
    assert part.errors == sum(wanted.values()) > 0


def test_the_first_run_ends_with_what_its_owner_wants_to_know(trained):
    """Two sources that vote alike and one that fails."""
    _, done, _ = trained
    assert "bad and bad_again share 100.0 % of their rows" in done.stderr
    assert "fragile failed on" in done.stderr


def test_the_verbs_work_on_a_captured_run_in_a_project_without_a_pipeline(trained):
    """Status, verify, trace and why; what each source added sums to the label's log-odds."""
    folder, _, _ = trained
    assert [stage["state"] for stage in asked(folder, "status")["stages"]] == ["recorded"]
    assert asked(folder, "verify")["exit_code"] == 0
    assert asked(folder, "trace", "model")["exit_code"] == 0
    told = asked(folder, "why", "r/3")
    added = sum(float(vote["contribution"]) for vote in told["votes"])
    assert float(told["prior"]) + added == pytest.approx(float(told["log_odds"]), abs=1e-9)
    assert float(told["log_odds"]) == pytest.approx(float(told["recorded_log_odds"]), abs=1e-4)
    assert len(told["store"]["commitments"]) == 3
    with pytest.raises(InvalidRecord, match="one whose evidence adds up"):
        Project.find(folder).explainer()


def test_a_captured_label_model_is_asked_frozen_and_is_not_fitted_again(trained):
    """What its tables say without a source is told, and what its library would learn anew is unknown: exit 4."""
    folder, _, _ = trained
    told = asked(folder, "whatif", "good")
    assert told["exit_code"] == 4
    assert told["frozen"]["changed"] > 0
    assert "is not fitted again here" in told["refitted"]["unknown"]
    spread = asked(folder, "blast", "good")
    assert spread["touched"]["rows"] >= spread["decisive"]["changed"] == told["frozen"]["changed"]


def test_rows_that_the_parallel_applier_put_in_index_order_end_with_3(tmp_path):
    """On a shuffled frame, with the reason; why refuses such a row too."""
    folder = project_with(tmp_path, parallel=PARALLEL)
    done = captured(folder, "parallel.py")
    assert done.returncode == 3, done.stderr
    assert "the votes stand in the order of the frame's index" in done.stderr
    assert [f.outcome for f in facts(folder).of(Finding) if f.check == "alignment"] == ["fail"]


def test_twenty_shuffles_of_the_serial_applier_raise_no_alarm(tmp_path):
    """Each of them is proved to be aligned."""
    folder = project_with(tmp_path, shuffled=SHUFFLED)
    done = captured(folder, "shuffled.py")
    assert done.returncode == 0, done.stderr
    told = [f.outcome for f in facts(folder).of(Finding) if f.check == "alignment"]
    assert told == ["pass"] * 20


def test_a_block_under_capture_is_recorded_and_a_majority_is_counted(tmp_path):
    """`why` counts the votes of a majority voter."""
    folder = project_with(tmp_path, majority=MAJORITY)
    done = plain(folder, "majority.py")
    assert done.returncode == 0, done.stderr
    assert [result.stage for result in facts(folder).of(Result)] == ["captured/counted"]
    told = asked(folder, "why", "r/3")
    assert told["unit"] == "votes"
    assert sum(float(vote["contribution"]) for vote in told["votes"]) == float(told["log_odds"])


@pytest.mark.parametrize("door", DOORS)
def test_a_process_records_itself_by_either_other_door(tmp_path, door):
    """One line before anything votes, or a decorator: the same record as under `labeltrail run`."""
    folder = project_with(tmp_path, doors=DOORS[door])
    done = plain(folder, "doors.py")
    assert done.returncode == 0, done.stderr
    assert [result.stage for result in facts(folder).of(Result)] == ["captured/counted"]
    (votes,) = facts(folder).of(Votes)
    assert [f.outcome for f in facts(folder).of(Finding) if f.check == "alignment"] == ["pass"]
    assert len(votes.sources) == len(facts(folder).of(Source)) > 1


def test_a_door_opens_twice_in_one_process_and_not_at_all_where_the_command_watches(tmp_path):
    """Two blocks are two runs; under `labeltrail run` the same script is one, its own."""
    folder = project_with(tmp_path, twice=TWICE)
    done = plain(folder, "twice.py")
    assert done.returncode == 0, done.stderr
    assert {result.stage for result in facts(folder).of(Result)} == {"captured/first", "captured/second"}
    done = captured(folder, "twice.py")
    assert done.returncode == 0, done.stderr
    assert "recorded captured/twice" in done.stderr


def test_a_script_that_ran_again_gave_the_same_result(tmp_path):
    """One recipe, with the script itself in it, one result and two executions; nothing speaks of a difference."""
    folder = project_with(tmp_path, again=AGAIN)
    for _ in range(2):
        done = captured(folder, "again.py")
        assert done.returncode == 0, done.stderr
    from governance.project import Project

    known = Project.find(folder).facts()
    (recipe,), (result,) = known.of(Recipe), known.of(Result)
    assert [ref.path for ref in recipe.code] == ["again.py"]
    assert {execution.result for execution in known.of(Execution)} == {result.name}
    assert len(known.of(Execution)) == 2
    assert not [finding for finding in known.of(Finding) if finding.check == "reproduction"]


def test_a_script_that_is_ended_from_outside_is_not_recorded(tmp_path):
    """SIGTERM is 143, as a shell says it."""
    folder = project_with(tmp_path, killed=KILLED)
    done = captured(folder, "killed.py")
    assert done.returncode == 143
    assert "nothing was captured" in done.stderr
    assert not (folder / "artifacts").exists()


def test_a_script_that_ends_in_an_error_is_not_recorded(tmp_path):
    """Its exit code is its own."""
    text = f"{HEAD}\nPandasLFApplier(functions).apply(frame, progress_bar=False)\n"
    folder = project_with(tmp_path, broken=text)
    done = captured(folder, "broken.py")
    assert done.returncode == 1
    assert "ValueError: not this one" in done.stderr
    assert "nothing of it is recorded" in done.stderr or "nothing was captured" in done.stderr
    assert not (folder / "artifacts").exists()


def test_a_function_that_hangs_is_an_error_where_somebody_asked_for_a_limit(tmp_path):
    """In its exact number, as the texts say; the script goes on, the limit is a parameter, its other errors stay."""
    import polars as pl

    folder = project_with(tmp_path, hanging=HANGING)
    done = plain(folder, "hanging.py")
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    texts = pl.read_parquet(folder / "artifacts/captured/limited/data.parquet")["text"]
    parts = {part.column: part for part in facts(folder).one(Votes).sources}
    hung = int(texts.str.starts_with("film").sum())
    assert parts["hangs"].error_types == {"raised TimeoutError (limit 0.02 s)": hung}
    assert (parts["hangs"].errors, parts["hangs"].abstained) == (hung, 300 - hung)
    assert parts["fragile"].error_types["raised TimeoutError"] == int(texts.str.starts_with("great").sum())
    assert facts(folder).one(Recipe).parameters["time limit"] == "0.02"
    assert [f.outcome for f in facts(folder).of(Finding) if f.check == "alignment"] == ["pass"]


def test_a_limit_that_cannot_hold_in_other_threads_is_told(tmp_path):
    """The functions of a parallel applier run without it, and the record says that it did not hold."""
    folder = project_with(tmp_path, hanging=HANGING_ELSEWHERE)
    done = plain(folder, "hanging.py")
    assert done.returncode == 0, done.stderr
    told = [f.says for f in facts(folder).of(Finding) if f.outcome == "unknown"]
    assert any("in another thread than the main one, where no time limit holds" in says for says in told), told
