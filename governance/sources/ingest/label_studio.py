"""What does an export of Label Studio hold: whose annotations, and which predictions?

Fields after its guide, "Label Studio Task Format": a task has `id`, `data`, `annotations` and `predictions`; an annotation
`completed_by`, `was_cancelled`, `ground_truth` and `result`; a prediction `model_version` and `result`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from governance.errors import InvalidRecord
from governance.sources.ingest import _json
from governance.sources.ingest._base import Gathered, Gathering, Options, by_example, plain
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

TELLS = "a JSON export of Label Studio: tasks with annotations and predictions, one choice each"
SUFFIX = ".json"
#: what Label Studio writes where a prediction names no model
_NO_MODEL = "undefined"
_SEQUENCES = ("labels", "hypertextlabels", "paragraphlabels", "timeserieslabels")


def looks_like(head: bytes, path: Path) -> bool:
    """JSON with `data` beside annotations or predictions."""
    del path
    return _json.starts_json(head) and b'"data"' in head and (b'"annotations"' in head or b'"predictions"' in head)


def read(path: Path, options: Options) -> Gathered:
    """1. which question is asked  2. task by task: the example, its annotations, its predictions

    A cancelled annotation is SKIPPED, one without a result abstains; drafts are no answers and are counted. The id is the
    task's own, or `id_column` of its data.
    """
    tasks = _json.read_json(path)
    # 1.
    question = options.question or _question(tasks, path)
    layout = {"question": question, "about": _about(tasks, question)}
    layout |= {"id_column": options.id_column} if options.id_column else {}
    layout["text_column"] = options.text_column or "text"
    gathering = Gathering(path, options, lambda row: plain(tasks[row]), names_only=True, layout=layout)
    # 2.
    drafts = 0
    for row, task in enumerate(tasks):
        data = task.get("data")
        if not isinstance(data, dict):
            gathering.fault(row, "data", type(data).__name__, "an object")
            continue
        column = options.id_column or "id"
        text = data.get(layout["text_column"])
        example = gathering.example(row, (data if options.id_column else task).get(column), column=column, text=text)
        if example is None:
            continue
        drafts += len(task["drafts"]) if isinstance(task.get("drafts"), list) else 0
        for part, one in (("annotations", _annotation), ("predictions", _prediction)):
            found = _json.objects(task.get(part))
            if found is None:
                gathering.fault(row, part, type(task[part]).__name__, "a list of objects (--as the full JSON export)")
                continue
            for number, given in enumerate(found):
                one(gathering, row, example, given, question, f"{part}[{number}]")
    if drafts:
        gathering.notes.append(f"left out: {drafts} drafts, which nobody has submitted")
    return gathering.whole()


def _question(tasks: list[dict[str, Any]], path: Path) -> str:
    """The one control that is answered. Raises InvalidRecord where there are several, or none."""
    names = {item.get("from_name") for _, item in _items(tasks)}
    found = sorted(name for name in names if isinstance(name, str))
    if len(found) != 1:
        wanted = "one question" if found else "annotations with a result"
        hint = f"--question NAME says which: {', '.join(found)}" if found else "--question NAME says what it is called"
        raise InvalidRecord("from_name", found, wanted, where=str(path), hint=hint)
    return found[0]


def _about(tasks: list[dict[str, Any]], question: str) -> str:
    """What the control is about, as `to_name` says it."""
    names = (item.get("to_name") for _, item in _items(tasks) if item.get("from_name") == question)
    return next((name for name in names if isinstance(name, str)), "text")


def _items(tasks: list[dict[str, Any]]):
    for task in tasks:
        for part in ("annotations", "predictions"):
            for one in _json.objects(task.get(part)) or []:
                for item in _json.objects(one.get("result")) or []:
                    yield one, item


def _annotation(gathering: Gathering, row: int, example: int, given: dict[str, Any], question: str, at: str) -> None:
    name = _who(given.get("completed_by"))
    if name is None:
        gathering.fault(row, f"{at}.completed_by", None, "who completed it, as an id or an object with id or email")
        return
    for field in ("was_cancelled", "ground_truth"):
        if given.get(field, False) not in (True, False, None):
            gathering.fault(row, f"{at}.{field}", type(given[field]).__name__, "true or false")
            return
    label = SKIPPED if given.get("was_cancelled") else _choice(gathering, row, given, question, at)
    if label is not None:
        kind = "gold" if given.get("ground_truth") else "crowd"
        gathering.answer(row, example, gathering.voter(kind, name), label, column=at)


def _prediction(gathering: Gathering, row: int, example: int, given: dict[str, Any], question: str, at: str) -> None:
    model = given.get("model_version") or _NO_MODEL
    if not isinstance(model, str):
        gathering.fault(row, f"{at}.model_version", type(model).__name__, "the name of a model version")
        return
    label = _choice(gathering, row, given, question, at)
    if label is not None:
        gathering.answer(row, example, gathering.voter("pretrained", model), label, column=at)


def _who(given: object) -> str | None:
    if isinstance(given, dict):
        given = next((given[key] for key in ("id", "email", "username") if given.get(key)), None)
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) and given.strip() else None


def _choice(gathering: Gathering, row: int, given: dict[str, Any], question: str, at: str) -> object:
    """The label, ABSTAIN where there is none, or None where the row is at fault. Raises InvalidRecord for other tasks."""
    items = _json.objects(given.get("result"))
    if items is None:
        gathering.fault(row, f"{at}.result", type(given["result"]).__name__, "a list of objects")
        return None
    answers = [item for item in items if item.get("from_name") == question]
    for item in answers:
        kind = item.get("type")
        if kind != "choices":
            sort = "a sequence task" if kind in _SEQUENCES else "another kind of task"
            gathering.refuse(f"{sort} ({kind})", "one choice for each text; sequences and regions are not taken")
    if not answers:
        return ABSTAIN
    value = answers[0].get("value")
    choices = value.get("choices") if isinstance(value, dict) else None
    if len(answers) > 1 or (isinstance(choices, list) and len(choices) > 1):
        gathering.refuse("several choices at once (multi-label)", "one choice for each text")
    if choices == []:
        return ABSTAIN
    if not isinstance(choices, list) or not isinstance(choices[0], str):
        gathering.fault(row, f"{at}.result", "no choice", "value.choices with one text")
        return None
    return choices[0]


def write(gathered: Gathered, path: Path) -> None:
    """Tasks with annotations and predictions. Raises InvalidRecord for votes that Label Studio has no word for."""
    # Its own ids are numbers: those of another tool stand in the data, where `id_column` finds them.
    layout = gathered.layout if "question" in gathered.layout else {"id_column": "example_id"}
    id_column, text_column = layout.get("id_column"), layout.get("text_column", "text")
    texts = gathered.texts or (None,) * len(gathered.ids)
    tasks: list[dict[str, Any]] = []
    for number, (name, text, answers) in enumerate(
        zip(gathered.ids, texts, by_example(gathered), strict=True), start=1
    ):
        data: dict[str, Any] = {} if text is None else {text_column: text}
        if id_column:
            data[id_column] = name
        task = {
            "id": number if id_column else _json.number_or_text(name),
            "data": data,
            "annotations": [],
            "predictions": [],
        }
        for voter, repeat, vote in answers:
            _need_in_order(task, repeat, path)
            who = gathered.voters[voter]
            if vote == ERROR or (not who.is_person and vote == SKIPPED):
                raise InvalidRecord("vote", vote, "a choice, an abstention or a cancelled annotation", where=str(path))
            result = [] if vote < 0 else [_item(gathered.classes[vote], layout)]
            if who.is_person:
                told = _annotation_of(who.name, result, gold=who.kind == "gold", cancelled=vote == SKIPPED)
                task["annotations"].append({"id": len(task["annotations"]) + 1, "task": task["id"], **told})
            else:
                task["predictions"].append({"task": task["id"], "model_version": who.name, "result": result})
        tasks.append(task)
    _json.write_json(tasks, path)


def _need_in_order(task: dict[str, Any], repeat: int, path: Path) -> None:
    if repeat > len(task["annotations"]) + len(task["predictions"]):
        raise InvalidRecord("repeat", repeat, "repeats that count from 0 without a gap", where=str(path))


def _item(label: str, layout: dict[str, str]) -> dict[str, Any]:
    control = {"from_name": layout.get("question", "label"), "to_name": layout.get("about", "text"), "type": "choices"}
    return {**control, "origin": "manual", "value": {"choices": [label]}}


def _annotation_of(name: str, result: list[dict[str, Any]], *, gold: bool, cancelled: bool) -> dict[str, Any]:
    who = _json.number_or_text(name)
    completed_by = who if isinstance(who, int) else {"email": name}
    return {"completed_by": completed_by, "was_cancelled": cancelled, "ground_truth": gold, "result": result}
