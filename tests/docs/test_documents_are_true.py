"""README, tutorial and command reference tell the truth of this commit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from governance.cli.reference import reference
from governance.errors import ExitCode

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(name: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((ROOT / name).read_text()) if kind == language]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_reference_is_that_of_the_live_commands():
    """docs/cli.md is what `python -m governance.cli.reference` prints."""
    assert (ROOT / "docs/cli.md").read_text() == reference()


def test_every_command_of_the_readme_runs(reference):
    """The commands under "Ask it" answer with exit code 0, and the Python example holds."""
    asked = next(text for text in blocks("README.md", "sh") if "labeltrail why" in text)
    for line in asked.strip().split("\n"):
        done = run(line, reference)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    (example,) = blocks("README.md", "python")
    done = subprocess.run([sys.executable, "-c", example], cwd=reference, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is labelled" in done.stdout or "has no label" in done.stdout


def test_the_tutorial_runs_from_its_first_line_to_its_last(reference):
    """Each block of the tutorial is run in order, in a project that has run before."""
    for block in blocks("docs/tutorial.md", "sh"):
        done = run(block, reference)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_the_page_on_your_own_data_works_as_it_stands(tmp_path):
    """The files of the page are laid down by name and its commands run."""
    text = (ROOT / "docs/your-own-data.md").read_text()
    (tmp_path / "pipelines/sources").mkdir(parents=True)
    (tmp_path / "comments.csv").write_text(next(body for kind, body in BLOCK.findall(text) if kind == "csv"))
    for name in ("pipelines/__init__.py", "pipelines/sources/__init__.py"):
        (tmp_path / name).touch()
    named = re.findall(r"^```(?:python|yaml) (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(named) == 5
    for path, body in named:
        (tmp_path / path).write_text(body)
    for block in blocks("docs/your-own-data.md", "sh"):
        done = run(block, tmp_path)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    status = json.loads(run("labeltrail status --json", tmp_path).stdout)
    assert not [found["says"] for found in status["open"] if "dvc.yaml" in found["says"] and found["outcome"] == "fail"]


def test_the_walk_from_a_snorkel_project_to_its_first_why_works_in_ten_commands(tmp_path):
    """The script of the page is laid down and its commands run; the findings that the page names are told."""
    text = (ROOT / "docs/snorkel.md").read_text()
    (body,) = re.findall(r"^```python train.py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "train.py").write_text(body)
    commands = [line for block in blocks("docs/snorkel.md", "sh") for line in block.strip().split("\n")]
    assert next(place for place, line in enumerate(commands, 1) if line.startswith("labeltrail why")) <= 10
    said = ""
    for command in commands:
        done = run(command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said += done.stdout + done.stderr
    for finding in ("bad and bad_again share", "fragile failed on 30 of 210", "Nobody fixed the seed", "is labelled"):
        assert finding in said


def test_every_link_in_the_documents_leads_somewhere():
    """Relative links of README and docs point at files that are there."""
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_exit_codes_in_the_readme_are_those_of_the_code():
    """Number and meaning of each exit code."""
    text = " ".join((ROOT / "README.md").read_text().split())
    told = re.search(r"Exit codes always mean the same: (.*?)\.", text)
    assert told
    words = {
        "FINE": "fine",
        "FINDINGS": "findings",
        "USAGE": "usage",
        "BROKEN": "broken",
        "UNKNOWN": "unknown",
        "BUSY": "busy",
    }
    for code in ExitCode:
        assert re.search(rf"\b{int(code)} [^,]*{words[code.name]}", told[1]), code


def test_the_figures_on_help_are_those_of_the_benchmark():
    """README quotes the committed measurement."""
    measured = json.loads((ROOT / "bench/results/help_time.json").read_text())["median_ms"]
    quoted = re.search(r"<!-- help: begin -->(.*?)<!-- help: end -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert quoted
    assert (
        quoted[1]
        == f"{measured['labeltrail --help']} ms, beside {measured['bare interpreter']} ms of the bare interpreter"
    )


def quoted(name: str) -> str:
    """What README says between two marks."""
    found = re.search(rf"<!-- {name}: begin -->(.*?)<!-- {name}: end -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_figures_on_repro_are_those_of_the_benchmark():
    """What a governed run costs on top of DVC."""
    measured = json.loads((ROOT / "bench/results/repro_time.json").read_text())
    nothing, share = measured["nothing to do, seconds"]["more"], measured["share more for the long stage"]
    assert nothing <= 0.6
    assert share <= 0.05
    assert (
        quoted("repro")
        == f"{nothing:.2f} s more than `dvc repro` with nothing to do, and {share:.1%} more with a stage of 10 s"
    )


def test_the_figures_on_recording_are_those_of_the_benchmark():
    """Our run beside MLflow's, in each of the ways in which it can be told of an edge."""
    told = json.loads((ROOT / "bench/results/recording.json").read_text())
    median, ratio, busy = told["median_ms"], told["median_ratio"], told["median_processor_ratio"]
    assert told["rounds"] >= 50
    assert told["labeltrail"]["signed"]
    ways = ", ".join(f"{ratio[way]}× with {way} ({busy[way]}× the processor's time)" for way in sorted(ratio))
    version = told["mlflow"]["version"]
    assert quoted("recording") == f"{median['labeltrail']} ms; MLflow {version} takes {ways}"


def test_the_figures_on_verifying_are_those_of_the_benchmark():
    """A log of a million entries, beside hashing it in a plain loop."""
    told = json.loads((ROOT / "bench/results/verifying.json").read_text())
    assert told["entries"] >= 1_000_000
    assert told["median_ratio"] <= 2
    assert quoted("verifying") == (
        f"{told['entries']:,} entries in {told['median_seconds']['verify --log']} s and "
        f"{told['most_memory_mb']['verify --log']} MB: {told['median_ratio']}× "
        "the time of a plain loop that only hashes them"
    )


def test_the_figures_on_lineage_are_those_of_the_benchmark():
    """How long a closure takes and how many records it reaches, and the blast radius of a million."""
    told = json.loads((ROOT / "bench/results/lineage.json").read_text())
    closure, blast = told["closure"], told["blast radius"]
    assert closure["edges"] >= 10_000_000
    assert blast["records reached"] >= 1_000_000
    assert blast["median_seconds"] <= 1
    nodes = closure["records reached, p50 and most"]
    assert quoted("closure") == (
        f"up to {nodes[1]:,} records (median {nodes[0]:g}) among {closure['edges']:,} edges: "
        f"median {closure['p50_ms']} ms, "
        f"{closure['p50_processor_ms']} ms of them the processor's"
    )
    loading = blast["seconds to read the arrays from the store, once"]
    assert quoted("blast") == (
        f"{blast['records reached']:,} records: {blast['median_seconds']} s, after the edges were read into arrays once "
        f"({loading} s)"
    )


def test_the_figures_on_kills_are_those_of_the_soak():
    """How often a process was killed at random, and how often something was wrong afterwards."""
    told = json.loads((ROOT / "bench/results/soak.json").read_text())
    assert told["kills"] >= 500
    assert told["kills after which something was wrong"] == 0
    victims = ", ".join(f"{who or 'just forked'} {count}" for who, count in told["victims"].items())
    assert quoted("soak") == f"{told['kills']} kills ({victims}), nothing wrong after any of them"


def test_the_figures_on_the_store_are_those_of_the_soak():
    """What was struck how often, whether anything was wrong afterwards, and how long a store was not to be had."""
    told = json.loads((ROOT / "bench/results/soak_store.json").read_text())
    ways = told["by way"]
    assert sum(count for way, count in ways.items() if "power cut" not in way and "copied" not in way) >= 2000
    assert told["after which something was wrong"] == 0
    calls = told["write calls of recording a run"].values()
    assert all(ways[f"SQLite, {fault} at a write call"] == sum(calls) for fault in ("SIGKILL", "EIO", "ENOSPC"))
    slowest = told["slowest recovery, seconds"]
    assert slowest["SQLite"] <= 1
    told_so = f"{told['kills and faults']:,} times, nothing wrong after any of them; the slowest next opening"
    assert quoted("soak_store") == f"{told_so} of a SQLite store took {slowest['SQLite']:.2f} s"


def test_the_figures_on_capture_are_those_of_the_benchmark():
    """What watching a script costs, and that it changes nothing."""
    told = json.loads((ROOT / "bench/results/capture.json").read_text())
    assert told["bit-equal"]
    ratio, busy, again = (told[f"median_{what}"] for what in ("ratio", "processor_ratio", "ratio_again"))
    assert quoted("capture") == (
        f"{ratio} times the time that it takes alone ({busy} times the processor's; {again} when the same command is "
        f"captured again), and the same in every bit"
    )


def test_the_figures_on_label_models_are_those_of_the_benchmark():
    """How much better than majority vote without a label, and how much faster than what else there is."""
    told = json.loads((ROOT / "bench/results/label_models.json").read_text())
    ours, snorkel = (told["all"][name] for name in ("ours", "snorkel"))
    faster, large = told["times faster, median over the sets"], told["100,000 x 10, times faster"]
    assert ours["above majority vote"] >= 0.03
    assert ours["least above majority vote"] >= -0.02
    mean, worst = (100 * ours[f"{what}above majority vote"] for what in ("", "least "))
    theirs, at_worst = (100 * snorkel[f"{what}above majority vote"] for what in ("", "least "))
    assert quoted("label_models") == (
        f"{told['sets']} sets of votes: {mean:.1f} points above majority vote in the mean and {-worst:.1f} below it at "
        f"worst (snorkel's default {theirs:.1f} above, {-at_worst:.1f} below), {faster['snorkel']} times as fast as it "
        f"in the median, and with 100,000 × 10 votes {large['crowd-kit']} times as fast as crowd-kit's Dawid-Skene"
    )


def test_the_figures_on_many_rows_are_those_of_the_benchmark():
    """Ten million rows in memory, fifty million votes in files, and every source left out of a million rows once."""
    told = json.loads((ROOT / "bench/results/label_model_scale.json").read_text())
    one = told["threads 1"]
    ratio, beyond = one["in memory"]["fit and predict / numpy majority vote"], one["in memory, peak"]
    assert (told["rows"], told["sources"], one["files"]["votes"]) == (10_000_000, 10, 50_000_000)
    assert told["bit-equal with one thread and with two"]
    assert ratio <= 2.5
    assert beyond["fit and predict, MB beyond it"] < 400
    assert all(told[f"threads {n}"]["files"]["peak memory of the process, MB"] < 500 for n in (1, 2))
    memory, files = beyond["fit and predict, MB beyond it"], one["files"]
    laid_out = one["in memory"]["fit and predict / numpy majority vote in blocks"]
    assert quoted("many_rows") == (
        f"{told['rows']:,} rows of {told['sources']} sources are learned from and labelled in {ratio}× the time of a "
        f"majority vote in numpy ({laid_out}× that of one laid out for the cache) and {memory} MB beside the votes; "
        f"{files['votes']:,} votes in 25 files, in a process of {files['peak memory of the process, MB']} MB"
    )


def test_the_figures_on_challenged_rows_are_those_of_the_benchmark():
    """25 of 1,000,000 rows fit in 100 kB and are checked in under a second."""
    told = json.loads((ROOT / "bench/results/challenge.json").read_text())
    size, seconds = told["bytes of FILE.zip"], told["seconds of verify.py, median"]
    assert (told["rows drawn"], told["rows"]) == (25, 1_000_000)
    assert size <= 100_000
    assert seconds < 1.0
    assert quoted("challenge") == f"{size:,} bytes, which `verify.py` checks in {seconds:.2f} s"


def test_the_figures_on_votes_are_those_of_the_benchmark():
    """Ten million rows of twenty sources: committed to beside plain writing, analysed beside a plain pass."""
    told = json.loads((ROOT / "bench/results/votes.json").read_text())
    writing, analyses = told["writing"], told["analysis"]
    assert (told["rows"], told["sources"]) == (10_000_000, 20)
    assert writing["median ratio"] <= 1.5
    assert all(one["median ratio"] <= 3 for one in analyses.values())
    few, most = analyses["few patterns"], analyses["most rows a pattern"]
    ratio, busy = writing["median ratio"], writing["median processor ratio"]
    assert quoted("votes") == (
        f"{told['rows']:,} rows of {told['sources']} sources: written with block commitments in {ratio}× the time of plain "
        f"polars ({busy}× the processor's), and analysed with their patterns in {few['median ratio']}× the time of a numpy "
        f"pass that counts each source's values ({few['patterns']} patterns; {most['median ratio']}× with "
        f"{most['patterns']:,})"
    )


def test_the_table_of_results_stands_in_the_readme():
    """It names every domain and every predictor; `.ci/run` holds its figures against a run on the real data."""
    sys.path.insert(0, str(ROOT))
    from pipelines.results import BEGIN, DOMAINS, END, PREDICTORS

    table = (ROOT / "README.md").read_text().split(BEGIN)[1].split(END)[0]
    assert all(name in table for name in (*DOMAINS, *PREDICTORS.values()))
    assert table.count("(0.") == len(DOMAINS) * len(PREDICTORS)


FORBIDDEN = re.compile(r"/(?:tmp|home|root|work|opt|farm)/[\w.]+|\bcompliant\b|\bshared/frameworks\b")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="without a repository there is no list of tracked files")
def test_no_tracked_file_names_a_machine_or_says_compliant():
    """The project speaks of itself alone."""
    for path in tracked():
        if path.suffix in (".py", ".md", ".yaml", ".toml", ".j2", "") and path.is_file() and path != Path(__file__):
            found = FORBIDDEN.search(path.read_text(encoding="utf-8", errors="replace"))
            if path.name.startswith("test_"):
                continue  # tests may name what must not be said
            assert not found, f"{path}: {found and found[0]}"
