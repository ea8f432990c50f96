"""How are counts, shares and lists spelled in a sentence?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as Exact

from governance.records import Metric

_PREDICTORS = {
    "model": "the model",
    "label_model": "the label model",
    "majority": "majority vote",
    "supervised": "the supervised reference",
}
_METRICS = {
    "accuracy": "accuracy",
    "precision": "macro precision",
    "recall": "macro recall",
    "f1": "macro F1",
    "ece": "calibration error (ECE)",
}


def number(count: int, noun: str = "", plural: str = "") -> str:
    """`1 source`, `23,703 examples`."""
    shown = f"{count:,}"
    if not noun:
        return shown
    return f"{shown} {noun if count == 1 else plural or noun + 's'}"


def agree(count: int, one: str, many: str) -> str:
    """The verb that fits the count: `declares` for one, `declare` for several and for none."""
    return one if count == 1 else many


def named(kind: str, title: str) -> str:
    """`label model “x”`; a title that names its kind already stands alone."""
    return f"“{title}”" if kind.lower() in title.lower() else f"{kind} “{title}”"


def upper(text: str) -> str:
    """The text with a capital first letter."""
    return f"{text[:1].upper()}{text[1:]}"


def when(role: str) -> str:
    """Which side of screening a dataset version stands on."""
    return {"collected": "before screening", "screened": "after screening"}.get(role, role)


def share(part: int, whole: int) -> str:
    """`94.0 %`; `none to count` where the whole is nothing."""
    if not whole:
        return "none to count"
    return f"{(Exact(100 * part) / Exact(whole)).quantize(Exact('0.1'), ROUND_HALF_EVEN)} %"


def figure(value: str | None, digits: int = 3) -> str:
    """A recorded decimal rounded for reading, `0.850`; `unknown` where there is none."""
    if value is None:
        return "unknown"
    rounded = Exact(value).quantize(Exact(1).scaleb(-digits), ROUND_HALF_EVEN)
    return str(rounded if rounded else abs(rounded))


def difference(value: str, other: str, digits: int = 3) -> str:
    """`value` minus `other`, rounded for reading, with its sign."""
    rounded = (Exact(value) - Exact(other)).quantize(Exact(1).scaleb(-digits), ROUND_HALF_EVEN)
    return f"{rounded if rounded else abs(rounded):+}"


def joined(items: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def counted(counts: Mapping[str, int]) -> str:
    """`train 2,921, valid 412 and test 867`, in the given order."""
    return joined(f"{name} {count:,}" for name, count in counts.items())


def predictor(of: str) -> str:
    """What people call the one whose figure it is."""
    return _PREDICTORS.get(of, of)


def metric_name(metric: str) -> str:
    """What people call a metric."""
    return _METRICS.get(metric, metric)


def measured(metric: Metric | None) -> str:
    """`0.850 (0.826 to 0.872)`, or `unknown`."""
    if metric is None or metric.value is None:
        return "unknown"
    if metric.low is None or metric.high is None:
        return figure(metric.value)
    return f"{figure(metric.value)} ({figure(metric.low)} to {figure(metric.high)})"


def ended(text: str) -> str:
    """A text from a record as a sentence: trimmed, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
