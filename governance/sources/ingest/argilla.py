"""What do the records of Argilla hold: whose responses, and which suggestions?

Two shapes are known. Argilla 2 (`dataset.records.to_json`): `id`, `fields`, `responses` and `suggestions` by question.
Feedback datasets and the server: `external_id` or `id`, `fields`, a list of responses with `user_id`, `status` and
`values` by question, and a list of suggestions with `question_name`, `value`, `agent` and `type`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from governance.errors import InvalidRecord
from governance.sources.ingest import _json
from governance.sources.ingest._base import Gathered, Gathering, Options, by_example, plain
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

TELLS = "records of Argilla as JSON: responses by user and suggestions by agent, one label each"
SUFFIX = ".json"
#: how a suggestion is called that names no agent
_NO_AGENT = "unnamed model"
_STATUS = ("submitted", "draft", "discarded")


def looks_like(head: bytes, path: Path) -> bool:
    """JSON with `fields` beside responses or suggestions."""
    del path
    return _json.starts_json(head) and b'"fields"' in head and (b'"responses"' in head or b'"suggestions"' in head)


def read(path: Path, options: Options) -> Gathered:
    """1. shape and question  2. record by record: the example, its responses, its suggestions

    A discarded response is SKIPPED, a submitted one without a value abstains; drafts are no answers and are counted.
    """
    records = _json.read_json(path, inside=("items", "records"))
    # 1.
    shape = "lists" if any(isinstance(one.get("responses"), list) for one in records) else "questions"
    question = options.question or _question(records, path)
    column = options.id_column or ("external_id" if any(one.get("external_id") for one in records) else "id")
    layout = {"shape": shape, "question": question, "id_column": column, "text_column": options.text_column or "text"}
    gathering = Gathering(path, options, lambda row: plain(records[row]), names_only=True, layout=layout)
    # 2.
    drafts = 0
    for row, record in enumerate(records):
        fields = record.get("fields")
        if not isinstance(fields, dict):
            gathering.fault(row, "fields", type(fields).__name__, "an object")
            continue
        name = record.get(
            column, record.get("metadata", {}).get(column) if isinstance(record.get("metadata"), dict) else None
        )
        example = gathering.example(row, name, column=column, text=fields.get(layout["text_column"]))
        if example is None:
            continue
        responses, suggestions = _responses(record), _suggestions(record)
        if responses is None or suggestions is None:
            wanted = "responses and suggestions as lists, or as objects by question"
            gathering.fault(row, "responses", "another shape", wanted)
            continue
        for at, user, status, values in responses:
            drafts += status == "draft"
            _response(gathering, row, example, at, user, status, values)
        for at, suggestion in suggestions:
            _suggestion(gathering, row, example, at, suggestion)
    if drafts:
        gathering.notes.append(f"left out: {drafts} drafts, which nobody has submitted")
    return gathering.whole()


def _responses(record: dict[str, Any]) -> list[tuple[str, object, object, dict[str, Any]]] | None:
    """(place, user, status, value by question) of each response, whatever the shape; None for none that is known."""
    given = record.get("responses")
    if isinstance(given, dict):
        found = []
        for question, answers in given.items():
            listed = _json.objects(answers)
            if listed is None:
                return None
            for number, one in enumerate(listed):
                at = f"responses.{question}[{number}]"
                found.append((at, one.get("user_id"), one.get("status") or "submitted", {question: one.get("value")}))
        return found
    listed = _json.objects(given)
    if listed is None:
        return None
    found = []
    for number, one in enumerate(listed):
        values = one.get("values") or {}
        if not isinstance(values, dict):
            return None
        told = {name: value.get("value") if isinstance(value, dict) else value for name, value in values.items()}
        found.append((f"responses[{number}]", one.get("user_id"), one.get("status") or "submitted", told))
    return found


def _suggestions(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]] | None:
    given = record.get("suggestions")
    if isinstance(given, dict):
        if not all(isinstance(one, dict) for one in given.values()):
            return None
        return [(f"suggestions.{name}", {"question_name": name, **one}) for name, one in given.items()]
    listed = _json.objects(given)
    return None if listed is None else [(f"suggestions[{number}]", one) for number, one in enumerate(listed)]


def _question(records: list[dict[str, Any]], path: Path) -> str:
    """The one question that is answered. Raises InvalidRecord where there are several, or none."""
    found = sorted(set(_questions(records)))
    if len(found) != 1:
        wanted = "one question" if found else "responses or suggestions"
        hint = f"--question NAME says which: {', '.join(found)}" if found else "--question NAME says what it is called"
        raise InvalidRecord("question", found, wanted, where=str(path), hint=hint)
    return found[0]


def _questions(records: list[dict[str, Any]]) -> Iterator[str]:
    for record in records:
        for _, _, _, values in _responses(record) or []:
            yield from values
        for _, one in _suggestions(record) or []:
            if isinstance(one.get("question_name"), str):
                yield one["question_name"]


def _response(
    gathering: Gathering, row: int, example: int, at: str, user: object, status: object, values: dict[str, Any]
) -> None:
    question = gathering.layout["question"]
    if status not in _STATUS:
        gathering.fault(
            row, f"{at}.status", status if isinstance(status, str) else None, f"one of {', '.join(_STATUS)}"
        )
        return
    # A discarded response may hold no values; it is of this question where it does not say another.
    if status == "draft" or (values and question not in values):
        return
    if not isinstance(user, str) or not user.strip():
        gathering.fault(row, f"{at}.user_id", None, "who gave the response")
        return
    label = SKIPPED if status == "discarded" else _label(gathering, row, values.get(question), at)
    if label is not None:
        gathering.answer(row, example, gathering.voter("crowd", user), label, column=at)


def _suggestion(gathering: Gathering, row: int, example: int, at: str, given: dict[str, Any]) -> None:
    if given.get("question_name") != gathering.layout["question"]:
        return
    agent = given.get("agent") or _NO_AGENT
    if not isinstance(agent, str):
        gathering.fault(row, f"{at}.agent", type(agent).__name__, "the name of an agent")
        return
    label = _label(gathering, row, given.get("value"), at)
    if label is not None:
        kind = "crowd" if given.get("type") == "human" else "pretrained"
        gathering.answer(row, example, gathering.voter(kind, agent), label, column=at)


def _label(gathering: Gathering, row: int, value: object, at: str) -> object:
    """The label, ABSTAIN where there is none, or None where the row is at fault. Raises InvalidRecord for other tasks."""
    if value is None:
        return ABSTAIN
    if isinstance(value, list):
        spans = any(isinstance(item, dict) for item in value)
        given = "spans or a ranking (a sequence task)" if spans else "several labels at once (multi-label)"
        gathering.refuse(given, "one label for each record")
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        gathering.fault(row, f"{at}.value", type(value).__name__, "a label as text, or a rating as a whole number")
        return None
    return str(value)


def write(gathered: Gathered, path: Path) -> None:
    """Records in the shape that they came in. Raises InvalidRecord for votes that Argilla has no word for."""
    layout = gathered.layout
    shape, text_column, id_column = (
        layout.get("shape", "questions"),
        layout.get("text_column", "text"),
        layout.get("id_column"),
    )
    texts = gathered.texts or (None,) * len(gathered.ids)
    records = []
    for name, text, answers in zip(gathered.ids, texts, by_example(gathered), strict=True):
        fields = {} if text is None else {text_column: text}
        own = {id_column: name} if id_column in ("id", "external_id") else {}
        metadata = {} if own or id_column is None else {id_column: name}
        record = {
            "id": name,
            **own,
            "fields": fields,
            "metadata": metadata,
            "responses": [],
            "suggestions": [],
            "vectors": {},
        }
        for voter, repeat, vote in answers:
            if vote == ERROR or repeat > len(record["responses"]) + len(record["suggestions"]):
                wanted = "a label, an abstention or a discarded response, and repeats without a gap"
                raise InvalidRecord("vote", vote, wanted, where=str(path))
            _tell(record, gathered, voter, vote, path)
        records.append(_by_question(record, layout) if shape == "questions" else record)
    _json.write_json(records, path)


def _tell(record: dict[str, Any], gathered: Gathered, voter: int, vote: int, path: Path) -> None:
    who, question = gathered.voters[voter], gathered.layout.get("question", "label")
    value = None if vote < 0 else gathered.classes[vote]
    if who.is_person:
        values = {question: {"value": value}} if value is not None else {}
        status = "discarded" if vote == SKIPPED else "submitted"
        record["responses"].append({"user_id": who.name, "status": status, "values": values})
        return
    if vote == SKIPPED:
        raise InvalidRecord("vote", vote, "a label: a suggestion cannot be discarded", where=str(path))
    told = {"value": value, "score": None, "agent": who.name, "type": "model"}
    record["suggestions"].append({"question_name": question, **told})


def _by_question(record: dict[str, Any], layout: dict[str, str]) -> dict[str, Any]:
    question = layout.get("question", "label")
    responses = [
        {"value": one["values"].get(question, {}).get("value"), "user_id": one["user_id"], "status": one["status"]}
        for one in record["responses"]
    ]
    if len(record["suggestions"]) > 1:
        wanted = "one suggestion a question, which is all that this shape holds"
        raise InvalidRecord("suggestions", len(record["suggestions"]), wanted)
    told = [{key: one[key] for key in ("value", "score", "agent")} for one in record["suggestions"]]
    suggestions = {question: told[0]} if told else {}
    return {**record, "responses": {question: responses} if responses else {}, "suggestions": suggestions}
