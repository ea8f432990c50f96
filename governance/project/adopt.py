"""How do entries that were recorded without the log's key come under it?"""

from __future__ import annotations

from governance.config import Config
from governance.errors import BrokenEvidence, ConfigurationError
from governance.project import git
from governance.project.report import Report, counted
from governance.proof.log import LogCheck
from governance.records import Adoption
from governance.store import keys
from governance.store.checkpoint import parse_note
from governance.store.trail import Trail

#: the way to a signed log from one that began without a key
BEGAN_UNSIGNED = "`labeltrail key rotate` gives it one; then look at what was recorded before, and `labeltrail adopt`"


def adopt(config: Config, trail: Trail) -> Report:
    """1. the log's own key is at hand  2. nothing in the log contradicts itself  3. an entry says who vouches for what

    Raises ConfigurationError (not the log's key, or a log without any), BrokenEvidence (the first thing that does not fit).
    """
    # 1.
    public = trail.keychain().newest.public_key
    if public is None:
        raise ConfigurationError("this log names no key: it began without one", hint=BEGAN_UNSIGNED)
    if keys.load_key(public) is None:
        raise ConfigurationError(
            "the key at hand is not the one that signs this log",
            hint=f"`labeltrail key show` tells which does; machines without a home use {keys.KEY_VARIABLE}",
        )
    # 2.
    check = LogCheck(trail)
    broken = [found for found in check.run() if found.state == "broken"]
    if broken:
        first = broken[0]
        raise BrokenEvidence(first.culprit, expected="a whole log", actual=first.says, hint="nothing was adopted")
    # 3.
    open_ = set(check.unadopted)
    unsigned = [parse_note(note) for size, note, _ in trail.checkpoints() if size in open_]
    if not unsigned:
        return Report("adopt", {"adopted": 0}, ("every checkpoint is signed or adopted already",))
    last = unsigned[-1]
    record = Adoption.make(first=unsigned[0].size, last=last.size, root=last.root.hex(), who=git.who(config.root))
    appended = trail.append([record])
    says = f"adopted {counted(len(unsigned), 'checkpoint')} from entry {record.first} to {record.last}"
    return Report("adopt", {"adopted": len(unsigned), "record": record.name, "signed": appended.signed}, (says,))
