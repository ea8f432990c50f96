"""Which model was asked, how, on whose terms, and what did it answer, counted?"""

from __future__ import annotations

from governance.records.base import Count, Decimal, Digest, Name, Part, Record


class Terms(Part):
    """The terms of whoever serves a model: the text that somebody read, by its digest, and until when that holds."""

    url: str
    read: str = ""
    sha256: str = ""
    reviewer: str = ""
    expires: str = ""


class Price(Part):
    """What a million tokens cost, in units of a currency."""

    currency: str
    prompt: Decimal
    completion: Decimal


class Labeller(Record):
    """A language model as a source: everything that its source version was named by, readable, and the terms it is under.

    Few-shot examples are rows of people: their number stands here, their ids stay in the description.
    """

    kind = "labeller"

    source_title: str
    source: Name
    model: str
    #: other model ids under which the endpoint is known to answer for the same model
    accepts: tuple[str, ...] = ()
    endpoint: str
    system: str
    prompt: str
    prompt_sha256: Digest
    classes: tuple[str, ...]
    few_shot: Count
    #: what is sent beside the messages, as JSON texts
    parameters: dict[str, str] = {}
    parser: str
    parser_behaviour: Digest
    #: what the parser's fingerprint could not see through, by name
    opaque: tuple[str, ...] = ()
    terms: Terms | None = None
    price: Price | None = None

    @property
    def label(self) -> str:
        return f"labeller {self.source_title}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.source)


class Answers(Record):
    """A table with what a model was asked and what it answered: a row for each example, and one for each repeat.

    Tokens and cost count every request that was sent and whose answer said how many it took; equal requests are sent once.
    Cost is in millionths of a currency unit.
    """

    kind = "answers"

    source_title: str
    source: Name
    labeller: Name
    dataset: Name
    sha256: Digest
    content: Digest
    rows: Count
    examples: Count
    #: requests that were sent, repeats among them
    asked: Count
    attempts: Count
    #: examples on which the source gave a class
    decisive: Count
    abstained: Count
    #: examples without a vote, by the type of what went wrong; `parse_errors` of them had an answer
    errors: dict[str, Count] = {}
    parse_errors: Count
    #: answers by the model id that they name, by system fingerprint and by finish reason
    models: dict[str, Count] = {}
    fingerprints: dict[str, Count] = {}
    finish_reasons: dict[str, Count] = {}
    prompt_tokens: Count
    completion_tokens: Count
    #: answers that do not say how many tokens they took: cost is then at least what stands here
    without_usage: Count
    cost_micros: Count | None = None
    currency: str = ""
    #: rows that were asked again, pairs of a first and a later answer, and how many of these gave equal votes
    repeated_rows: Count = 0
    repeated_pairs: Count = 0
    repeated_agreed: Count = 0
    #: pairs with a request that failed, which say nothing about agreement
    repeated_failed: Count = 0
    agreement_low: Decimal | None = None
    agreement_high: Decimal | None = None

    @property
    def label(self) -> str:
        return f"answers of {self.source_title}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.dataset, self.source, self.labeller)
