"""Finding and reading a project's configuration."""

from __future__ import annotations

import pytest

from governance import shelf
from governance.config import find_root, read_config
from governance.errors import ConfigurationError, InvalidRecord, NoSuchFolder, NotAProject, UnknownName


def test_a_project_is_found_from_any_folder_below(tmp_path):
    """A command works wherever in the project it is given."""
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path.resolve()
    config = read_config(tmp_path)
    assert (config.name, config.id_column, config.artifacts) == ("x", "example_id", "artifacts")


def test_a_folder_that_is_no_project_says_so(tmp_path):
    """Outside a project the way in is named."""
    with pytest.raises(NotAProject, match="not a LabelTrail project") as caught:
        find_root(tmp_path)
    assert "labeltrail init" in (caught.value.hint or "")
    with pytest.raises(NotAProject):
        read_config(tmp_path)


def test_a_folder_that_is_not_there_is_told_from_one_that_is_no_project(tmp_path):
    """Whoever misspells a folder, or names a file, is not told to make a project there."""
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(NoSuchFolder, match="elsewhere: there is no such folder"):
        find_root(tmp_path / "elsewhere")
    with pytest.raises(NoSuchFolder, match=r"labeltrail\.toml is a file, wanted a folder"):
        find_root(tmp_path / "labeltrail.toml")


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("[project\n", ConfigurationError, "TOML|Expected"),
        ('[project]\nnmae = "x"\n', UnknownName, "nmae"),
        ('[projct]\nname = "x"\n', UnknownName, "projct"),
        ("[project]\nname = 3\n", InvalidRecord, "project.name"),
        ("[project]\n", InvalidRecord, "project.name"),
        ('[project]\nname = "x"\nartifacts = "../out"\n', InvalidRecord, "artifacts"),
        ('[project]\nname = "x"\nartifacts = "/out"\n', InvalidRecord, "artifacts"),
    ],
    ids=[
        "not_toml",
        "field_misspelt",
        "table_misspelt",
        "name_a_number",
        "no_name",
        "artifacts_above",
        "artifacts_absolute",
    ],
)
def test_a_bad_configuration_is_named_field_by_field(tmp_path, text, error, match):
    """Each fault of labeltrail.toml has one clear error."""
    (tmp_path / "labeltrail.toml").write_text(text)
    with pytest.raises(error, match=match):
        read_config(tmp_path)


def test_a_configuration_that_is_not_utf8_is_refused(tmp_path):
    """labeltrail.toml is UTF-8."""
    (tmp_path / "labeltrail.toml").write_bytes(b'[project]\nname = "\xff"\n')
    with pytest.raises(ConfigurationError):
        read_config(tmp_path)


def test_a_shelf_lists_itself_and_knows_what_is_meant():
    """What stands on a shelf is found by name, and a slip is answered with the nearest one."""
    assert "merkle" in shelf.names("governance.store")
    assert shelf.take("governance.store", "merkle").leaf_hash(b"")
    with pytest.raises(UnknownName) as caught:
        shelf.take("governance.store", "merkel")
    assert "merkle" in caught.value.suggestions
    assert dict(shelf.walk("governance.lineage"))
