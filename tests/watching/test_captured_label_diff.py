"""Labels of a script that nobody edited for us are held against those of its next run, and each change has its cause."""

from __future__ import annotations

from small_project import git
from watching.scripts import HEAD, captured, project_with

from governance.errors import MissingEvidence
from governance.project import Project

LABELS = (
    HEAD
    + """
votes = PandasLFApplier(functions).apply(frame, progress_bar=False, fault_tolerant=True)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=EPOCHS, progress_bar=False, seed=7)
answers = model.predict(votes)
"""
)


def test_captured_labels_that_changed_have_causes(tmp_path, monkeypatch):
    """snorkel's model is asked as it labelled, ties included. Without a copy the earlier run is gone, and that is said."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    folder = project_with(tmp_path / "project", train=LABELS.replace("EPOCHS", "50"))
    assert captured(folder, "train.py").returncode == 0
    git(folder, "init", "-q")
    git(folder, "add", "-A", "--force", "artifacts")
    git(folder, "commit", "-q", "-m", "first")
    edited = LABELS.replace("EPOCHS", "50").replace(
        'return 0 if "awful" in x.text', 'return 1 if "awful film" in x.text'
    )
    (folder / "train.py").write_text(edited)
    assert captured(folder, "train.py").returncode == 0
    report = Project.find(folder).diff("labels", rows=1000)
    told = report.data
    assert int(report.exit_code) == 0, told["unknown"]
    assert sum(told["causes"].values()) == told["changed"] == len(told["examples"]) > 0
    assert set(told["causes"]) <= {"new source version", "refit"}
    assert all(one["what"].startswith("awful source:") for one in told["what"])
    (folder / "train.py").write_text(edited.replace("n_epochs=50", "n_epochs=3"))
    assert captured(folder, "train.py").returncode == 0
    try:
        told = Project.find(folder).diff("labels").data
    except MissingEvidence as error:
        # The second run's labels lay nowhere but in the files that the third one wrote over.
        assert "writes over the one before it" in (error.hint or "")
    else:
        raise AssertionError(told)
