"""Which kinds of tampering does verification notice here, and which not?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from governance.config import Config
from governance.errors import BrokenEvidence, GovernanceError
from governance.proof.check import Check, Verification
from governance.proof.drill import by_the_owner, in_the_files, in_the_store
from governance.proof.drill.scene import NothingThere, Scene, set_up
from governance.store.trail import Trail

#: who does it, and what that takes
ATTACKERS = (
    ("somebody who can write to the store", in_the_store.TAMPERINGS),
    ("somebody who can write to the project's files", in_the_files.TAMPERINGS),
    ("the owner, with the log's key", by_the_owner.TAMPERINGS),
)


@dataclass(frozen=True)
class Outcome:
    """One kind of tampering: by whom, what was done, and what verification said of it.

    `here` is what `labeltrail verify` said in the project as it is, `outside` what it said to somebody who had kept a
    checkpoint elsewhere (asked only where the first said nothing). Both are empty where nothing was noticed.
    """

    who: str
    name: str
    does: str
    here: str = ""
    outside: str = ""
    not_tried: str = ""

    @property
    def caught(self) -> bool:
        return bool(self.here or self.outside)


class Drill:
    """Makes every kind of tampering, each on a copy of its own, and asks verification each time.

    Raises BrokenEvidence before anything is tampered with where the project is not whole now: what an attack does could
    not be told from what is wrong already.
    """

    def __init__(self, config: Config, trail: Trail, *, scratch: Path) -> None:
        self._config, self._trail, self._scratch = config, trail, scratch

    @property
    def size(self) -> int:
        return sum(len(tamperings) for _, tamperings in ATTACKERS)

    def run(self) -> Iterator[Outcome]:
        with tempfile.TemporaryDirectory(prefix="drill-", dir=self._scratch) as folder:
            pristine = set_up(self._config, self._trail, Path(folder) / "pristine")
            kept = Path(folder) / "kept"
            kept.write_text(_note(pristine), encoding="utf-8")
            before = pristine.verified(since=kept)
            if broken := before.of("broken"):
                first = broken[0]
                raise BrokenEvidence(
                    first.culprit, expected="a whole project", actual=first.says, hint="mend it before a drill"
                )
            for who, tamperings in ATTACKERS:
                for number, tamper in enumerate(tamperings):
                    with tempfile.TemporaryDirectory(prefix=f"{number}-", dir=folder) as place:
                        yield _tried(pristine.copied_to(Path(place)), tamper, who=who, before=before, kept=kept)


def _tried(scene: Scene, tamper: Callable[[Scene], None], *, who: str, before: Verification, kept: Path) -> Outcome:
    outcome = {"who": who, "name": tamper.__name__, "does": (tamper.__doc__ or "").strip()}
    try:
        tamper(scene)
    except NothingThere as lacking:
        return Outcome(**outcome, not_tried=str(lacking))
    here = _noticed(scene, before)
    return Outcome(**outcome, here=here, outside="" if here else _noticed(scene, before, since=kept))


def _noticed(scene: Scene, before: Verification, *, since: Path | None = None) -> str:
    """The worst that verification says now and did not say before, or nothing."""
    known = {_seen(check) for check in before.checks}
    try:
        now = scene.verified(since=since)
    except GovernanceError as error:
        return _plain(error.message, scene, since)
    new = [check for check in now.checks if check.state != "fine" and _seen(check) not in known]
    return _plain(f"{new[0].culprit}: {new[0].says}", scene, since) if new else ""


def _plain(says: str, scene: Scene, kept: Path | None = None) -> str:
    says = says.replace(f"{scene.root}/", "")
    return says.replace(str(kept), "the checkpoint that was kept") if kept else says


def _seen(check: Check) -> tuple[str, str, str]:
    return check.state, check.culprit, check.says


def _note(scene: Scene) -> str:
    with scene.trail() as trail:
        return trail.checkpoints()[-1][1]
