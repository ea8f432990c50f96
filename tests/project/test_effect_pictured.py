"""`whatif --picture` and `blast --picture`: what the answer says, drawn; what is unknown is drawn as unknown."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import ConfigurationError, InvalidRecord
from governance.project import Project
from governance.project.counterfactual.pictured import blast_picture, whatif_picture

SVG = "{http://www.w3.org/2000/svg}"


def labeltrail(*arguments, folder, **environment):
    command = [sys.executable, "-m", "governance", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


def cells(svg: str) -> list[str]:
    """What each cell of a picture says of itself, in order."""
    root = ET.fromstring(svg)  # noqa: S314 - made here
    return [found.text or "" for found in root.iter(f"{SVG}title")]


def share(rows: int, of: int) -> str:
    return f"{rows:,} ({100 * rows / of:.1f} %)"


@pytest.fixture(scope="module")
def whatif(reference_once):
    return Project.find(reference_once).whatif("vader", "afinn")


@pytest.fixture(scope="module")
def blast(reference_once):
    return Project.find(reference_once).blast("vader")


def test_every_part_is_drawn_in_both_ways_with_the_numbers_of_the_answer(whatif):
    """Rows that change, accuracy with its interval and calibration error, frozen and refitted beside each other."""
    found, data = cells(whatif.svg), whatif.data
    for way in ("frozen", "refitted"):
        assert f"all rows, {way}: {share(data[way]['changed'], data['rows'])}" in found
        assert len(data[way]["slices"]) > 10
        for part in data[way]["slices"]:
            sort, _, name = part["slice"].partition("=")
            assert f"{sort} {name}, {way}: {share(part['changed'], part['rows'])}" in found
            told = [one for one in found if one.startswith(f"{sort} {name}, {way}: before")]
            if part["before"] is None or part["after"] is None:
                assert told == []
                assert found.count(f"{sort} {name}, {way}: unknown") == 2
                continue
            for measure in (part["before"], part["after"]):
                right, low, high = (f"{100 * float(measure[what]):.1f} %" for what in ("accuracy", "low", "high"))
                count = f"{measure['examples']:,}"
                assert any(f"{right} of {count}" in one and f"({low} to {high})" in one for one in told)
                assert any(f"{100 * float(measure['ece']):.1f} % of {count}" in one for one in told)
        for pair in data[way]["pairs"]:
            named = f"{pair['was'] or 'no label'} → {pair['now'] or 'no label'}"
            assert f"{named}, {way}: {share(pair['rows'], data['rows'])}" in found


def test_the_tiers_of_a_source_are_drawn_part_by_part(blast):
    """Touched, decisive, and predicted as not asked; and what it voted for."""
    found, data = cells(blast.svg), blast.data
    assert f"all rows, touched: {share(data['touched']['rows'], data['rows'])}" in found
    for part in data["touched"]["slices"]:
        name = part["slice"].replace("=", " ", 1)
        for tier in ("touched", "decisive"):
            assert f"{name}, {tier}: {share(part[tier], part['rows'])}" in found
        assert f"{name}, predicted: not asked" in found
    for name, rows in data["touched"]["votes"].items():
        assert f"votes for {name}, touched: {share(rows, data['touched']['rows'])}" in found


def test_what_is_predicted_is_drawn_where_it_was_asked_and_the_same_bytes_come_again(reference_once):
    """The third column of either picture; measured seconds are in no picture."""
    project = Project.find(reference_once)
    once, again = (project.blast("vader", retrain=True) for _ in range(2))
    assert once.svg == again.svg
    told = once.data["predicted"]
    assert f"all rows, predicted: {share(told['changed'], once.data['rows'])}" in cells(once.svg)
    for part in told["slices"]:
        named = f"{part['slice'].replace('=', ' ', 1)}, predicted: {share(part['changed'], part['rows'])}"
        assert named in cells(once.svg)
    other = project.whatif("vader", retrain=True)
    assert f"all rows, retrained: {share(other.data['retrained']['changed'], other.data['rows'])}" in cells(other.svg)
    slower = copy.deepcopy(other.data)
    slower["retrained"]["seconds"] = "9999.5"
    assert whatif_picture(slower) == other.svg


def test_a_picture_comes_from_the_command_line_and_stands_in_a_notebook(reference_once, tmp_path):
    """The same bytes from another process under another hash seed; a file that is there is replaced whole."""
    for verb, source in (("whatif", ("--without", "vader")), ("blast", ("vader",))):
        place = tmp_path / f"{verb}.svg"
        place.write_text("of last week")
        asked = labeltrail(verb, *source, "--picture", str(place), "--json", folder=reference_once, PYTHONHASHSEED="7")
        assert (asked.returncode, asked.stderr) == (0, "")
        assert json.loads(asked.stdout)["picture"] == str(place)
        report = getattr(Project.find(reference_once), verb)("vader")
        assert "picture" not in report.data
        assert place.read_text() == report.svg
        shown = report._repr_html_()
        assert report.svg in shown
        assert "<script" not in shown
        ET.fromstring(shown)  # noqa: S314 - made here
        plain = labeltrail(verb, *source, "--picture", str(place), folder=reference_once)
        assert plain.stdout.rstrip().endswith(f"the picture is in {place}")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["blast.svg", "whatif.svg"]


def test_a_picture_that_cannot_be_written_is_one_error(reference_once, tmp_path):
    """Another ending, a file for a folder, a folder for a file: exit 2, and what was there is as it was."""
    project = Project.find(reference_once)
    (tmp_path / "file").write_text("as it was")
    (tmp_path / "folder.svg").mkdir()
    for ask in (project.whatif, project.blast):
        with pytest.raises(InvalidRecord, match=r"ends in \.svg"):
            ask("vader", picture=tmp_path / "picture.png")
        with pytest.raises(InvalidRecord, match=r"ends in \.svg"):
            ask("no such source", picture=tmp_path / "picture")
        for place in (tmp_path / "file" / "picture.svg", tmp_path / "folder.svg"):
            with pytest.raises(ConfigurationError, match="cannot be written"):
                ask("vader", picture=place)
    asked = labeltrail("blast", "vader", "--picture", "picture.pdf", folder=reference_once)
    assert (asked.returncode, "Traceback" in asked.stderr) == (2, False)
    assert (tmp_path / "file").read_text() == "as it was"
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["file", "folder.svg"]


def test_an_unknown_refit_is_drawn_as_unknown_in_every_part(reference_once, monkeypatch, tmp_path):
    """Exit 4 with a picture: the frozen numbers stand there, and the reason of what is unknown."""
    from governance.project.counterfactual import refit

    monkeypatch.setattr(refit, "_PREFIX", "no such parameter")
    place = tmp_path / "whatif.svg"
    report = Project.find(reference_once).whatif("vader", retrain=True, picture=place)
    assert report.exit_code == 4
    found = cells(place.read_text())
    for part in report.data["frozen"]["slices"]:
        sort, _, name = part["slice"].partition("=")
        assert f"{sort} {name}, frozen: {share(part['changed'], part['rows'])}" in found
        for way in ("refitted", "retrained"):
            # Labels, accuracy, calibration.
            assert found.count(f"{sort} {name}, {way}: unknown") == 3
    assert "does not give the recorded label model again" in place.read_text()


def test_labels_that_the_label_model_does_not_give_are_drawn_as_unknown(reference_once, monkeypatch):
    """Nothing is decided as far as anybody knows; touched is counted all the same."""
    from governance.labelmodels.dawid_skene import DawidSkene

    monkeypatch.setattr(DawidSkene, "predict", lambda self, votes: np.zeros(len(votes), dtype=np.int8))
    project = Project.find(reference_once)
    report = project.blast("vader")
    assert report.exit_code == 4
    assert "all rows, decisive: unknown" in cells(report.svg)
    assert f"all rows, touched: {share(report.data['touched']['rows'], report.data['rows'])}" in cells(report.svg)
    found = cells(project.whatif("vader").svg)
    assert [one for one in found if one.startswith("all rows,")] == [
        f"all rows, {way}: unknown" for _ in range(3) for way in ("frozen", "refitted")
    ]


def test_without_gold_nothing_is_drawn_beside_it_and_the_picture_says_so(whatif):
    """No accuracy is guessed; what flips is drawn."""
    blind = copy.deepcopy(whatif.data)
    blind["gold"] = None
    for way in ("frozen", "refitted"):
        for told in (blind[way], *blind[way]["slices"]):
            told["before"] = told["after"] = None
    svg = whatif_picture(blind)
    assert "No gold: what it does to accuracy and calibration is unknown" in svg
    assert "Calibration error" not in svg
    assert f"all rows, frozen: {share(blind['frozen']['changed'], blind['rows'])}" in cells(svg)


def test_gold_that_voted_itself_is_told_beside_the_figures(whatif):
    """They are no independent evidence."""
    told = copy.deepcopy(whatif.data)
    assert "independent" not in whatif_picture(told)
    told["gold"]["voted"] = "expert"
    assert "no independent evidence" in whatif_picture(told)


def test_a_source_that_no_longer_votes_has_a_picture_without_bars(blast):
    """What it touched is unknown, and not nothing."""
    gone = {**blast.data, "touched": None, "decisive": None, "training": None, "predicted": None}
    svg = blast_picture(gone)
    assert "what it touched is unknown" in svg
    assert cells(svg) == ["How far vader 3.3.2 reaches"]


@given(st.integers(0, 40), st.integers(2, 30))
def test_many_changes_and_classes_lose_no_row(pairs, classes):
    """What has no line of its own is counted in the line of the others, to the last row."""
    changes = [{"was": f"c{j}", "now": "x" if j % 3 else None, "rows": j + 1} for j in range(pairs)]
    total = sum(one["rows"] for one in changes)
    tier = {"changed": total, "flipped": total, "lost": 0, "pairs": changes, "slices": []}
    votes = {f"c{j}": j for j in range(classes)}
    data = {
        "source": {"title": "a", "version": ""},
        "rows": 10_000,
        "touched": {"rows": sum(votes.values()), "votes": votes, "slices": []},
        "decisive": tier,
        "predicted": None,
    }
    found = [one.partition(", ") for one in cells(blast_picture(data))]

    def rows(tier, which):
        return sum(
            int(told.split(": ")[1].split(" ")[0].replace(",", "")) for name, _, told in found if which(name, told)
        )

    decisive = rows("decisive", lambda name, told: told.startswith("decisive") and name != "all rows")
    assert decisive == total
    said = rows("touched", lambda name, told: told.startswith("touched") and name != "all rows")
    assert said == sum(votes.values())


def test_an_answer_about_no_rows_is_drawn():
    """Nothing is divided by nothing."""
    nothing = {"changed": 0, "flipped": 0, "lost": 0, "pairs": [], "slices": [], "before": None, "after": None}
    data = {"without": [{"title": "a", "version": "1"}], "rows": 0, "covered": 0, "gold": None}
    svg = whatif_picture({**data, "frozen": nothing, "refitted": nothing, "retrained": None})
    assert cells(svg)[-1] == "all rows, refitted: 0"
