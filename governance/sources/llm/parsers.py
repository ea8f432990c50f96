"""Which class does an answer mean?

A parser is `parse(answer, classes)`: it answers a class index or ABSTAIN, and raises where it cannot tell, which makes the
vote an ERROR with the exception's type. Whether a refusal or an empty answer is an abstention is the parser's to say.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from governance.errors import ConfigurationError, UnknownName
from governance.votes.table import ABSTAIN, ERROR

Parser = Callable[["Answer", Sequence[str]], int]


@dataclass(frozen=True)
class Answer:
    """What a model answered: the message's text and refusal ("" for none), why it ended, and which model it says it is."""

    text: str
    refusal: str = ""
    finish_reason: str = ""
    model: str = ""


class NotAClass(Exception):
    """A parser found no class in an answer."""


class OutOfRange(Exception):
    """A parser answered a class that there is not."""


class NotAVote(Exception):
    """A parser answered something that is no whole number."""


def label(answer: Answer, classes: Sequence[str]) -> int:
    """The answer is the name of a class, whatever its case and the marks around it; a refusal or "abstain" abstains."""
    if answer.refusal:
        return ABSTAIN
    said = answer.text.strip().strip("\"'`*.,:;!()[] \n").casefold()
    if said == "abstain":
        return ABSTAIN
    return _index(said, classes)


def first_word(answer: Answer, classes: Sequence[str]) -> int:
    """The first word of the answer is the name of a class; a refusal or "abstain" abstains."""
    words = re.findall(r"\w+", answer.text)
    return label(Answer(words[0] if words else "", answer.refusal), classes)


def json_label(answer: Answer, classes: Sequence[str]) -> int:
    """The answer is a JSON object whose "label" is the name of a class; null, "abstain" or a refusal abstains."""
    if answer.refusal:
        return ABSTAIN
    given = json.loads(re.sub(r"^```(?:json)?\s*|\s*```$", "", answer.text.strip()))
    if not isinstance(given, dict) or "label" not in given:
        raise NotAClass
    said = given["label"]
    if said is None:
        return ABSTAIN
    return label(Answer(said), classes) if isinstance(said, str) else _index("", classes)


def _index(said: str, classes: Sequence[str]) -> int:
    found = [index for index, name in enumerate(classes) if name.casefold() == said]
    if len(found) != 1:
        raise NotAClass
    return found[0]


BUILT_IN: dict[str, Parser] = {"label": label, "first_word": first_word, "json_label": json_label}
for _name, _parser in BUILT_IN.items():
    # Their behaviour has a number of its own: a new release of this library is no new version of every source.
    setattr(_parser, "__fingerprint__", f"labeltrail parser {_name} 1")  # noqa: B010


def parser_named(name: str) -> Parser:
    """A parser of ours, or `package.module:function` of the project. Raises UnknownName, ConfigurationError."""
    if ":" not in name:
        if name not in BUILT_IN:
            hint = f"there is {', '.join(BUILT_IN)}; a function of yours is written package.module:function"
            raise UnknownName("parser", name, BUILT_IN, hint=hint)
        return BUILT_IN[name]
    module, _, function = name.partition(":")
    try:
        found: Any = getattr(import_module(module), function)
    except ImportError as error:
        raise ConfigurationError(
            f"parser {name}: {module} cannot be imported ({type(error).__name__})",
            hint="it is imported from the project's folder",
        ) from None
    except AttributeError:
        raise UnknownName(f"parser in {module}", function, vars(import_module(module))) from None
    parser: Parser = found
    if not callable(found):
        raise ConfigurationError(f"parser {name} is no function", hint="a parser is parse(answer, classes)")
    return parser


def parse(parser: Parser, answer: Answer, classes: Sequence[str]) -> int:
    """A class index or ABSTAIN. Raises whatever the parser raises, NotAVote, or OutOfRange."""
    given = parser(answer, classes)
    try:
        vote = operator.index(given)
    except TypeError:
        raise NotAVote from None
    if vote != ABSTAIN and not 0 <= vote < len(classes):
        raise OutOfRange
    return vote


def judged(parser: Parser, answer: Answer, classes: Sequence[str]) -> tuple[int, str]:
    """(vote, "") or (ERROR, the type of what went wrong)."""
    try:
        return parse(parser, answer, classes), ""
    except (Exception, SystemExit) as error:
        return ERROR, type(error).__name__.encode("ascii", "backslashreplace").decode()
