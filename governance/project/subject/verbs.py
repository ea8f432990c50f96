"""The verbs of `labeltrail subject`: who is given, what is asked, and what is answered?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from governance.config import Config
from governance.digest import write_atomically
from governance.errors import ConfigurationError, InvalidRecord
from governance.project.report import Report
from governance.project.subject.erase import REASON, erase, resume
from governance.project.subject.plan import make_plan
from governance.project.subject.search import Search
from governance.project.subject.told import erase_report, find_report, plan_report, receipt
from governance.store.trail import Trail


def person_given(given: str | None, file: Path | None) -> str:
    """The person from the command line, a file, or `-`: the first line of standard input. Raises ConfigurationError."""
    if (given is None) == (file is None):
        raise ConfigurationError(
            "who is it about?", hint="give PERSON, `-` to read it from standard input, or --person FILE"
        )
    if file is not None:
        given = _text(file)
    elif given == "-":
        given = sys.stdin.readline()
    person = (given or "").rstrip("\r\n")
    if not person or "\n" in person:
        raise InvalidRecord("person", f"{len(person)} characters", "one line that is not empty")
    # What is no UTF-8 on the command line comes here as halves of characters.
    if any("\ud800" <= character <= "\udfff" for character in person):
        raise InvalidRecord("person", f"{len(person)} characters", "UTF-8")
    return person


def texts_in(file: Path | None) -> frozenset[str]:
    """The texts in a file, one a line. Raises ConfigurationError."""
    return frozenset(line for line in _text(file).splitlines() if line.strip()) if file is not None else frozenset()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}", hint="name a text file in UTF-8") from None


def find(config: Config, trail: Trail, person: str, *, texts: Path | None, say: Callable[[str], None]) -> Report:
    """`labeltrail subject find`."""
    return find_report(Search(config, trail, say=say).run(person, texts=texts_in(texts)), trail.facts())


def verify(config: Config, trail: Trail, person: str, *, texts: Path | None, say: Callable[[str], None]) -> Report:
    """`labeltrail subject verify`: every store is searched, also for digests and other spellings."""
    found = Search(config, trail, say=say).run(person, texts=texts_in(texts), thorough=True)
    return find_report(found, trail.facts(), verb="subject verify")


def plan(config: Config, trail: Trail, person: str, *, texts: Path | None, say: Callable[[str], None]) -> Report:
    """`labeltrail subject erase --plan`."""
    return plan_report(make_plan(config, trail, person, texts=texts_in(texts), say=say))


def erased(
    config: Config,
    trail: Trail,
    person: str,
    *,
    texts: Path | None,
    reason: str | None,
    receipt_to: Path | None,
    say: Callable[[str], None],
) -> Report:
    """`labeltrail subject erase`; the receipt's folder is looked at before anything is done."""
    if receipt_to is not None and (not receipt_to.parent.is_dir() or receipt_to.is_dir()):
        raise ConfigurationError(f"{receipt_to} cannot be written", hint="name a file in a folder that is there")
    done = erase(config, trail, person, texts=texts_in(texts), reason=reason or REASON, say=say)
    if receipt_to is not None and done.erasure is not None:
        told = (
            json.dumps(receipt(done, done.erasure, log=trail.log), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        )
        write_atomically(receipt_to, told.encode())
    return erase_report(done)


def resumed(config: Config, trail: Trail) -> Report:
    """`labeltrail subject erase --resume`."""
    return erase_report(resume(config, trail))
