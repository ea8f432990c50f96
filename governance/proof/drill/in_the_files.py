"""What can somebody do who can write to the project's files, to dvc.lock and to DVC's cache?"""

from __future__ import annotations

from dataclasses import dataclass

from governance.digest import file_md5, sha256, write_atomically
from governance.dvc.files import cached_file, read_lock, read_stages
from governance.errors import GovernanceError
from governance.proof.drill.scene import NothingThere, Scene
from governance.records import Recipe, Result
from governance.runs.runfile import RunFile, facts_path, read_run, run_path


@dataclass(frozen=True)
class _Made:
    """An output that lies there, with the run that made it."""

    stage: str
    path: str
    run: RunFile


def an_output(scene: Scene) -> None:
    """One bit of an output is flipped."""
    made = _made(scene)
    scene.replace_file(made.path, _flipped(scene, made.path))


def an_output_with_lock_and_cache(scene: Scene) -> None:
    """An output is changed, and put into dvc.lock and DVC's cache, as `dvc commit -f` does."""
    made = _made(scene)
    _commit(scene, made.path, _flipped(scene, made.path))


def an_output_with_its_run_lock_and_cache(scene: Scene) -> None:
    """An output is changed, and run file, dvc.lock and cache all agree with it."""
    made = _made(scene)
    data = _flipped(scene, made.path)
    _commit(scene, made.path, data)
    body = made.run.result.body()
    for output in body["outputs"]:
        if output["path"] == made.path:
            output["sha256"] = sha256(data)
    forged = RunFile(made.run.recipe, Result.make(**body))
    _commit(scene, run_path(scene.config.artifacts, made.stage), forged.to_bytes())


def a_recipe_that_never_ran(scene: Scene) -> None:
    """A run file, with dvc.lock and cache, names a recipe that nobody ran."""
    made = _made(scene)
    recipe = Recipe.make(**{**made.run.recipe.body(), "hash_seed": "4711"})
    forged = RunFile(recipe, Result.make(**{**made.run.result.body(), "recipe": recipe.name}))
    _commit(scene, run_path(scene.config.artifacts, made.stage), forged.to_bytes())


def the_lock(scene: Scene) -> None:
    """dvc.lock gives an output another MD5."""
    made = _made(scene)
    _relock(scene, made.path, "d41d8cd98f00b204e9800998ecf8427e")


def the_cache(scene: Scene) -> None:
    """DVC's cache holds other bytes under the name of an output."""
    made = _made(scene)
    place = _cached(scene, made.path)
    if not place.is_file():
        raise NothingThere("DVC's cache does not hold the outputs")
    place.chmod(0o644)
    write_atomically(place, _flip(place.read_bytes()))


def an_output_deleted(scene: Scene) -> None:
    """An output is deleted."""
    (scene.root / _made(scene).path).unlink()


def a_run_file_deleted(scene: Scene) -> None:
    """The file that says how an output came about is deleted."""
    (scene.root / run_path(scene.config.artifacts, _made(scene).stage)).unlink()


def what_a_run_stated(scene: Scene) -> None:
    """One of the facts that a run stated is taken out of its facts file."""
    path = facts_path(scene.config.artifacts, _made(scene).stage)
    if not (scene.root / path).is_file():
        raise NothingThere("the run stated no facts")
    lines = (scene.root / path).read_bytes().splitlines(keepends=True)
    scene.replace_file(path, b"".join(lines[:-1]))


def the_code_since_the_run(scene: Scene) -> None:
    """Code that a run imported is edited after it ran."""
    code = [ref.path for ref in _made(scene).run.recipe.code]
    if not code:
        raise NothingThere("the run imported no code of the project")
    scene.replace_file(code[-1], (scene.root / code[-1]).read_bytes() + b"\n# edited\nEDITED = True\n")


def a_stage_out_of_the_pipeline(scene: Scene) -> None:
    """A stage is taken out of dvc.yaml and dvc.lock, so that nobody looks at its outputs."""
    import yaml

    made = _made(scene)
    for name in ("dvc.yaml", "dvc.lock"):
        document = yaml.safe_load((scene.root / name).read_bytes())
        document["stages"].pop(made.stage, None)
        scene.replace_file(name, yaml.safe_dump(document).encode())


def _made(scene: Scene) -> _Made:
    """The largest output with a run file."""
    found = []
    for stage in read_stages(scene.root):
        path = scene.root / run_path(scene.config.artifacts, stage)
        if not path.is_file():
            continue
        try:
            run = read_run(path)
        except GovernanceError:
            continue
        facts = facts_path(scene.config.artifacts, stage)
        there = (ref for ref in run.result.outputs if (scene.root / ref.path).is_file() and ref.path != facts)
        found += [(ref.bytes, _Made(stage, ref.path, run)) for ref in there if ref.bytes]
    if not found:
        raise NothingThere("no output with a run file lies in the project")
    return max(found, key=lambda one: one[0])[1]


def _flipped(scene: Scene, path: str) -> bytes:
    return _flip((scene.root / path).read_bytes())


def _flip(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def _commit(scene: Scene, path: str, data: bytes) -> None:
    """Puts other bytes at a path, into dvc.lock and into DVC's cache."""
    scene.replace_file(path, data)
    md5 = file_md5(scene.root / path)
    _relock(scene, path, md5)
    write_atomically(cached_file(scene.root, md5), data)


def _relock(scene: Scene, path: str, md5: str) -> None:
    locked = _locked_md5(scene, path)
    lock = (scene.root / "dvc.lock").read_text(encoding="utf-8")
    scene.replace_file("dvc.lock", lock.replace(locked, md5).encode())


def _cached(scene: Scene, path: str):
    return cached_file(scene.root, _locked_md5(scene, path))


def _locked_md5(scene: Scene, path: str) -> str:
    for stage in read_lock(scene.root).values():
        for out in stage.outs:
            if out.path == path and out.md5:
                return out.md5
    raise NothingThere(f"dvc.lock does not hold {path}")


TAMPERINGS = (
    an_output,
    an_output_with_lock_and_cache,
    an_output_with_its_run_lock_and_cache,
    a_recipe_that_never_ran,
    the_lock,
    the_cache,
    an_output_deleted,
    a_run_file_deleted,
    what_a_run_stated,
    the_code_since_the_run,
    a_stage_out_of_the_pipeline,
)
