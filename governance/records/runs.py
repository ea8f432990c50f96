"""What went in, what came out? Names cover exactly these, so that two machines can agree."""

from __future__ import annotations

from governance.records.base import Count, Digest, Name, Part, Record

_DESCRIBED = ("source:", "contract:", "attestation:")


class FileRef(Part):
    """A file below the project's root by path and content."""

    path: str
    sha256: Digest
    bytes: Count


class Distribution(Part):
    """An imported distribution."""

    distribution: str
    version: str


class Recipe(Record):
    """Everything that decided a stage's outputs."""

    kind = "recipe"

    stage: str
    inputs: tuple[FileRef, ...]
    #: the stage's section of params.yaml, as canonical JSON text, because parameters may be decimals
    parameters: dict[str, str]
    seed: Count
    code: tuple[FileRef, ...]
    distributions: tuple[Distribution, ...]
    python: str
    threads: Count
    hash_seed: str


class Result(Record):
    """What a recipe gave. Two results of one recipe that differ are a finding."""

    kind = "result"

    stage: str
    recipe: Name
    outputs: tuple[FileRef, ...]
    #: the facts that the stage stated, and those that it started from
    generated: tuple[Name, ...]
    used: tuple[Name, ...]

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        # A run describes its sources, its contracts and what people stated; it made none of them.
        used = [name for name in self.generated if name.startswith(_DESCRIBED)]
        return (
            (self.name, "hadPlan", self.recipe),
            *((name, "wasGeneratedBy", self.name) for name in self.generated if name not in used),
            *((self.name, "used", name) for name in used if name not in self.used),
            *((self.name, "used", name) for name in self.used),
        )
