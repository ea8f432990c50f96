"""Which queries are there? Every function marked with `query` in a module of the shelf, by its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from governance import shelf
from governance.claims import UNHELD, Answer, Gap, Thread, attest
from governance.controls import Control
from governance.errors import ConfigurationError
from governance.facts import Facts


@dataclass(frozen=True)
class Context:
    """What a query knows beside the facts: the thread of the newest model, the control that asks, the date of judging."""

    thread: Thread
    control: Control
    as_of: str

    def unheld(self, what: str) -> Answer:
        """The silence of something that no kind of record holds yet; a statement on the control can only stand in."""
        return Answer(gaps=(Gap(what, attest(self.control.id), sort=UNHELD),))


Query = Callable[[Facts, Context], Answer]


def query(function: Query) -> Query:
    """Marks a function as the answer to the query of the same name."""
    function.__labeltrail_query__ = True  # type: ignore[attr-defined]
    return function


@cache
def queries() -> dict[str, Query]:
    """Every query on the shelf, by name. Raises ConfigurationError where two modules answer the same one."""
    found: dict[str, Query] = {}
    for _, module in shelf.walk("governance.audit.queries"):
        for name, value in sorted(vars(module).items()):
            if not getattr(value, "__labeltrail_query__", False) or value.__module__ != module.__name__:
                continue
            if name in found:
                raise ConfigurationError(f"query {name} stands in {found[name].__module__} and in {module.__name__}")
            found[name] = value
    return found
