"""Which synthetic lineage is measured? Pipelines that run again and again, over sources that many of them share.

Each of `PIPELINES` pipelines runs `RUNS` times. A run states what ours state: a result, its recipe, three facts generated
by it, an execution in an environment that the pipeline keeps (6 records, 10 edges):

    result hadPlan recipe; 3 × fact wasGeneratedBy result; execution wasInformedBy result; execution used environment;
    result used two earlier facts, and its first fact wasDerivedFrom both

The two are facts of the `BEHIND` runs before, never of the same run, so that a pipeline's lineage is about `RUNS / BEHIND`
runs deep and never wider than its pipeline; a first run uses the sources of its group. One source in `GROUPS` is shared by
`PIPELINES / GROUPS` pipelines: what came of it is its blast radius.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

PIPELINES, RUNS, BEHIND, GROUPS = 2_900, 350, 8, 5

Edge = tuple[str, str, str]


def name(kind: str, *parts: object) -> str:
    """A record's name, as random as a digest and the same in every build."""
    return f"{kind}:{hashlib.sha256(repr(parts).encode()).hexdigest()}"


def source(group: int) -> str:
    """The source version that every pipeline of a group begins with."""
    return name("source", group)


def edges(*, pipelines: int = PIPELINES, runs: int = RUNS, seed: int = 1) -> Iterator[Edge]:
    """(subject, relation, object), pipeline by pipeline."""
    chance = random.Random(seed)  # noqa: S311 - a synthetic graph, not a secret
    for pipeline in range(pipelines):
        environment = name("environment", pipeline)
        facts = [[source(pipeline % GROUPS)] * 3]
        for run in range(runs):
            result = name("result", pipeline, run)
            made = [name("dataset", pipeline, run, number) for number in range(3)]
            used = {chance.choice(chance.choice(facts[-BEHIND:])) for _ in range(2)}
            yield result, "hadPlan", name("recipe", pipeline, run)
            yield name("execution", pipeline, run), "wasInformedBy", result
            yield name("execution", pipeline, run), "used", environment
            for fact in made:
                yield fact, "wasGeneratedBy", result
            for before in used:
                yield result, "used", before
                yield made[0], "wasDerivedFrom", before
            facts.append(made)
