"""The page on label models tells the committed measurement, and its example runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("majority vote", "ours", "snorkel", "crowd-kit", "ours, crowd mode")


def page() -> str:
    return (ROOT / "docs/label-models.md").read_text()


def measured() -> dict:
    return json.loads((ROOT / "bench/results/label_models.json").read_text())


def quoted(name: str) -> str:
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)\n?<!-- {name}: end -->", page(), re.DOTALL)
    assert found
    return found[1]


def accuracy_table(told: dict) -> str:
    """What stands on the page about accuracy."""
    lines = [f"| votes | {' | '.join(NAMES)} | ours above majority vote | worst |", "|---" * (len(NAMES) + 3) + "|"]
    parts = {**told["by process"], "generated": told["generated"], "reference": told["reference"], "all": told["all"]}
    for name, table in parts.items():
        found = [f"{100 * table[method]['accuracy']:.1f}" for method in NAMES]
        ours = table["ours"]
        gain, worst = (100 * ours[key] for key in ("above majority vote", "least above majority vote"))
        lines.append(f"| {name.replace('_', '-')} | {' | '.join(found)} | {gain:+.1f} | {worst:+.1f} |")
    return "\n".join(lines)


def speed_text(told: dict) -> str:
    """What stands on the page about time."""
    times, large = told["times faster, median over the sets"], told["100,000 x 10, times faster"]
    seconds = told["100,000 x 10, processor seconds"]
    median = told["all"]["ours"]["median processor seconds"] * 1000
    return (
        f"To fit and to label costs {median:.0f} ms of the processor in the "
        f"median over these sets, {times['snorkel']:.1f} times less than snorkel and {times['crowd-kit']:.1f} times less\n"
        f"than crowd-kit's Dawid-Skene. 100,000 rows of 10 sources cost {seconds['ours'] * 1000:.0f} ms, "
        f"{large['snorkel']:.1f} and {large['crowd-kit']:.1f} times less."
    )


def small_table(told: dict) -> str:
    """What stands on the page about little to learn from."""
    lines = ["| votes | sets | mean | worst | below |", "|---|---|---|---|---|"]
    for name, group in told["small and weak"].items():
        mean, worst = (100 * group[key] for key in ("above majority vote", "least above majority vote"))
        below = 100 * group["share more than .02 below"]
        lines.append(f"| {name.replace('_', '-')} | {group['sets']} | {mean:+.1f} | {worst:+.1f} | {below:.0f} % |")
    return "\n".join(lines)


def test_the_accuracies_on_the_page_are_those_of_the_benchmark():
    """A row for each process, each domain and the means."""
    assert quoted("accuracy") == accuracy_table(measured())


def test_what_little_to_learn_from_does_stands_on_the_page():
    """A row for each group, also for those on which the default loses."""
    assert quoted("small") == small_table(measured())


def test_the_speed_on_the_page_is_that_of_the_benchmark():
    """Medians over the sets, and the large set."""
    assert quoted("speed") == speed_text(measured())


def test_one_setting_is_three_points_above_majority_vote_and_nowhere_two_below():
    """Without any label, over all sets; snorkel and crowd-kit are measured on the same."""
    told = measured()
    assert told["all"]["ours"]["above majority vote"] >= 0.03
    assert told["generated"]["ours"]["above majority vote"] >= 0.03
    assert told["all"]["ours"]["least above majority vote"] >= -0.02
    assert told["sets"] == 94
    for other in ("snorkel", "crowd-kit"):
        assert told["all"]["ours"]["accuracy"] > told["all"][other]["accuracy"]


def test_the_examples_of_the_page_run(tmp_path):
    """They print labels, probabilities and where the balance comes from, and take apart what a saved model says."""
    examples = re.findall(r"^```python\n(.*?)^```", page(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    command = [sys.executable, "-c", "\n".join(examples)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    *_, gold, apart = done.stdout.splitlines()
    assert gold == "gold"
    assert apart.startswith("[('first', ")
    assert apart.endswith("('third', 0.0)]")
    assert {path.name for path in tmp_path.iterdir()} == {"votes.parquet", "label_model.json"}
