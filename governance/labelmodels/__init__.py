"""Which label models are there, and how does a saved one come back?

A shelf: each module with a class `Model` is one method, and nothing else has to list it.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from governance import shelf
from governance.errors import UnknownName
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels._written import parse_model


def methods() -> dict[str, ModuleType]:
    """Every method on the shelf, by name."""
    return {name: module for name, module in shelf.walk(__name__) if hasattr(module, "Model")}


def method(name: str) -> type[FittedLabelModel]:
    """The class of a method. Raises UnknownName."""
    known = methods()
    if name not in known:
        raise UnknownName("label model", name, known)
    return known[name].Model


def load(path: str | Path) -> FittedLabelModel:
    """The label model in a label_model.json, ready to predict and explain.

    Raises ConfigurationError (no file), InvalidRecord (which field, what is wrong with it), UnknownName (the method).
    """
    told = parse_model(Path(path))
    return method(told["method"]).restored(told, where=str(path))
