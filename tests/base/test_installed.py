"""What is installed is read as importlib.metadata reads it, and every module finds its distribution."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from governance import installed
from governance.installed import Installed, read_installed


def test_versions_and_owners_are_those_of_importlib_metadata():
    """Of everything that is installed here. Later Pythons find owners of modules that are no Python code, too."""
    known, versions = read_installed(), {}
    for distribution in metadata.distributions():
        versions.setdefault(distribution.metadata["Name"].lower(), distribution.version)
    assert known.versions == versions
    everyone = metadata.packages_distributions()
    assert known.owners.keys() >= {"numpy", "polars", "pydantic", "yaml"}
    assert all(set(names) <= set(everyone[module]) for module, names in known.owners.items())


def test_modules_that_were_imported_name_their_distributions():
    """In lower case and in order; Python's own modules and unknown ones name none."""
    known = Installed({"pyyaml": "6", "a": "1", "b": "2"}, {"yaml": ("PyYAML",), "shared": ("b", "A")})
    assert list(known.brought(["shared", "yaml", "sys", "nobody"]).items()) == [("a", "1"), ("b", "2"), ("pyyaml", "6")]


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        pytest.param({"top_level.txt": "one\ntwo\n", "RECORD": "three/x.py,,\n"}, {"one", "two"}, id="declared"),
        pytest.param(
            {"RECORD": "one/x.py,sha256=a,1\none/data.bin,,\ntwo.py,,\nmade-1.dist-info/RECORD,,\n"},
            {"one", "two"},
            id="listed",
        ),
        pytest.param({"RECORD": '"one/a,b.py",,\n'}, {"one"}, id="a_comma_in_a_name"),
        pytest.param({}, set(), id="neither"),
    ],
)
def test_a_distribution_brings_what_it_declares_or_else_lists(tmp_path: Path, monkeypatch, files, modules):
    """top_level.txt, or the files of code in RECORD."""
    _made(tmp_path, "Metadata-Version: 2.1\nName: Made\nVersion: 1.0\n\nName: in the description\n", **files)
    known = _read_in(tmp_path, monkeypatch)
    assert known.versions == {"made": "1.0"}
    assert known.owners == dict.fromkeys(modules, ("Made",))


def test_a_folder_that_an_installer_left_half_removed_is_nothing(tmp_path: Path, monkeypatch):
    """It has no name, and cannot be asked for."""
    _made(tmp_path, "", RECORD="one.py,,\n")
    assert _read_in(tmp_path, monkeypatch) == Installed({}, {})


def test_a_header_that_says_its_name_twice_is_left_to_its_own_reader(tmp_path: Path, monkeypatch):
    """As importlib.metadata decides."""
    _made(tmp_path, "Name: Made\nName: Other\nVersion: 1.0\n\n", RECORD="one.py,,\n")
    (wanted,) = metadata.distributions(path=[str(tmp_path)])
    assert _read_in(tmp_path, monkeypatch).versions == {wanted.metadata["Name"].lower(): "1.0"}


def _made(folder: Path, header: str, **files: str) -> None:
    place = folder / "made-1.0.dist-info"
    place.mkdir()
    for name, text in {"METADATA": header, **files}.items():
        (place / name).write_text(text)


def _read_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = list(metadata.distributions(path=[str(folder)]))
    monkeypatch.setattr(installed.metadata, "distributions", lambda: found)
    return read_installed()
