"""Are the frameworks on the shelf whole, and is a broken one refused by name?"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from governance.controls import frameworks, load_framework, read_framework
from governance.controls.framework import _SHELF
from governance.errors import ConfigurationError, InvalidRecord, UnknownName


@pytest.fixture
def document() -> dict:
    """The NIST AI RMF as YAML reads it, to be damaged."""
    return yaml.safe_load((_SHELF / "nist_ai_rmf.yaml").read_text(encoding="utf-8"))


def written(folder: Path, document: object, name: str) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_the_nist_framework_has_all_its_parts():
    """The NIST AI RMF has 4 functions, 19 categories and 72 subcategories, as many in each category as published."""
    nist = load_framework("nist_ai_rmf")
    assert len(nist.functions) == 4
    assert len(nist.categories) == 19
    assert len(nist.subcategories) == 72
    sizes = Counter(item.category for item in nist.subcategories)
    assert [sizes[category.id] for category in nist.categories] == [
        7, 3, 2, 3, 2, 2, 6, 3, 5, 2, 2, 3, 13, 3, 3, 4, 4, 2, 3,
    ]  # fmt: skip
    for item in nist.subcategories:
        assert re.fullmatch(rf"{item.category}\.\d+", item.id)


def test_ids_run_without_a_hole():
    """In every category the subcategories are numbered from 1 on."""
    nist = load_framework("nist_ai_rmf")
    for category in nist.categories:
        numbers = [int(item.id.rpartition(".")[2]) for item in nist.subcategories if item.category == category.id]
        assert numbers == list(range(1, len(numbers) + 1))


def test_nobody_is_called_compliant():
    """No framework file on the shelf uses the word that nobody here may say."""
    for name in frameworks():
        assert "complian" not in (_SHELF / f"{name}.yaml").read_text(encoding="utf-8").lower()


def test_every_framework_on_the_shelf_loads():
    """What stands on the shelf loads, and loading it twice gives equal frameworks."""
    assert "nist_ai_rmf" in frameworks()
    for name in frameworks():
        assert load_framework(name) == load_framework(name)


def test_a_framework_is_frozen():
    """A loaded framework refuses to be changed."""
    with pytest.raises(Exception, match="frozen"):
        load_framework("nist_ai_rmf").title = "another"  # type: ignore[misc]


def test_a_misspelled_framework_is_answered_with_the_right_one():
    """An unknown framework names the nearest one."""
    with pytest.raises(UnknownName) as caught:
        load_framework("nist_ai_rfm")
    assert "nist_ai_rmf" in str(caught.value.hint)


def test_a_control_is_found_in_any_case():
    """`map 1.1` opens MAP 1.1, and an id that there is not is refused."""
    nist = load_framework("nist_ai_rmf")
    assert nist.control("map  1.1").id == "MAP 1.1"
    with pytest.raises(UnknownName):
        nist.control("MAP 9.9")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("subcategory_twice", "stands there twice"),
        ("unknown_evidence_class", "evidence"),
        ("auto_without_query", "a query and its question belong"),
        ("mixed_without_person", "every class but auto"),
        ("category_of_no_function", "no function is named"),
        ("subcategory_of_no_category", "has no category"),
        ("category_without_subcategory", "has no subcategory"),
        ("unknown_field", "colour"),
        ("empty_outcome", "outcome"),
    ],
)
def test_a_broken_framework_is_refused(document: dict, tmp_path: Path, fault: str, says: str):
    """Each fault is refused with a sentence that names it."""
    first = document["subcategories"][0]
    match fault:
        case "subcategory_twice":
            document["subcategories"].append(dict(first))
        case "unknown_evidence_class":
            first["evidence"] = "certain"
        case "auto_without_query":
            auto = next(item for item in document["subcategories"] if item["evidence"] == "auto")
            auto["query"] = None
        case "mixed_without_person":
            first["human"] = None
        case "category_of_no_function":
            document["categories"][0]["function"] = "STEER"
        case "subcategory_of_no_category":
            first["category"] = "GOVERN 9"
        case "category_without_subcategory":
            document["categories"].append({"id": "MAP 6", "function": "MAP", "topic": "more"})
        case "unknown_field":
            first["colour"] = "green"
        case "empty_outcome":
            first["outcome"] = ""
    with pytest.raises(InvalidRecord, match=re.escape(says)):
        read_framework(written(tmp_path, document, f"framework_{fault}.yaml"))


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path):
    """Broken YAML, bytes that are no text and a list are one clear error each."""
    (tmp_path / "framework_no_yaml.yaml").write_text("title: [", encoding="utf-8")
    (tmp_path / "framework_no_text.yaml").write_bytes(b"\xff\xfe\xff")
    for name in ("framework_no_yaml.yaml", "framework_no_text.yaml", "framework_not_there.yaml"):
        with pytest.raises(ConfigurationError):
            read_framework(tmp_path / name)
    with pytest.raises(InvalidRecord, match="a mapping"):
        read_framework(written(tmp_path, [1], "framework_a_list.yaml"))
