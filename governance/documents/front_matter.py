"""What does the Hugging Face Hub want to know at the head of a card, as far as it is recorded?"""

from __future__ import annotations

import re
from typing import Any

from governance.claims import Thread
from governance.claims.figures import main_slice
from governance.claims.words import metric_name
from governance.records import Dataset

#: SPDX ids that the Hub knows under the same name in lower case; any other licence is `other` with its name
_HUB = {
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "zlib", "mpl-2.0", "epl-2.0", "osl-3.0",
    "afl-3.0", "artistic-2.0", "bsl-1.0", "cc0-1.0", "cc-by-4.0", "cc-by-3.0", "cc-by-2.0", "cc-by-sa-4.0", "cc-by-sa-3.0",
    "cc-by-nc-4.0", "cc-by-nc-3.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-sa-4.0",
    "cc-by-nc-sa-3.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "odc-by-1.0", "odbl-1.0", "pddl-1.0",
    "ms-pl", "ncsa", "postgresql", "ofl-1.1", "lppl-1.3c", "ecl-2.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "eupl-1.1",
    "eupl-1.2", "wtfpl",
}  # fmt: skip
_RENAMED = {"odbl-1.0": "odbl", "pddl-1.0": "pddl", "odc-by-1.0": "odc-by"}
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


def licence(text: str, *, unknown: str, about: str = "") -> dict[str, str]:
    """`license`, and for terms that the Hub has no id for their name and, where `about` holds an address, a link."""
    spdx = text.strip().lower().removesuffix("-only").removesuffix("-or-later")
    if spdx in _HUB:
        return {"license": _RENAMED.get(spdx, spdx)}
    told = {"license": "other", "license_name": _slug(text) or unknown}
    link = _LINK.search(about)
    return {**told, "license_link": link[0].rstrip(".,;)")} if link else told


def language(dataset: Dataset | None) -> dict[str, list[str]]:
    """`language`, where the dataset states it as a tag of BCP 47; nothing otherwise."""
    stated = dataset.language if dataset is not None else ""
    tags = [tag.strip() for tag in stated.split(",")]
    return {"language": tags} if stated and all(_LANGUAGE.match(tag) for tag in tags) else {}


def size(rows: int) -> str:
    """The Hub's word for a number of examples."""
    return next((word for limit, word in _SIZES if rows < limit), "n>1T")


def for_dataset(thread: Thread, title: str) -> dict[str, Any]:
    """The head of a dataset card."""
    dataset = thread.dataset
    told: dict[str, Any] = {"pretty_name": title}
    if dataset is not None:
        origin = thread.collected or dataset
        text = dataset.licence or origin.licence
        about = " ".join((dataset.terms, origin.terms, dataset.origin, origin.origin))
        told |= licence(text, unknown="not-recorded", about=about)
        told |= language(dataset) or language(origin)
        told["size_categories"] = [size(dataset.rows)]
    else:
        told |= licence("", unknown="not-recorded")
    if thread.votes is not None or (dataset is not None and dataset.classes):
        told["task_categories"] = ["text-classification"]
    told["tags"] = ["weak-supervision", "provenance", "labeltrail"]
    return told


def for_model(thread: Thread, title: str) -> dict[str, Any]:
    """The head of a model card; figures only where they were measured."""
    told: dict[str, Any] = licence("", unknown="not-recorded")
    told |= language(thread.dataset) or language(thread.collected)
    if thread.model is not None:
        told["pipeline_tag"] = "text-classification"
    told["tags"] = ["weak-supervision", "provenance", "labeltrail"]
    evaluation, where = thread.evaluation, main_slice(thread)
    if evaluation is None or where is None:
        return told
    measured = [
        {
            "type": item.metric,
            "value": float(item.value),
            "name": f"{metric_name(item.metric)} on {where.told}",
            **({"args": {"average": "macro"}} if metric_name(item.metric).startswith("macro ") else {}),
        }
        for item in evaluation.metrics
        if item.of == "model" and item.slice == where.name and item.value is not None
    ]
    if measured:
        task = {"type": "text-classification", "name": "Text classification"}
        name = thread.dataset.title if thread.dataset is not None else evaluation.title
        data = {"name": f"{name}, {where.told}", "type": _slug(name) or "dataset", "split": "test"}
        told["model-index"] = [{"name": title, "results": [{"task": task, "dataset": data, "metrics": measured}]}]
    return told


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:80]
