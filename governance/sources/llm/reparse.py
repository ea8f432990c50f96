"""How do stored answers read today? `python -m governance.sources.llm.reparse`, in the project's folder.

A process of its own: the parser is the project's code as it is now, and may do what it likes without taking us with it.
Standard input is JSON with `parser`, `classes` and `answers`; standard output is JSON with `behaviour` and `votes`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.errors import ConfigurationError, GovernanceError
from governance.sources.llm.parsers import Answer, judged, parser_named


@dataclass(frozen=True)
class Reparsed:
    """The digest of how the parser behaves today, and (vote, type of error) for each answer."""

    behaviour: str
    votes: list[tuple[int, str]]


def reparse(root: Path, parser: str, answers: Sequence[Answer], *, classes: Sequence[str]) -> Reparsed:
    """Reads answers with the parser that the project has today; asks nobody. Raises ConfigurationError."""
    import governance

    told = {
        "parser": parser,
        "classes": list(classes),
        "answers": [[one.text, one.refusal, one.finish_reason, one.model] for one in answers],
    }
    library = str(Path(governance.__file__).parents[1])
    path = os.pathsep.join(part for part in (library, os.environ.get("PYTHONPATH", "")) if part)
    done = subprocess.run(
        [sys.executable, "-m", "governance.sources.llm.reparse"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {"failed": f"parser {parser} ended its process (exit {done.returncode})", "hint": None}
    if "failed" in found:
        raise ConfigurationError(found["failed"], hint=found["hint"])
    return Reparsed(found["behaviour"], [(vote, error) for vote, error in found["votes"]])


def _answer(told: dict[str, Any]) -> dict[str, Any]:
    from governance.fingerprint import behaviour

    try:
        parser = parser_named(told["parser"])
    except GovernanceError as error:
        return {"failed": error.message, "hint": error.hint}
    except (Exception, SystemExit) as error:
        return {"failed": f"parser {told['parser']} cannot be imported: {type(error).__name__}", "hint": None}
    votes = [judged(parser, Answer(*parts), told["classes"]) for parts in told["answers"]]
    return {"behaviour": behaviour(parser).digest, "votes": votes}


def main() -> None:
    """Answers on the standard output as it was; what the parser prints goes to stderr."""
    told = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        sys.path.insert(0, str(Path.cwd()))
        json.dump(_answer(told), answer)


if __name__ == "__main__":
    main()
