"""Is this a licence that SPDX knows, and how is it written?"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from governance.errors import InvalidRecord, UnknownName

_REFERENCE = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
_OPERATORS = {"and", "or", "with"}


def licence(expression: str, *, where: str, field: str) -> str:
    """An SPDX licence expression in its one spelling: `pddl-1.0 and MIT` is `MIT AND PDDL-1.0`.

    A licence without an SPDX id is written `LicenseRef-NAME`. Raises UnknownName for an id that SPDX does not list
    (did you mean ...?), InvalidRecord for an expression that cannot be read.
    """
    from license_expression import ExpressionError, LicenseSymbol, Licensing

    known = _known()
    symbols: dict[str, LicenseSymbol] = {}
    for word in re.findall(r"[^\s()]+", expression):
        if word.lower() in _OPERATORS:
            continue
        if not _REFERENCE.fullmatch(word) and word.lower() not in known:
            raise UnknownName(f"SPDX licence ({where}: {field})", word, [key for key, _ in known.values()])
        # Aliases would turn one licence into another: a user's LicenseRef-LICENSE is not what a scanner calls so.
        key, exception = (word, False) if _REFERENCE.fullmatch(word) else known[word.lower()]
        symbols[word] = LicenseSymbol(key, is_exception=exception, aliases=(word,) if word != key else ())
    if not symbols:
        raise InvalidRecord(
            field, expression, "an SPDX licence expression, such as MIT or LicenseRef-unknown", where=where
        )
    unique = {symbol.key: symbol for symbol in symbols.values()}
    spelled = re.sub(r"[^\s()]+", lambda m: symbols[m[0]].key if m[0] in symbols else m[0].upper(), expression)
    try:
        parsed: Any = Licensing(unique.values()).parse(spelled, strict=True)
    except ExpressionError as error:
        raise InvalidRecord(field, expression, f"an SPDX licence expression ({error})", where=where) from None
    return parsed.simplify().render()


@cache
def _known() -> dict[str, tuple[str, bool]]:
    """SPDX ids in lower case → (id, whether it is an exception for use after WITH)."""
    from license_expression import get_spdx_licensing

    symbols = get_spdx_licensing().known_symbols
    return {
        key.lower(): (key, bool(symbol.is_exception))
        for key, symbol in symbols.items()
        if not key.startswith("LicenseRef-")
    }
