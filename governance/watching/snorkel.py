"""What do snorkel's appliers and label models do? Watched from the moment the script itself imports them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from governance.errors import GovernanceError
from governance.watching import faults
from governance.watching.hook import when_imported
from governance.watching.points import take_points
from governance.watching.session import Application, Fitted, Labelled, Session, Voter, current

_APPLY = "snorkel.labeling.apply"
_MODEL = "snorkel.labeling.model"
_WATCHED = "__labeltrail_watched__"


def watch() -> None:
    """Waits for the modules of snorkel; imports none."""
    when_imported(f"{_APPLY}.core", _appliers_of_lists)
    when_imported(f"{_APPLY}.pandas", _appliers_of_frames)
    when_imported(f"{_APPLY}.dask", _parallel_appliers)
    when_imported(f"{_MODEL}.base_labeler", lambda module: _replace(module.BaseLabeler, "predict", _predict))
    when_imported(f"{_MODEL}.label_model", _label_model)
    when_imported(f"{_MODEL}.baselines", _baselines)
    when_imported("snorkel.utils.core", lambda module: _replace(module, "probs_to_preds", _derived))
    when_imported("snorkel.labeling.utils", lambda module: _replace(module, "filter_unlabeled_dataframe", _filtered))


def _replace(owner: Any, name: str, made: Callable[[Any], Any]) -> None:
    """Puts a watched function in a function's place, once."""
    original = owner.__dict__.get(name)
    if original is None or hasattr(original, _WATCHED):
        return
    watched = functools.wraps(original)(made(original))
    setattr(watched, _WATCHED, True)
    setattr(owner, name, watched)


def _appliers_of_lists(module: Any) -> None:
    faults.originals.setdefault("list", module.apply_lfs_to_data_point)

    def votes(x: Any, index: int, lfs: list[Any], f_caller: Any) -> Any:
        return faults.votes_of_point(x, index, lfs, f_caller, _failed)

    module.apply_lfs_to_data_point = votes
    _replace(module.LFApplier, "apply", _apply)


def _appliers_of_frames(module: Any) -> None:
    faults.originals.setdefault("frame", module.apply_lfs_to_data_point)
    faults.originals.setdefault("triplets", module.rows_to_triplets)
    module.apply_lfs_to_data_point = faults.votes_of_row
    module.rows_to_triplets = _triplets
    _replace(module.PandasLFApplier, "apply", _apply)


def _parallel_appliers(module: Any) -> None:
    module.apply_lfs_to_data_point = faults.votes_of_row
    module.rows_to_triplets = _triplets
    _replace(module.DaskLFApplier, "apply", _apply)
    _replace(module.PandasParallelLFApplier, "apply", _apply)


def _triplets(labels: Any) -> Any:
    rows, failures = faults.without_failures(labels)
    for row, place, what in failures:
        _failed(row, place, what)
    return faults.originals["triplets"](rows)


def _failed(row: int, place: int, what: str) -> None:
    session = current()
    application = session.current if session else None
    if application is None:
        return
    if what.startswith("raised") or what == faults.OUT_OF_RANGE:
        application.errors[row, place] = what
    else:
        counts = application.odd.setdefault(application.voters[place].name, {})
        counts[what] = counts.get(what, 0) + 1


def _apply(original: Callable[..., Any]) -> Callable[..., Any]:
    """1. ids are bound to rows, and versions to functions  2. snorkel votes  3. what came back"""

    def apply(self: Any, *given: Any, **named: Any) -> Any:
        session = current()
        if session is None:
            return original(self, *given, **named)
        with session.outermost() as first:
            if not first:
                return original(self, *given, **named)
            application = None
            with session.watching("what is voted on"):
                application = _begun(session, self, given[0] if given else next(iter(named.values())))
            session.current = application
            try:
                with _held(session, application):
                    answer = original(self, *given, **named)
            finally:
                session.current = None
            if application is not None:
                with session.watching("votes"):
                    _voted(session, application, answer)
            return answer

    return apply


@contextmanager
def _held(session: Session, application: Application | None) -> Iterator[None]:
    """Holds functions to their time, where one was asked for; where none can hold, that is told, and they run without."""
    limit = session.limit
    with ExitStack() as held:
        if limit is not None:
            try:
                held.enter_context(limit)
            except GovernanceError as error:
                session.fault(f"no time limit holds: {error.message}")
            else:
                faults.limits.append(limit)
                held.callback(faults.limits.remove, limit)
                if application is not None:
                    application.limit = limit
        yield
    if limit is not None and limit.elsewhere:
        session.not_known("a function was called in another thread than the main one, where no time limit holds")
        limit.elsewhere = 0


def _begun(session: Session, applier: Any, given: Any) -> Application | None:
    from governance.fingerprint import behaviour

    points = take_points(given, id_column=session.id_column)
    if points is None:
        session.not_known(f"{type(applier).__name__} voted on rows that lie in no table here")
        return None
    functions = list(applier._lfs)
    voters = [Voter(str(one.name), _summary(one), behaviour(_deciding(one))) for one in functions]
    return Application(type(applier).__name__, points, voters, functions)


def _summary(function: Any) -> str:
    """The first line of its docstring, if it has one."""
    import inspect

    own = getattr(function, "_f", None)
    text = inspect.getdoc(own) if callable(own) else None
    return text.strip().splitlines()[0] if text and text.strip() else ""


def _deciding(function: Any) -> Any:
    """What of a labelling function decides its votes; its name does not."""
    if type(function).__name__ == "LabelingFunction" and type(function).__module__.startswith("snorkel."):
        return [function._f, function._resources, function._pre]
    return function


def _voted(session: Session, application: Application, answer: Any) -> None:
    import time

    import numpy as np

    matrix = answer[0] if isinstance(answer, tuple) else answer
    application.seconds = time.perf_counter() - application.started
    application.given = matrix
    application.matrix = np.array(matrix)
    session.applications.append(application)


def _label_model(module: Any) -> None:
    _replace(module.LabelModel, "fit", _fit)
    _replace(module.LabelModel, "predict_proba", _predict_proba)


def _baselines(module: Any) -> None:
    for name in ("MajorityLabelVoter", "MajorityClassVoter", "RandomVoter"):
        _replace(getattr(module, name), "predict_proba", _predict_proba)


def _fit(original: Callable[..., Any]) -> Callable[..., Any]:
    def fit(self: Any, *given: Any, **named: Any) -> Any:
        answer = original(self, *given, **named)
        session = current()
        if session is not None:
            with session.watching("a label model"):
                _learned(session, self, given, named)
        return answer

    return fit


def _learned(session: Session, model: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    from governance.watching.weights import weights_of

    votes = session.votes_of(given[0] if given else named["L_train"])
    if votes is None:
        session.not_known("a label model learned from votes that no applier gave as they were")
    given_balance = named.get("class_balance", given[2] if len(given) > 2 else None)
    given_gold = named.get("Y_dev", given[1] if len(given) > 1 else None)
    origin = "given" if given_balance is not None else "gold" if given_gold is not None else "assumed"
    fitted = weights_of(model, votes, seed_given="seed" in named, balance_origin=origin)
    session.fitted.append(fitted)
    session.models[id(model)] = (model, fitted)


def _predict_proba(original: Callable[..., Any]) -> Callable[..., Any]:
    def predict_proba(self: Any, *given: Any, **named: Any) -> Any:
        answer = original(self, *given, **named)
        session = current()
        if session is not None:
            with session.watching("labels"):
                _labelled(session, self, given[0] if given else named["L"], answer)
        return answer

    return predict_proba


def _labelled(session: Session, model: Any, matrix: Any, probabilities: Any) -> None:
    import numpy as np

    votes = session.votes_of(matrix)
    if votes is None:
        session.not_known("a label model labelled votes that no applier gave as they were")
        return
    labels = Labelled(_model_of(session, model, votes), votes, np.array(probabilities))
    kept = [one for one in session.labelled if one.model is labels.model and one.votes is votes]
    if kept and np.array_equal(kept[0].probabilities, labels.probabilities):
        labels = kept[0]
    else:
        session.labelled.append(labels)
    session.note_array(probabilities, labels, "all rows")


def _model_of(session: Session, model: Any, votes: Application) -> Fitted:
    """What is known of a model from its fit, or what it shows now: a majority vote learns nothing beforehand."""
    known = session.models.get(id(model))
    if known is not None:
        return known[1]
    from governance.watching.weights import weights_of

    fitted = weights_of(model, votes, seed_given=False, balance_origin="assumed")
    session.fitted.append(fitted)
    session.models[id(model)] = (model, fitted)
    return fitted


def _predict(original: Callable[..., Any]) -> Callable[..., Any]:
    def predict(self: Any, *given: Any, **named: Any) -> Any:
        answer = original(self, *given, **named)
        session = current()
        if session is not None:
            with session.watching("labels"):
                _predicted(session, self, given, named, answer)
        return answer

    return predict


def _predicted(session: Session, model: Any, given: tuple[Any, ...], named: dict[str, Any], answer: Any) -> None:
    import numpy as np

    votes = session.votes_of(given[0] if given else named["L"])
    known = session.models.get(id(model))
    mine = [one for one in session.labelled if known and one.model is known[1] and one.votes is votes]
    labels = mine[-1] if mine else None
    if labels is None:
        return
    predictions = answer[0] if isinstance(answer, tuple) else answer
    labels.predictions = np.array(predictions)
    labels.policy = str(named.get("tie_break_policy", given[2] if len(given) > 2 else "abstain"))
    session.note_array(predictions, labels, "all rows")
    if isinstance(answer, tuple):
        session.note_array(answer[1], labels, "all rows")


def _derived(original: Callable[..., Any]) -> Callable[..., Any]:
    """Classes made of probabilities are labels of the same set."""

    def probs_to_preds(*given: Any, **named: Any) -> Any:
        answer = original(*given, **named)
        session = current()
        if session is not None:
            with session.watching("labels"):
                known = session.arrays.get(id(given[0] if given else named["probs"]))
                if known is not None:
                    session.note_array(answer, known[1], known[2])
        return answer

    return probs_to_preds


def _filtered(original: Callable[..., Any]) -> Callable[..., Any]:
    """Rows without a vote are left out; what stays are labels of the same set."""

    def filter_unlabeled_dataframe(*given: Any, **named: Any) -> Any:
        answer = original(*given, **named)
        session = current()
        if session is not None:
            with session.watching("labels"):
                known = session.arrays.get(id(given[1] if len(given) > 1 else named["y"]))
                if known is not None:
                    session.note_array(answer[1], known[1], "rows on which a source votes")
        return answer

    return filter_unlabeled_dataframe
