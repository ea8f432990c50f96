"""How good are labels and model? The table of results as README shows it, made from what the run recorded.

`python -m pipelines.results` prints it; with --write FILE it takes its place between the marks in that file, and with
--check FILE the exit status says whether it stands there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from governance.cli.tell import status_of
from governance.facts import Facts
from governance.project import Project
from governance.records import Evaluation, Metric, Result

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
STAGE = "evaluate"
DOMAINS = ("tweets", "amazon", "movies", "nyt")
PREDICTORS = {
    "majority": "majority vote",
    "label_model": "label model",
    "model": "end model",
    "supervised": "trained on gold",
}


def main(arguments: list[str]) -> int:
    """Prints, writes or checks the table of the project around the current folder; answers the exit status."""
    asked = argparse.ArgumentParser(prog="python -m pipelines.results", description=__doc__)
    which = asked.add_mutually_exclusive_group()
    which.add_argument("--write", metavar="FILE", type=Path, help="put the table between the marks in this file")
    which.add_argument("--check", metavar="FILE", type=Path, help="does the table stand there? 1 where it does not")
    given = asked.parse_args(arguments)
    evaluation = evaluated(Project.find(Path.cwd()).current_facts())
    shown = table(evaluation)
    path = given.write or given.check
    if path is None:
        print(shown, end="")
        return 0
    text = path.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"{path} has no marks {BEGIN} and {END}", file=sys.stderr)
        return 2
    wanted = f"{head}{BEGIN}\n{shown}{END}{tail}"
    if given.write:
        path.write_text(wanted, encoding="utf-8")
        return 0
    if text != wanted:
        print(f"{path} shows other results than the run recorded:\n{shown}", file=sys.stderr)
        return 1
    return 0


def evaluated(facts: Facts) -> Evaluation:
    """What the evaluate stage measured; a spot check is an evaluation too. Raises UnknownName where it measured nothing."""
    made = {name for result in facts.of(Result) if result.stage == STAGE for name in result.generated}
    return Facts(record for record in facts if record.name in made).one(Evaluation)


def table(evaluation: Evaluation) -> str:
    """Accuracy on the test split of each domain, with 95 % intervals, as a Markdown table."""
    heads = ["domain", "examples", *PREDICTORS.values()]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for domain in DOMAINS:
        found = [evaluation.metric("accuracy", of=of, slice=domain) for of in PREDICTORS]
        examples = next((metric.examples for metric in reversed(found) if metric), 0)
        lines.append("| " + " | ".join([domain, f"{examples:,}", *(cell(metric) for metric in found)]) + " |")
    return "\n".join(lines) + "\n"


def cell(metric: Metric | None) -> str:
    """One figure with its interval."""
    if metric is None or metric.value is None or metric.low is None or metric.high is None:
        return "unknown"
    return f"{float(metric.value):.3f} ({float(metric.low):.3f} to {float(metric.high):.3f})"


if __name__ == "__main__":
    raise SystemExit(status_of(lambda: main(sys.argv[1:])))
