"""The figures of docs/honesty.md are those of the benchmark, and its example runs."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from governance.votes import copies

ROOT = Path(__file__).parents[2]
MODELS = ("majority", "dawid_skene", "dawid_skene, balance given", "one_voice", "snorkel")


def quoted(name: str) -> str:
    text = (ROOT / "docs/honesty.md").read_text()
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", text, re.DOTALL)
    assert found
    return found[1]


def poison_table(told: dict) -> str:
    """Every line of the benchmark in which all sources vote on every row."""
    lines = [
        f"| copies | noise | {' | '.join(MODELS)} | flagged | honest flagged |",
        "|---|---|" + "---|" * (len(MODELS) + 2),
    ]
    for line in told["table"]:
        if line["coverage"] == 1.0:
            figures = " | ".join(f"{line['accuracy'][name]:.3f}" for name in MODELS)
            flagged, honest = line["of bad and copies flagged"], line["honest flagged, mean"]
            shown = "–" if not line["copies"] else f"{flagged:.0%}"
            lines.append(f"| {line['copies']} | {line['noise']:.0%} | {figures} | {shown} | {honest:g} |")
    return "\n".join(lines) + "\n"


def always_table(told: dict) -> str:
    lines = ["| copy noise | vote sets | all flagged |", "|---|---|---|"]
    for noise, found in told["always"].items():
        lines.append(f"| {float(noise):.0%} | {found['vote sets']:,} | {found['all flagged']:,} |")
    quiet = told["false alarms"]
    lines.append(f"| no bad source | {quiet['vote sets']:,} | something flagged in {quiet['something flagged']:,} |")
    return "\n".join(lines) + "\n"


def test_the_poison_table_is_that_of_the_benchmark():
    """1 to 10 copies at 0, 10 and 20 % noise; exact and 10 %-noise copies are always flagged, and one voice restores."""
    told = json.loads((ROOT / "bench/results/poison.json").read_text())
    assert {(line["copies"], line["noise"]) for line in told["table"]} >= {
        (count, noise) for count in range(1, 11) for noise in (0.0, 0.1, 0.2)
    }
    for line in told["table"]:
        if line["copies"] and line["noise"] <= 0.1:
            assert line["of bad and copies flagged"] == 1.0
            assert line["accuracy"]["one_voice"] >= 0.9
    assert quoted("poison") == poison_table(told)


def test_the_counts_of_the_check_are_those_of_the_benchmark():
    """Nothing of what is promised was missed, and independent sources are hardly ever named."""
    told = json.loads((ROOT / "bench/results/poison.json").read_text())
    for noise in ("0.0", "0.1"):
        assert told["always"][noise]["all flagged"] == told["always"][noise]["vote sets"] >= 1000
    assert told["false alarms"]["something flagged"] / told["false alarms"]["vote sets"] <= 0.005
    assert quoted("poison-always") == always_table(told)


def test_the_page_says_which_pairs_are_not_looked_at_and_the_check_keeps_to_it():
    """The page and the check have one number: a row fewer, and noisy copies that vote on the same rows go unnamed."""
    said = " ".join((ROOT / "docs/honesty.md").read_text().split())
    limits = {name: one.default for name, one in inspect.signature(copies.suspects).parameters.items()}
    assert f"A pair that meets on fewer than {copies.LEAST_ROWS} rows is not judged by its mistakes" in said
    assert f"share more than {limits['shared']:.0%} of".replace("%", " %") in said
    assert f"agree on more than {limits['agreement']:.0%} of these".replace("%", " %") in said

    def named(meet: int, agree: float, rows: int = 1000) -> bool:
        """Whether two beside whom nobody votes are named, who vote on the same rows and agree on a share of them."""
        votes = np.full((rows, 2), -1, dtype=np.int8)
        votes[:meet] = np.arange(meet)[:, None] % 2
        votes[: round(meet * (1 - agree)), 1] ^= 1
        found = copies.alike(copies.meetings(votes, n_classes=2), ("a", "b"))
        assert found.pairs == copies.suspects(copies.meetings(votes, n_classes=2), ("a", "b"))
        assert found.unweighed == (meet < copies.LEAST_ROWS and not found.pairs)
        return bool(found.pairs)

    assert named(copies.LEAST_ROWS, 0.9)
    assert "of which one votes on 1 % of all rows or less is not judged by the rows that it votes on either" in said
    assert not named(copies.LEAST_ROWS, 0.9, rows=100 * copies.LEAST_ROWS)
    assert not named(copies.LEAST_ROWS - 1, 0.9)
    assert named(copies.LEAST_ROWS - 1, 0.96)
    assert named(25, 0.96, rows=10_000)


def test_the_example_of_the_page_runs():
    """The copies are one group, and the labels are right again."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/honesty.md").read_text(), re.DOTALL)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "('w', 'x', 'y', 'z')" in done.stdout
    assert int(done.stdout.split("right on ")[1].split("%")[0]) >= 85


def test_the_figures_on_overconfidence_are_those_of_the_benchmark():
    """What the decision says of three corrections on unseen seeds and on the domains."""
    told = json.loads((ROOT / "bench/results/overconfidence.json").read_text())
    said = " ".join((ROOT / "docs/decisions/0025-copies-share-mistakes.md").read_text().split())

    def ece(process: str, way: str) -> str:
        return f"{told['processes'][process]['unseen'][way]['ece']:.3f}".lstrip("0")

    close, one = "close", "one family"
    assert f"({ece(close, 'as it is')} to {ece(close, 'effective number')} for close families, " in said
    assert f"{ece(one, 'as it is')} to {ece(one, 'effective number')} for one family" in said
    assert f"one number for all log-odds ({ece(close, 'as it is')} to {ece(close, 'temperature')})" in said
    assert f"one voice ({ece(close, 'as it is')} to {ece(close, 'one_voice')})" in said
    assert ece("independent", "as it is") == ece("independent", "effective number")
    tweets = told["domains"]["tweets"]
    assert f"{tweets['as it is']['ece']:.3f}".lstrip("0") in said
    assert f"{tweets['one_voice']['ece']:.3f}".lstrip("0") in said
