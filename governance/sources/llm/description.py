"""What does a project say of a language model that votes, and can it be taken at its word?

`llm/NAME.yaml` beside NAME.yaml: the model, the prompt, the parameters, the parser, the terms and the price. Its owner,
licence and personal data stand in NAME.yaml, as they do for every other source.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from governance.digest import decimal
from governance.errors import ConfigurationError, InvalidRecord, UnknownName

FIELDS = (
    "model",
    "accepts",
    "endpoint",
    "api_key_variable",
    "system",
    "prompt",
    "few_shot",
    "parameters",
    "parser",
    "terms",
    "price",
    "limits",
)
_FEW_SHOT = ("table", "ids", "id", "text", "label")
_PARAMETERS = ("temperature", "top_p", "max_tokens", "seed")
_TERMS = ("url", "read", "sha256", "reviewer", "expires")
_PRICE = ("currency", "prompt_per_million", "completion_per_million")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class FewShot:
    """Which rows of a table are shown to the model as examples, by id; their texts and labels are read from there."""

    table: str
    ids: tuple[str, ...]
    id_column: str = "example_id"
    text_column: str = "text"
    label_column: str = "label"


@dataclass(frozen=True)
class Limits:
    """How patiently the endpoint is asked; none of it is part of the source version.

    `requests_per_minute` 0 is no limit of our own.
    """

    timeout_seconds: float = 60.0
    attempts: int = 5
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    requests_per_minute: int = 0
    at_once: int = 4


@dataclass(frozen=True)
class LlmDescription:
    """An `llm/NAME.yaml`, checked. It names the variable with the API key, and never holds the key."""

    name: str
    model: str
    endpoint: str
    prompt: str
    parser: str
    accepts: tuple[str, ...] = ()
    api_key_variable: str = ""
    system: str = ""
    few_shot: FewShot | None = None
    parameters: Mapping[str, int | float] = field(default_factory=dict)
    terms: Mapping[str, str] | None = None
    price: Mapping[str, str] | None = None
    limits: Limits = Limits()


def read_llm(path: Path) -> LlmDescription:
    """The description in a file. Raises ConfigurationError (no file), UnknownName (did you mean?) or InvalidRecord."""
    where = str(path)
    given = _mapping(path)
    _known(given, FIELDS, "a language model's description", where)
    endpoint = _text(given, "endpoint", where)
    key = _key_variable(given.get("api_key_variable"), where)
    _check_endpoint(endpoint, secret=bool(key), where=where)
    prompt = _text(given, "prompt", where)
    if "{text}" not in prompt:
        raise InvalidRecord("prompt", prompt, "a text with {text} where the example goes", where=where)
    return LlmDescription(
        name=path.stem,
        model=_text(given, "model", where),
        accepts=_texts(given, "accepts", where),
        endpoint=endpoint,
        api_key_variable=key,
        system=_text(given, "system", where, optional=True),
        prompt=prompt,
        few_shot=_few_shot(given.get("few_shot"), where),
        parameters=_parameters(given.get("parameters"), where),
        parser=_text(given, "parser", where),
        terms=_terms(given.get("terms"), where),
        price=_price(given.get("price"), where),
        limits=_limits(given.get("limits"), where),
    )


def _mapping(path: Path) -> dict[str, Any]:
    where = str(path)
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=_Once)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise ConfigurationError(
            f"{where}: no such file", hint="model, prompt and parser of a source of kind llm are described there"
        ) from None
    except UnicodeDecodeError:
        raise InvalidRecord("file", "other bytes", "text in UTF-8", where=where) from None
    except yaml.YAMLError as error:
        told = " ".join(str(getattr(error, "problem", None) or type(error).__name__).split())
        raise InvalidRecord("file", told, "YAML in which each field stands once", where=where) from None
    if not isinstance(given, dict):
        raise InvalidRecord("file", type(given).__name__, "a mapping from field to value", where=where)
    return given


class _Once(yaml.SafeLoader):
    """A SafeLoader that refuses a field that stands twice, where YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _known(given: Mapping[Any, Any], fields: tuple[str, ...], what: str, where: str) -> None:
    for name in given:
        if name not in fields:
            raise UnknownName(f"field of {what} ({where})", str(name), fields)


def _inner(given: Any, name: str, fields: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidRecord(name, type(given).__name__, f"a mapping with {', '.join(fields)}", where=where)
    _known(given, fields, name, where)
    return given


def _text(given: Mapping[str, Any], name: str, where: str, *, optional: bool = False, prefix: str = "") -> str:
    value = given.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not value.strip():
        raise InvalidRecord(
            f"{prefix}{name}", value, "a text (in quotes where it looks like something else)", where=where
        )
    return value.strip()


def _texts(given: Mapping[str, Any], name: str, where: str, *, prefix: str = "") -> tuple[str, ...]:
    value = given.get(name)
    value = [] if value is None else value
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InvalidRecord(f"{prefix}{name}", value, "a list of texts", where=where)
    if len(set(value)) < len(value):
        raise InvalidRecord(f"{prefix}{name}", value, "each of them once", where=where)
    return tuple(value)


def _key_variable(given: Any, where: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or not _VARIABLE.fullmatch(given):
        # Somebody may have put the key itself here, which must not be printed.
        wanted = "the name of an environment variable, such as OPENAI_API_KEY, and not the key"
        raise InvalidRecord("api_key_variable", "something else (not shown)", wanted, where=where)
    return given


def _check_endpoint(endpoint: str, *, secret: bool, where: str) -> None:
    wanted = "a URL such as https://api.openai.com/v1/chat/completions, without user, query or fragment"
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidRecord("endpoint", "no URL (not shown)", wanted, where=where) from None
    plain = parts.scheme in ("http", "https") and host and endpoint.isascii() and endpoint.isprintable()
    if not plain or "@" in endpoint or "?" in endpoint or "#" in endpoint or " " in endpoint:
        # What stands there may be a password or a key.
        raise InvalidRecord("endpoint", "another text (not shown)", wanted, where=where)
    if secret and parts.scheme == "http" and host not in _LOOPBACK:
        wanted = "https, because an API key is sent there"
        raise InvalidRecord("endpoint", endpoint, wanted, where=where)


def _few_shot(given: Any, where: str) -> FewShot | None:
    if given is None:
        return None
    inner = _inner(given, "few_shot", _FEW_SHOT, where)
    ids = _texts(inner, "ids", where, prefix="few_shot.")
    if not ids:
        raise InvalidRecord("few_shot.ids", list(ids), "at least one example id", where=where)
    names = {name: _text(inner, name, where, optional=True, prefix="few_shot.") for name in ("id", "text", "label")}
    return FewShot(
        table=_text(inner, "table", where, prefix="few_shot."),
        ids=ids,
        id_column=names["id"] or FewShot.id_column,
        text_column=names["text"] or FewShot.text_column,
        label_column=names["label"] or FewShot.label_column,
    )


def _parameters(given: Any, where: str) -> dict[str, int | float]:
    inner = _inner(given if given is not None else {}, "parameters", _PARAMETERS, where)
    for name, value in inner.items():
        whole = name in ("max_tokens", "seed")
        fits = type(value) is int if whole else type(value) in (int, float)
        if not fits or not math.isfinite(value) or value < 0:
            wanted = "a whole number, 0 or more" if whole else "a number, 0 or more"
            raise InvalidRecord(f"parameters.{name}", value, wanted, where=where)
    # 0 and 0.0 are one temperature, and one request.
    return {name: v if name in ("max_tokens", "seed") else float(v) for name, v in sorted(inner.items())}


def _terms(given: Any, where: str) -> dict[str, str] | None:
    if given is None:
        return None
    inner = _inner(given, "terms", _TERMS, where)
    told = {"url": _text(inner, "url", where, prefix="terms.")}
    told |= {name: _text(inner, name, where, optional=True, prefix="terms.") for name in _TERMS[1:]}
    for name in ("read", "expires"):
        if told[name] and not is_date(told[name]):
            raise InvalidRecord(f"terms.{name}", told[name], "a date YYYY-MM-DD in quotes", where=where)
    if told["sha256"] and not re.fullmatch(r"[0-9a-f]{64}", told["sha256"]):
        wanted = "the SHA-256 of the text that was read, 64 digits"
        raise InvalidRecord("terms.sha256", told["sha256"], wanted, where=where)
    return told


def is_date(text: str) -> bool:
    """Whether a text is a day as YYYY-MM-DD."""
    try:
        return bool(_DATE.fullmatch(text)) and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _price(given: Any, where: str) -> dict[str, str] | None:
    if given is None:
        return None
    inner = _inner(given, "price", _PRICE, where)
    currency = _text(inner, "currency", where, prefix="price.")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InvalidRecord("price.currency", currency, "a currency of ISO 4217, such as EUR", where=where)
    told = {"currency": currency}
    for name, short in (("prompt_per_million", "prompt"), ("completion_per_million", "completion")):
        value: Any = inner.get(name)
        if type(value) not in (int, float) or not 0 <= value <= 1e9:
            raise InvalidRecord(f"price.{name}", value, "a number, 0 or more", where=where)
        told[short] = decimal(value)
    return told


def _limits(given: Any, where: str) -> Limits:
    fields = tuple(Limits.__dataclass_fields__)
    inner = _inner(given if given is not None else {}, "limits", fields, where)
    for name, value in inner.items():
        whole = isinstance(getattr(Limits, name), int)
        least = 1 if name in ("attempts", "at_once") else 0
        fits = type(value) is int if whole else type(value) in (int, float)
        if not fits or not least <= value <= 86_400 or (name == "timeout_seconds" and value == 0):
            wanted = f"a {'whole ' if whole else ''}number of at least {least}, at most 86400"
            raise InvalidRecord(f"limits.{name}", value, wanted, where=where)
    return Limits(**inner)
