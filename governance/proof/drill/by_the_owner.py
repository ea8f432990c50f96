"""What can the owner do, who holds the log's key and everything else that lies here?"""

from __future__ import annotations

from governance.proof.anchors import tracked_path
from governance.proof.drill.in_the_store import altered
from governance.proof.drill.scene import NothingThere, Scene


def everything_signed_again(scene: Scene) -> None:
    """An entry is changed, and all hashes, tables and signatures are made anew."""
    _another_history(scene)


def everything_signed_again_with_the_tracked_checkpoint(scene: Scene) -> None:
    """The same, and the checkpoint that git carries is replaced as well."""
    place = tracked_path(scene.root, scene.log)
    if not place.is_file():
        raise NothingThere("git carries no checkpoint of this log")
    place.unlink()
    place.write_text(_another_history(scene), encoding="utf-8")


def the_log_rolled_back(scene: Scene) -> None:
    """The newest entries that no file holds are taken back, with their checkpoints: an older state, whole in itself."""
    entries = scene.entries()
    size = len(entries)
    while size > 1 and entries[size - 1].record.event:
        size -= 1
    if size == len(entries):
        raise NothingThere("the newest entry is one that the project's files hold too")
    scene.rewrite(entries[:size], key=scene.key)


def an_entry_left_out(scene: Scene) -> None:
    """History is written once more without one entry."""
    entries = scene.entries()
    seq, _ = altered(entries)
    scene.rewrite([*entries[:seq], *entries[seq + 1 :]], key=scene.key)


def _another_history(scene: Scene) -> str:
    entries = scene.entries()
    seq, entry = altered(entries)
    return scene.rewrite([*entries[:seq], entry, *entries[seq + 1 :]], key=scene.key).to_note()


TAMPERINGS = (
    everything_signed_again,
    everything_signed_again_with_the_tracked_checkpoint,
    the_log_rolled_back,
    an_entry_left_out,
)
