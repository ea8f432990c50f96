from __future__ import annotations

import json
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from governance import labelmodels
from governance.checks.metrics import METRICS
from governance.digest import decimal, file_digest
from governance.facts import facts_bytes, read_facts
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.endmodel import load_model
from governance.labelmodels.explain import explain
from governance.parquet import content_digest, write_table
from governance.records import Dataset, Evaluation, Finding, LabelModel, Labels, Model, Predictions, Source, Votes
from governance.runs import read_run
from governance.votes.analysis import vote_counts
from governance.votes.table import VoteTable, read_votes, write_votes
from pipelines import combine, evaluate, train

PARAMS = {
    "seed": 7,
    "threads": 1,
    "combine": {
        "fit_domains": [],
        "balance": None,
        "strength": 20,
        "diagonal": 0.7,
        "prior_chosen_on": "nothing",
        "tolerance": 1e-9,
        "max_iterations": 500,
        "coverage_limit": 0.5,
        "copies_shared": 0.8,
        "copies_agreement": 0.95,
        "one_voice": False,
        "differs_limit": 0.2,
        "believable": 0.98,
    },
    "train": {
        "domain": "home",
        "token_pattern": r"(?u)\b\w+\b",
        "longest_ngram": 1,
        "min_documents": 1,
        "l2": 1e-3,
        "max_iterations": 200,
    },
    "evaluate": {
        "split": "test",
        "length_limits": [12],
        "most_voting": 3,
        "resamples": 20,
        "bins": 4,
        "latency_texts": 3,
        "ece_limit": 0.05,
        "fall_limit": 0.1,
        "believable": 0.98,
    },
}
WORDS = (("awful", "sad", "dire", "grim"), ("lovely", "glad", "fine", "bright"))
SOURCES = ("first", "second", "third", "silent")


def make_source(title: str) -> Source:
    return Source.make(
        title=title,
        source_kind="heuristic",
        version="1",
        fingerprint="0" * 64,
        summary="a made-up source",
        owner="tests",
        origin="tests",
        licence_declared="Apache-2.0",
        licence_found="Apache-2.0",
        collection="made up",
        personal_data=False,
        contamination=[{"domain": "home", "reason": "made up"}] if title == "first" else [],
    )


def make_examples(rows: int = 360) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    gold = rng.integers(0, 2, rows)
    domain = np.where(np.arange(rows) % 3 == 0, "away", "home")
    # The other domain speaks another language: what is learned at home cannot help there.
    texts = [
        " ".join(rng.choice(WORDS[y], 2)) + (" x" * int(n)) if d == "home" else f"mot{int(n)}"
        for y, d, n in zip(gold, domain, rng.integers(0, 6, rows), strict=True)
    ]
    return pl.DataFrame(
        {
            "example_id": [f"{d}/{i}" for i, d in enumerate(domain)],
            "domain": domain.tolist(),
            "text": texts,
            "gold": pl.Series(gold, dtype=pl.Int8),
            "split": rng.choice(["train", "valid", "test"], rows, p=[0.6, 0.1, 0.3]).tolist(),
        }
    )


def make_votes(examples: pl.DataFrame) -> VoteTable:
    rng = np.random.default_rng(5)
    gold = examples["gold"].to_numpy()
    columns = []
    for accuracy in (0.9, 0.8, 0.75):
        vote = np.where(rng.random(len(gold)) < accuracy, gold, 1 - gold)
        columns.append(np.where(rng.random(len(gold)) < 0.6, vote, rng.choice([-1, -2], len(gold))))
    columns.append(np.full(len(gold), -1))
    names = tuple(make_source(title).name for title in SOURCES)
    return VoteTable(
        examples["example_id"], SOURCES, names, ("negative", "positive"), np.stack(columns, 1).astype("i1")
    )


def lay_down(
    root: Path, *, params=PARAMS, examples: pl.DataFrame | None = None, votes: VoteTable | None = None
) -> None:
    """A project in which collect, screen and vote have run."""
    examples = make_examples() if examples is None else examples
    votes = make_votes(examples) if votes is None else votes
    data, vote_path, facts = root / "artifacts/data/screened.parquet", root / "artifacts/votes/votes.parquet", {}
    (root / "labeltrail.toml").write_text('[project]\nname = "test"\n')
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    write_table(examples, data)
    write_votes(votes, vote_path)
    dataset = Dataset.make(
        title="screened",
        role="screened",
        sha256=file_digest(data),
        content=content_digest(examples),
        rows=len(examples),
        columns=[{"name": n, "dtype": str(t)} for n, t in examples.schema.items()],
    )
    facts["screen"] = [dataset]
    stated = Votes.make(
        title="votes", dataset=dataset.name, sha256=file_digest(vote_path), content="1" * 64, **vote_counts(votes),
        revoted=1, revoted_differently=0,
    )  # fmt: skip
    facts["vote"] = [*(make_source(title) for title in SOURCES), stated]
    (root / "artifacts/facts").mkdir(exist_ok=True)
    for stage, records in facts.items():
        (root / f"artifacts/facts/{stage}.jsonl").write_bytes(facts_bytes(records))


def run(root: Path, *stages) -> None:
    with chdir(root):
        for stage in stages or (combine, train, evaluate):
            stage.main()


def facts_of(root: Path, stage: str):
    return read_facts(root / f"artifacts/facts/{stage}.jsonl")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    lay_down(root)
    run(root)
    return root


@pytest.fixture
def project(finished, tmp_path) -> Path:
    root = tmp_path / "project"
    shutil.copytree(finished, root)
    return root


def with_param(stage: str, field: str, value):
    changed = {key: dict(value) if isinstance(value, dict) else value for key, value in PARAMS.items()}
    if value is ...:
        del changed[stage][field]
    else:
        changed[stage][field] = value
    return changed


def table_of(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / f"artifacts/{name}.parquet")


def test_labels_hold_what_the_model_and_majority_say(finished):
    """Every row of labels is what the saved model and a count of votes say of that example."""
    labels = table_of(finished, "labels/labels")
    votes = read_votes(finished / "artifacts/votes/votes.parquet")
    model = labelmodels.load(finished / "artifacts/labels/label_model.json")
    assert isinstance(model, DawidSkene)
    assert labels.columns == ["example_id", "covered", "majority", "label", "p_negative", "p_positive", "log_odds"]
    assert labels["example_id"].to_list() == votes.ids.to_list()
    assert 0 < labels["covered"].sum() < len(labels)
    for row, vote in zip(labels.iter_rows(named=True), votes.matrix, strict=True):
        ones, zeros = int((vote == 1).sum()), int((vote == 0).sum())
        assert row["covered"] == (ones + zeros > 0)
        assert row["majority"] == (-1 if ones == zeros else int(ones > zeros))
        told = explain(model, vote)
        assert row["label"] == told.label
        assert row["log_odds"] == pytest.approx(told.log_odds, abs=1e-12)
        assert row["p_negative"] + row["p_positive"] == pytest.approx(1)
        if row["covered"]:
            odds = abs(np.log(row["p_positive"]) - np.log(row["p_negative"]))
            assert odds == pytest.approx(row["log_odds"], abs=1e-9)
            assert told.prior + sum(part.log_odds for part in told.contributions) == pytest.approx(odds, abs=1e-9)
        else:
            assert row["p_positive"] == pytest.approx(model.balance_[1])


def test_the_records_of_combine_say_what_the_files_hold(finished):
    """Counts, digests, balance and tables of the records are those of the files."""
    facts = facts_of(finished, "combine")
    model, labels = facts.one(LabelModel), facts.one(Labels)
    saved = labelmodels.load(finished / "artifacts/labels/label_model.json")
    assert isinstance(saved, DawidSkene)
    frame = table_of(finished, "labels/labels")
    assert model.sha256 == file_digest(finished / "artifacts/labels/label_model.json")
    assert labels.sha256 == file_digest(finished / "artifacts/labels/labels.parquet")
    assert labels.content == content_digest(frame)
    covered = frame.filter("covered")
    assert (labels.rows, labels.covered) == (len(frame), len(covered))
    assert labels.classes == {
        "negative": int((covered["label"] == 0).sum()),
        "positive": int((covered["label"] == 1).sum()),
    }
    assert labels.differs_from_majority == int((covered["label"] != covered["majority"]).sum()) > 0
    assert labels.label_model == model.name
    assert model.balance == tuple(decimal(b) for b in saved.balance_)
    assert [part.column for part in model.learned] == [title for title in SOURCES if title != "silent"]
    assert float(model.learned[0].confusion[1][0]) == pytest.approx(saved.confusion_[0, 1, 0])
    votes = read_votes(finished / "artifacts/votes/votes.parquet")
    for part in model.learned:
        cast = votes.matrix[:, votes.columns.index(part.column)]
        rows = np.flatnonzero(cast >= 0)
        believed = saved.predict_proba(votes)[rows, cast[rows]]
        assert float(part.accuracy) == pytest.approx(believed.mean())
    assert model.parameters["prior_chosen_on"] == "nothing"


def test_combine_finds_the_source_that_never_votes(finished):
    """The silent source fails its check by name, and the other questions pass."""
    found = {finding.check: finding for finding in facts_of(finished, "combine").of(Finding)}
    assert found["silence"].outcome == "fail"
    assert "silent never votes" in found["silence"].says
    assert {name for name, finding in found.items() if finding.outcome == "pass"} == {
        "coverage",
        "near_copies",
        "convergence",
        "differs",
    }


def test_the_end_model_predicts_from_its_files_what_was_evaluated(finished):
    """Predictions are those of the two saved files, row by row, and count as the record counts."""
    model = load_model(finished / "artifacts/models/model.safetensors", finished / "artifacts/models/model.json")
    examples, predictions = table_of(finished, "data/screened"), table_of(finished, "evaluation/predictions")
    assert predictions.columns == ["example_id", "prediction", "p_negative", "p_positive"]
    assert predictions["example_id"].to_list() == examples["example_id"].to_list()
    proba = model.predict_proba(examples["text"].to_list())
    assert (predictions.select("p_negative", "p_positive").to_numpy() == proba).all()
    assert predictions["prediction"].to_list() == proba.argmax(axis=1).tolist()
    record = facts_of(finished, "train").one(Model)
    assert (record.weights, record.bytes) == (
        model.weights,
        (finished / "artifacts/models/model.safetensors").stat().st_size,
    )
    labels = table_of(finished, "labels/labels")
    home = examples.join(labels, on="example_id").filter(
        (pl.col("domain") == "home") & (pl.col("split") == "train") & pl.col("covered")
    )
    assert record.trained_on["home"] == len(home)
    assert record.trained_on["labelled positive"] == int((home["label"] == 1).sum())


def test_training_never_sees_gold(project):
    """Turning every gold label around changes neither labels nor model, byte for byte."""
    before = {
        name: file_digest(project / f"artifacts/{name}") for name in ("labels/labels.parquet", "models/model.json")
    }
    weights = file_digest(project / "artifacts/models/model.safetensors")
    write_table(
        table_of(project, "data/screened").with_columns(gold=1 - pl.col("gold")),
        project / "artifacts/data/screened.parquet",
    )
    run(project, combine, train)
    assert {name: file_digest(project / f"artifacts/{name}") for name in before} == before
    assert file_digest(project / "artifacts/models/model.safetensors") == weights


def test_training_sees_the_training_split_of_its_domain_only(project):
    """Other texts in other splits and domains leave the model as it is; another training text does not."""
    examples = table_of(project, "data/screened")
    weights = project / "artifacts/models/model.safetensors"
    before = file_digest(weights)
    trained = (pl.col("domain") == "home") & (pl.col("split") == "train")
    for where, same in ((~trained, True), (trained, False)):
        changed = examples.with_columns(text=pl.when(where).then(pl.lit("other words")).otherwise(pl.col("text")))
        write_table(changed, project / "artifacts/data/screened.parquet")
        run(project, train)
        assert (file_digest(weights) == before) is same


def test_figures_are_those_of_a_loop_over_the_files(finished):
    """Accuracy of all four predictors on the home domain equals a count over the files, on the examples that it names."""
    evaluation = facts_of(finished, "evaluate").one(Evaluation)
    examples = table_of(finished, "data/screened")
    joined = examples.join(table_of(finished, "labels/labels"), on="example_id").join(
        table_of(finished, "evaluation/predictions"), on="example_id"
    )
    rows = joined.filter((pl.col("domain") == "home") & (pl.col("split") == "test"))
    covered = rows.filter("covered")
    expected = {
        "model": ((rows["prediction"] == rows["gold"]).mean(), len(rows)),
        "label_model": ((covered["label"] == covered["gold"]).mean(), len(covered)),
    }
    for of, (value, count) in expected.items():
        figure = evaluation.metric("accuracy", of=of, slice="home")
        assert figure is not None and figure.value is not None
        assert (float(figure.value), figure.examples) == (pytest.approx(value), count)
        assert float(figure.low or "nan") <= float(figure.value) <= float(figure.high or "nan")
    majority = evaluation.metric("accuracy", of="majority", slice="home")
    assert majority is not None and majority.examples == len(covered)
    decided = covered.filter(pl.col("majority") >= 0)
    right, ties = int((decided["majority"] == decided["gold"]).sum()), len(covered) - len(decided)
    assert right <= float(majority.value or "nan") * len(covered) <= right + ties
    supervised = evaluation.metric("accuracy", of="supervised", slice="home")
    assert supervised is not None and float(supervised.value or 0) > 0.95


def test_every_question_is_asked_on_its_slices(finished):
    """Domains, lengths, voting sources and splits are there with all metrics, and parts add up to their whole."""
    evaluation = facts_of(finished, "evaluate").one(Evaluation)
    names = list(dict.fromkeys(metric.slice for metric in evaluation.metrics))
    assert names == [
        "home",
        "away",
        "text length on home=1 to 12 characters",
        "text length on home=over 12 characters",
        "voting sources on home=none",
        "voting sources on home=1",
        "voting sources on home=2",
        "voting sources on home=3 and more",
        "covered examples of=home",
        "covered examples of=away",
        "all splits of=home",
        "all splits of=away",
    ]

    def count(where: str, of: str = "model") -> int:
        found = evaluation.metric("accuracy", of=of, slice=where)
        assert found is not None
        return found.examples

    for cut in ("text length on home", "voting sources on home"):
        assert sum(count(name) for name in names if name.startswith(cut)) == count("home")
    assert count("covered examples of=home") == count("home", "label_model")
    for name in names[:10]:
        for of in ("model", "label_model", "majority", "supervised"):
            assert {m.metric for m in evaluation.metrics if (m.of, m.slice) == (of, name)} >= set(METRICS)
    nothing = evaluation.metric("accuracy", of="label_model", slice="voting sources on home=none")
    assert nothing is not None and (nothing.value, nothing.low, nothing.examples) == (None, None, 0)
    assert sum(b.examples for b in evaluation.bins if (b.of, b.slice) == ("model", "home")) == count("home")
    votes = read_votes(finished / "artifacts/votes/votes.parquet")
    examples = table_of(finished, "data/screened")
    here = ((examples["domain"] == "away") & (examples["split"] == "test")).to_numpy() & (votes.matrix[:, 0] >= 0)
    honest = evaluation.metric("accuracy", of="source first", slice="away")
    assert honest is not None and honest.examples == int(here.sum())
    right = (votes.matrix[here, 0] == examples["gold"].to_numpy()[here]).mean()
    assert float(honest.value or "nan") == pytest.approx(right)


def test_the_metrics_file_is_the_record(finished):
    """metrics.json holds the figures of the record and says how its intervals came about."""
    told = json.loads((finished / "artifacts/evaluation/metrics.json").read_bytes())
    evaluation = facts_of(finished, "evaluate").one(Evaluation)
    assert told["metrics"] == [metric.model_dump(mode="json") for metric in evaluation.metrics]
    assert told["bins"] == [bar.model_dump(mode="json") for bar in evaluation.bins]
    assert evaluation.sha256 == file_digest(finished / "artifacts/evaluation/metrics.json")
    assert "Wilson" in told["intervals"]["accuracy, coverage"]
    assert told["intervals"]["seed"] == "7"
    batch = facts_of(finished, "evaluate").one(Predictions)
    assert batch.name in evaluation.compared
    assert batch.sha256 == file_digest(finished / "artifacts/evaluation/predictions.parquet")


def test_evaluate_finds_falls_and_contamination(finished):
    """The fall abroad fails, and figures on the domain that a source has met are no independent evidence."""
    found = facts_of(finished, "evaluate").of(Finding)
    (fell,) = [finding for finding in found if finding.check == "fall"]
    assert fell.outcome == "fail"
    assert float(fell.measured or 0) > 0.3
    independent = [finding for finding in found if finding.check == "independence"]
    assert [finding.outcome for finding in independent] == ["fail", "pass"]
    assert "first met it before" in independent[0].says
    assert {finding.check for finding in found} == {
        "calibration",
        "fall",
        "beside_majority",
        "independence",
        "too_good",
        "worse_than_chance",
    }


def test_two_runs_are_byte_identical(project, finished):
    """Running the three stages again leaves every file as it was, facts included.

    Runs are left out here: they name what the process imported, and one process runs all stages of these tests.
    """

    def digests(root: Path) -> dict[str, str]:
        return {
            p.relative_to(root).as_posix(): file_digest(p)
            for p in sorted(root.rglob("*"))
            if p.is_file() and p.parent.name != "runs"
        }

    before = digests(project)
    for name in ("labels", "models", "evaluation"):
        shutil.rmtree(project / "artifacts" / name)
    run(project)
    assert digests(project) == before == digests(finished)
    assert len(before) > 10


def test_each_run_says_what_it_started_from(finished):
    """Inputs and used records of the three runs lead from votes to figures."""
    runs = {name: read_run(finished / f"artifacts/runs/{name}.json") for name in ("combine", "train", "evaluate")}
    votes = facts_of(finished, "vote").one(Votes)
    labels = facts_of(finished, "combine").one(Labels)
    model = facts_of(finished, "train").one(Model)
    assert votes.name in runs["combine"].result.used
    assert labels.name in runs["train"].result.used
    assert {votes.name, labels.name, model.name} <= set(runs["evaluate"].result.used)
    assert "artifacts/votes/votes.parquet" in {ref.path for ref in runs["combine"].recipe.inputs}
    assert not any("gold" in path.path for path in runs["train"].recipe.inputs)


def test_fitting_on_a_domain_labels_all(project):
    """With fit_domains the tables come from that domain's votes, and every covered example is labelled by them."""
    (project / "params.yaml").write_text(yaml.safe_dump(with_param("combine", "fit_domains", ["home"])))
    before = table_of(project, "labels/labels")
    run(project, combine)
    after = table_of(project, "labels/labels")
    assert after["covered"].to_list() == before["covered"].to_list()
    assert after["log_odds"].to_list() != before["log_odds"].to_list()
    votes = read_votes(project / "artifacts/votes/votes.parquet")
    home = votes.take(np.flatnonzero([name.startswith("home/") for name in votes.ids]))
    alone = DawidSkene(strength=20, diagonal=0.7, max_iterations=500).fit(home)
    assert (alone.predict(votes) == after["label"].to_numpy()).all()


BAD_PARAMS = [
    (combine, "combine", "strength", -1, "combine.strength"),
    (combine, "combine", "strength", ..., "combine.strength"),
    (combine, "combine", "tolerance", "1e-9", "combine.tolerance"),
    (combine, "combine", "diagonal", 1.5, "combine.diagonal"),
    (combine, "combine", "diagonal", 1.0, "diagonal"),
    (combine, "combine", "balance", ..., "combine.balance"),
    (combine, "combine", "balance", "half", "combine.balance"),
    (combine, "combine", "balance", [0.9, 0.9], "balance"),
    (combine, "combine", "fit_domains", ["mars"], "combine.fit_domains"),
    (combine, "combine", "fit_domains", "home", "combine.fit_domains"),
    (combine, "combine", "max_iterations", 0, "combine.max_iterations"),
    (train, "train", "domain", "mars", "train.domain"),
    (train, "train", "l2", 0, "train.l2"),
    (train, "train", "token_pattern", "", "train.token_pattern"),
    (evaluate, "evaluate", "split", "none", "evaluate.split"),
    (evaluate, "evaluate", "length_limits", [9, 3], "evaluate.length_limits"),
    (evaluate, "evaluate", "resamples", 0, "evaluate.resamples"),
    (evaluate, "evaluate", "fall_limit", ..., "evaluate.fall_limit"),
]


@pytest.mark.parametrize(("stage", "section", "field", "value", "says"), BAD_PARAMS)
def test_a_bad_parameter_ends_the_stage_and_leaves_its_outputs(project, capsys, stage, section, field, value, says):
    """A missing or impossible parameter is one sentence and exit code 2; the previous outputs stay untouched."""
    (project / "params.yaml").write_text(yaml.safe_dump(with_param(section, field, value)))
    before = {path: file_digest(path) for path in (project / "artifacts").rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as caught:
        run(project, stage)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err
    assert {path: file_digest(path) for path in (project / "artifacts").rglob("*") if path.is_file()} == before


def test_files_that_do_not_fit_together_end_the_stage(project, capsys):
    """Votes of other sources, of unknown examples, and labels of other rows are refused with exit code 2."""
    votes = read_votes(project / "artifacts/votes/votes.parquet")
    others = tuple(make_source(f"{title}, edited").name for title in SOURCES)
    strangers = pl.Series([f"mars/{i}" for i in range(len(votes))])
    labels = table_of(project, "labels/labels")
    faults = {
        "the source version that stage vote stated": (
            combine,
            lambda: write_votes(
                VoteTable(votes.ids, votes.columns, others, votes.classes, votes.matrix),
                project / "artifacts/votes/votes.parquet",
            ),
        ),
        "votes on the examples of this dataset only": (
            evaluate,
            lambda: write_votes(
                VoteTable(strangers, votes.columns, votes.sources, votes.classes, votes.matrix),
                project / "artifacts/votes/votes.parquet",
            ),
        ),
        "a label for exactly the examples that have a vote": (
            evaluate,
            lambda: write_table(labels[:-1], project / "artifacts/labels/labels.parquet"),
        ),
        "a row for every example of the train split": (
            train,
            lambda: write_table(labels[:5], project / "artifacts/labels/labels.parquet"),
        ),
        "a column 'p_negative'": (
            train,
            lambda: write_table(labels.drop("p_negative"), project / "artifacts/labels/labels.parquet"),
        ),
        "at least one covered example": (
            train,
            lambda: write_table(labels.with_columns(covered=False), project / "artifacts/labels/labels.parquet"),
        ),
    }
    for says, (stage, spoil) in faults.items():
        spoil()
        with pytest.raises(SystemExit) as caught:
            run(project, stage)
        assert caught.value.code == 2
        assert says in capsys.readouterr().err
        write_votes(votes, project / "artifacts/votes/votes.parquet")
        write_table(labels, project / "artifacts/labels/labels.parquet")


def test_sources_are_judged_by_what_was_learned_and_then_by_gold(finished):
    """Without gold nobody passes; with it the made-up sources, which are right on 75 to 90 %, do."""
    learned = {found.check: found for found in facts_of(finished, "combine").of(Finding)}
    assert (learned["worse_than_chance"].outcome, learned["too_good"].outcome) == ("unknown", "unknown")
    assert "as the label model learned" in learned["worse_than_chance"].says
    held = [found for found in facts_of(finished, "evaluate").of(Finding) if found.check == "worse_than_chance"]
    assert {found.outcome for found in held} <= {"pass", "unknown"}
    assert any("made" not in found.says and found.outcome == "pass" for found in held)


def test_one_voice_is_recorded_with_its_sources_and_told(tmp_path):
    """A copy beside its source: with the guard both have one voice, in the file, the record and a finding."""
    examples = make_examples()
    votes = make_votes(examples)
    matrix = votes.matrix.copy()
    matrix[:, 3] = matrix[:, 0]
    params = {**PARAMS, "combine": {**PARAMS["combine"], "one_voice": True}}
    copied = VoteTable(examples["example_id"], votes.columns, votes.sources, votes.classes, matrix)
    lay_down(tmp_path, params=params, examples=examples, votes=copied)
    with chdir(tmp_path):
        combine.main()
    facts = read_facts(tmp_path / "artifacts/facts/combine.jsonl")
    model = facts.one(LabelModel)
    assert (model.method, model.parameters["voices"]) == ("one_voice", "[0,1,2,0]")
    assert [part.column for part in model.learned] == ["first", "second", "third"]
    found = {finding.check: finding for finding in facts.of(Finding)}
    assert found["near_copies"].outcome == "fail"
    assert (found["guarded"].outcome, found["guarded"].measured) == ("pass", "3.0")
    assert "first, silent" in found["guarded"].says
