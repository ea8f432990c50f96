"""Does `collect` bring exactly what the corpus holds, and nothing where the corpus is broken?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
import tiny_corpus as tiny
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.facts import read_facts
from governance.records import Dataset, Finding
from pipelines import collect, screen

EXAMPLES = "artifacts/data/examples.parquet"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a project of the tiny corpus, runs `collect` in it and answers its folder."""
    # Whatever the machine says about indexes, no test reaches one.
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nonexistent/simple")

    def made(**given: object) -> Path:
        root = tiny.project(tmp_path, **given)  # type: ignore[arg-type]
        monkeypatch.chdir(root)
        collect.main()
        return root

    return made


def facts(root: Path, stage: str = "collect"):
    return read_facts(root / "artifacts" / "facts" / f"{stage}.jsonl")


def refused(run, capsys, **given: object) -> tuple[int, str]:
    """The exit code and what was said; no output and no facts came about."""
    with pytest.raises(SystemExit) as caught:
        run(**given)
    root = Path.cwd()
    assert not (root / "artifacts" / "facts").exists()
    assert not list(root.glob("artifacts/**/*.parquet"))
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return int(str(caught.value.code)), said


def test_examples_are_what_the_corpus_holds(run):
    """Ids, domains, texts, means and classes come through unchanged; a mean of 0 is left out; repeats name their first."""
    frame = pl.read_parquet(run() / EXAMPLES)
    assert frame.drop("split").rows() == [
        ("tweets/1", "tweets", "so good &amp; warm :)", 2.5, 1, None),
        ("tweets/2", "tweets", "awful day", -1.5, 0, None),
        ("tweets/4", "tweets", "so  good &amp; warm :)", 3.5, 1, "tweets/1"),
        ("tweets/5", "tweets", "nice café", 1.0, 1, None),
        ("amazon/1_1", "amazon", "broken phone", -2.0, 0, None),
        ("amazon/1_2", "amazon", "a fine phone", 2.0, 1, None),
        ("movies/1", "movies", "a moving film", 1.5, 1, None),
        ("movies/2", "movies", "dull", -1.0, 0, None),
        ("nyt/1_1", "nyt", "A wise reform.", 0.5, 1, None),
        ("nyt/1_2", "nyt", "A cruel law.", -0.5, 0, None),
    ]
    assert frame.schema["gold"] == pl.Int8


def test_single_ratings_come_through(run):
    """Every rating of every example stands with its position."""
    frame = pl.read_parquet(run() / "artifacts/data/ratings.parquet")
    assert frame.filter(pl.col("example_id") == "movies/2").rows() == [("movies/2", -1, p) for p in range(3)]
    assert frame.schema == {"example_id": pl.String, "rating": pl.Int8, "position": pl.Int16}
    assert "tweets/3" not in frame["example_id"]
    assert len(frame) == 21


def test_facts_count_what_was_found(run):
    """The dataset's record counts, and the findings name what disagrees."""
    found = facts(run())
    dataset = found.one(Dataset)
    assert dataset.counts == {
        "exact duplicates": 1,
        "left out for a mean of 0": 1,
        "single ratings": 21,
        "texts beyond ASCII": 1,
        "texts read": 11,
        "texts with HTML entities": 2,
    }
    assert dataset.domains == {"tweets": 4, "amazon": 2, "movies": 2, "nyt": 2}
    assert dataset.classes == {"negative": 4, "positive": 6}
    assert sum(dataset.splits.values()) == dataset.rows == 10
    assert dataset.licence == "MIT AND LicenseRef-third-party-texts"
    outcomes = {finding.check: finding.outcome for finding in found.of(Finding)}
    assert outcomes["rater_means/tweets"] == "fail"
    assert outcomes["rater_means/movies"] == "pass"
    assert outcomes["raters/movies"] == "fail"
    assert outcomes["duplicates"] == "fail"
    assert {"balance/nyt", "leakage"} <= set(outcomes)


def test_facts_hold_no_text_and_no_id(run):
    """What goes to the log names no example and repeats no text."""
    text = (run() / "artifacts/facts/collect.jsonl").read_text()
    frame = pl.read_parquet(EXAMPLES)
    assert not [given for given in [*frame["text"], *frame["example_id"]] if json.dumps(given)[1:-1] in text]


def test_two_runs_give_the_same_bytes(run):
    """A second run over the kept file writes what the first wrote, byte for byte."""
    root = run()
    before = {path: path.read_bytes() for path in root.glob("artifacts/**/*") if path.is_file()}
    collect.main()
    assert before == {path: path.read_bytes() for path in root.glob("artifacts/**/*") if path.is_file()}
    assert len(before) == 4


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.booleans()), max_size=30))
def test_no_words_are_split(texts):
    """Texts of the same words share a split, whatever their ids, capitals, white space and punctuation."""
    rows = [
        tiny_rated(str(number), f"  {text.upper()}!?" if shout else text) for number, (text, shout) in enumerate(texts)
    ]
    frame = collect.examples_of({"tweets": rows}, key="k", shares={"train": 0.5, "valid": 0.1, "test": 0.4})
    homes: dict[str, set[str]] = {}
    for text, split in frame.select("text", "split").iter_rows():
        homes.setdefault(text.strip(" !?").lower(), set()).add(split)
    assert all(len(home) == 1 for home in homes.values())


def tiny_rated(number: str, text: str):
    from pipelines._corpus import Rated

    return Rated(number, 1.0, text, (1, 1))


def test_splits_depend_on_id_and_key_alone():
    """Shares come out as wanted, another key gives other splits, and nobody else's presence moves an example."""
    shares = {"train": 0.7, "valid": 0.1, "test": 0.2}
    ids = [f"tweets/{number}" for number in range(4000)]
    splits = [collect.split_of(example, key="k", shares=shares) for example in ids]
    for name, share in shares.items():
        assert abs(splits.count(name) / 4000 - share) < 0.025
    other = [collect.split_of(example, key="l", shares=shares) for example in ids]
    assert sum(a != b for a, b in zip(splits, other, strict=True)) > 1000


def broken(**change: bytes) -> bytes:
    return tiny.sdist({**tiny.files(), **{f"{name}.txt": data for name, data in change.items()}})


FAULTS = {
    "not_utf8": ({"tweets_GroundTruth": b"1\t1\tgood\r\n2\t1\tcaf\xe9"}, "tweets_GroundTruth.txt:2", "UTF-8"),
    "field_missing": ({"tweets_GroundTruth": b"1\t1\tgood\n2\t1"}, "tweets_GroundTruth.txt:2", "3 fields"),
    "mean_no_number": ({"tweets_GroundTruth": b"1\tone\tgood"}, "tweets_GroundTruth.txt:1", "mean"),
    "mean_nan": ({"tweets_GroundTruth": b"1\tnan\tgood"}, "tweets_GroundTruth.txt:1", "mean"),
    "mean_out_of_range": ({"nytEditorialSnippets_GroundTruth": b"1_1\t4.1\tgood"}, "GroundTruth.txt:1", "-4 to 4"),
    "id_twice": ({"tweets_GroundTruth": b"1\t1\tgood\n1\t1\tbad"}, "tweets_GroundTruth.txt:2", "each id once"),
    "id_no_number": ({"tweets_GroundTruth": b"../1\t1\tgood"}, "tweets_GroundTruth.txt:1", "id"),
    "ratings_no_list": ({"tweets_anonDataRatings": b"1\t1\t0\t__import__('os')"}, "anonDataRatings.txt:1", "ratings"),
    "rating_out_of_range": ({"tweets_anonDataRatings": b"1\t1\t0\t[5]"}, "anonDataRatings.txt:1", "ratings"),
    "other_ids": ({"tweets_anonDataRatings": b"9\t1\t0\t[1]"}, "tweets_anonDataRatings.txt", "same ids"),
    "blank_line": ({"tweets_GroundTruth": b"1\t1\tgood\n\n2\t1\tbad"}, "tweets_GroundTruth.txt:2", "1 fields"),
    "empty_file": ({"tweets_GroundTruth": b""}, "tweets_GroundTruth.txt", "0 bytes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_file_is_named_with_its_line(run, capsys, fault):
    """One sentence names the file, the line and what was wanted; nothing is written."""
    change, place, wanted = FAULTS[fault]
    code, said = refused(run, capsys, data=broken(**change))
    assert code == 2
    assert place in said
    assert wanted in said


@pytest.mark.parametrize(
    "data",
    [
        tiny.sdist()[:-200],
        b"no archive at all",
        tiny.packed({"tinycorpus-1.0/PKG-INFO": b"x"}),
        tiny.packed({"tinycorpus-1.0/additional_resources/hutto_ICWSM_2014.tar.gz": b"x"}),
        tiny.sdist({"elsewhere.txt": b"x"}),
    ],
    ids=["cut_short", "no_archive", "no_corpus", "corpus_no_archive", "corpus_without_files"],
)
def test_a_broken_archive_is_an_error_of_this_library(run, capsys, data):
    """Whatever lies under the right digest, nothing is written and one sentence says why."""
    code, said = refused(run, capsys, data=data)
    assert code == 2
    assert said.startswith("collect: ")


def test_no_network_is_one_clear_error(run, capsys):
    """Without a kept copy and with an index that cannot be reached: which package, what pip said, what to do."""
    code, said = refused(run, capsys, kept=False)
    assert code == 2
    assert "tinycorpus==1.0" in said
    assert "PIP_INDEX_URL" in said
    assert len(said.strip().splitlines()) == 2


def test_a_kept_copy_that_was_altered_is_not_used(run, capsys):
    """Its digest is checked each time; an altered copy counts as none."""
    run()
    kept = Path(".labeltrail/downloads/tinycorpus-1.0.tar.gz")
    kept.write_bytes(kept.read_bytes() + b"x")
    before = Path(EXAMPLES).read_bytes()
    with pytest.raises(SystemExit) as caught:
        collect.main()
    assert caught.value.code == 2
    assert "tinycorpus==1.0" in capsys.readouterr().err
    assert Path(EXAMPLES).read_bytes() == before


def test_pip_brings_the_file_and_it_is_kept(run, tmp_path_factory, monkeypatch):
    """pip fetches the pinned file from wherever the user's settings say; it is kept for the next run."""
    links = tmp_path_factory.mktemp("links")
    (links / "tinycorpus-1.0.tar.gz").write_bytes(tiny.sdist())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    root = run(kept=False)
    assert (root / ".labeltrail/downloads/tinycorpus-1.0.tar.gz").read_bytes() == tiny.sdist()
    assert len(pl.read_parquet(root / EXAMPLES)) == 10


def test_another_file_than_the_pinned_one_is_refused(run, capsys, tmp_path_factory, monkeypatch):
    """A file with another digest is broken evidence (exit 3); its own code never runs."""
    links = tmp_path_factory.mktemp("links")
    ran = links / "ran"
    other = tiny.sdist()
    monkeypatch.setattr(tiny, "BACKEND", f"open({str(ran)!r}, 'w')\n" + tiny.BACKEND)
    (links / "tinycorpus-1.0.tar.gz").write_bytes(tiny.sdist())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    code, said = refused(run, capsys, kept=False, data=other)
    assert code == 3
    assert "sha256 of tinycorpus-1.0.tar.gz" in said
    assert not ran.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1.0},
        {"sha256": None},
        {"split_key": ""},
        {"shares": {"train": 1.0}},
        {"shares": {"train": 0.9, "valid": 0.9, "test": 0.9}},
        {"min_class_share": "much"},
        {"max_duplicate_share": 2},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(run, capsys, change):
    """The error names the parameter and params.yaml."""
    code, said = refused(run, capsys, **change)
    assert code == 2
    assert f"params.yaml: collect.{next(iter(change))}" in said


def test_screen_follows_and_loses_nothing(run):
    """Rows that fail go to quarantine with a reason and a salt; the records name what they came from."""
    rows = {**tiny.ROWS, "nyt": [*tiny.ROWS["nyt"], ("2_1", "1", "!", "[1, 1]")]}
    root = run(data=tiny.sdist(tiny.files(rows)))
    screen.main()
    good, bad = (pl.read_parquet(root / f"artifacts/data/{name}.parquet") for name in ("screened", "quarantine"))
    assert good.equals(pl.read_parquet(root / EXAMPLES).filter(pl.col("example_id") != "nyt/2_1"))
    assert bad["example_id"].to_list() == ["nyt/2_1"]
    assert "text" in bad["reason"][0]
    salt = pl.read_parquet_metadata(root / "artifacts/data/quarantine.parquet")["salt"]
    assert len(salt) == 64
    stated, collected = facts(root, "screen"), facts(root).one(Dataset)
    dataset = stated.one(Dataset)
    assert (dataset.role, dataset.derived_from, dataset.rows) == ("screened", (collected.name,), 10)
    rejected = next(finding for finding in stated.of(Finding) if finding.check == "rejected")
    assert (rejected.outcome, rejected.subject) == ("fail", collected.name)
    assert rejected.contract in stated


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-50]), "a whole Parquet table"),
        (lambda path: path.write_bytes(b""), "0 bytes"),
        (lambda path: pl.read_parquet(path).drop("gold").write_parquet(path), "a column 'gold'"),
        (lambda path: pl.read_parquet(path).clear().write_parquet(path), "at least one row"),
        (lambda path: pl.read_parquet(path).cast({"gold": pl.Int64}).write_parquet(path), "columns.gold"),
        (lambda path: path.unlink(), "not there"),
    ],
    ids=["truncated", "empty", "column_missing", "no_rows", "other_type", "gone"],
)
def test_screen_refuses_a_broken_table_whole(run, capsys, fault, says):
    """One sentence, exit code 2, and the earlier outputs stay as they were."""
    root = run()
    screen.main()
    before = {path: path.read_bytes() for path in root.glob("artifacts/**/screened.parquet")}
    fault(root / EXAMPLES)
    with pytest.raises(SystemExit) as caught:
        screen.main()
    assert caught.value.code == 2
    assert says in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in root.glob("artifacts/**/screened.parquet")}


def test_params_of_the_repository_fit_this_code():
    """What params.yaml gives the first stages is what they ask for."""
    given = yaml.safe_load(Path(__file__).parents[2].joinpath("params.yaml").read_text())
    wanted = tiny.params("0" * 64)
    for stage in ("collect", "screen", "vote"):
        assert set(given[stage]) == set(wanted[stage])  # type: ignore[arg-type]
