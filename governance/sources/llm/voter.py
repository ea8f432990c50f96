"""What does a language model say of a text, as a source like any other?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from governance.digest import canonical, decimal, sha256
from governance.fingerprint import Behaviour, behaviour
from governance.sources.llm import http
from governance.sources.llm.asking import Asked, Endpoint
from governance.sources.llm.description import LlmDescription, read_llm
from governance.sources.llm.http import Transport
from governance.sources.llm.parsers import judged, parse, parser_named
from governance.sources.llm.prompt import Prompt, Request
from governance.sources.registry import source
from governance.votes.table import ERROR, check_classes

_SCHEME = "labeltrail llm 1"
#: the folder, beside a source's code, with what is said of language models
FOLDER = "llm"


class LlmVoter:
    """Takes a list of texts and answers a list of votes. A request is sent once: its answer is kept and parsed again.

    So a sample that is voted again proves that votes stand beside their rows; whether the model would say the same again
    is another question, which `ask_again` puts.
    """

    def __init__(
        self,
        description: LlmDescription,
        *,
        classes: Sequence[str],
        root: Path | None = None,
        transport: Transport = http.post,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_classes(classes, where=f"source {description.name}")
        self.description, self.classes = description, tuple(classes)
        self.parser = parser_named(description.parser)
        #: how the parser behaves, and what could not be seen of that
        self.parsing: Behaviour = behaviour(self.parser)
        self._prompt = Prompt(description, classes, root=root or Path())
        self._endpoint = Endpoint(description, transport=transport, sleep=sleep, clock=clock)
        self._kept: dict[str, Asked] = {}

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """The votes on some texts. Raises the first error among them, by whose class it is counted."""
        return [self._voted(asked) for asked in self.ask(texts)]

    def __fingerprint__(self) -> str:
        """Who is asked, what, with which parameters and examples, and how the answer is read."""
        said = self.description
        few = said.few_shot
        shots = [few.table, few.text_column, few.label_column, list(few.ids)] if few else []
        told = [_SCHEME, said.endpoint, said.model, said.system, said.prompt, list(self.classes), shots]
        parameters = [[name, decimal(value)] for name, value in sorted(said.parameters.items())]
        return sha256(canonical([*told, parameters, self.parsing.digest]))

    def ask(self, texts: Sequence[str]) -> list[Asked]:
        """What was answered to each text; only requests without an answer yet are sent. Raises ConfigurationError."""
        requests = [self._prompt.request(text) for text in texts]
        missing = {one.sha256: one for one in requests if one.sha256 not in self._kept}
        for asked in self._send(list(missing.values())):
            self._kept[asked.request] = asked
        return [self._kept[one.sha256] for one in requests]

    def ask_anew(self, texts: Sequence[str]) -> list[Asked]:
        """The same requests once more, whatever was answered before; these answers are not kept."""
        return self._send([self._prompt.request(text) for text in texts])

    def remember(self, kept: Iterable[Asked]) -> None:
        """Answers that were stored: their requests are not sent again. A failure is not remembered, but asked again."""
        self._kept.update({asked.request: asked for asked in kept if asked.answer is not None})

    def judge(self, asked: Asked) -> tuple[int, str]:
        """(vote, "") or (ERROR, the type of what went wrong)."""
        if asked.answer is None:
            return ERROR, asked.error
        return judged(self.parser, asked.answer, self.classes)

    def _voted(self, asked: Asked) -> int:
        if asked.answer is None:
            raise http.ERRORS[asked.error]
        return parse(self.parser, asked.answer, self.classes)

    def _send(self, requests: list[Request]) -> list[Asked]:
        at_once = min(self.description.limits.at_once, len(requests))
        if at_once <= 1:
            return [self._endpoint.ask(request) for request in requests]
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="asking")
        try:
            return list(pool.map(self._endpoint.ask, requests))
        finally:
            # Where one request shows that none will be answered, those that wait are not sent.
            pool.shutdown(cancel_futures=True)


def llm_source(
    name: str,
    *,
    classes: Sequence[str],
    beside: str | Path,
    root: str | Path | None = None,
    transport: Transport = http.post,
) -> LlmVoter:
    """A language model as the source `name`: give it a name in a module of the sources' package, and it is registered.

    `beside` is that module's `__file__`: `llm/NAME.yaml` beside it says which model and how, NAME.yaml whose it is. Tables
    with few-shot examples are found from `root`, by default the folder that the stage runs in. Raises what `read_llm`
    raises.
    """
    described = read_llm(Path(beside).parent / FOLDER / f"{name}.yaml")
    voter = LlmVoter(described, classes=classes, root=Path(root) if root is not None else None, transport=transport)
    return source(name, many=True)(voter)
