"""`status`: where the project stands, in figures that fit those of other documents."""

from __future__ import annotations

from governance.project import Project
from governance.records import Finding


def line(report) -> str:
    return next(block for block in report.blocks if str(block).startswith("findings: "))


def test_findings_that_documents_do_not_tell_are_counted_in_the_line(project):
    """What was found about how stages ran: with it the count is that of `audit`."""
    path = project / "dvc.yaml"
    text = path.read_text()
    listed = "deps: [pipelines/make.py, pipelines/helper.py]"
    assert listed in text
    path.write_text(text.replace(listed, "deps: [pipelines/make.py]"))
    governed = Project.find(project)
    assert governed.repro(force=True).exit_code == 0
    report = governed.status()
    told = governed.current_facts(without=("audit_report",)).of(Finding)
    assert sum(report.data["findings"].values()) == len(told) + report.data["on_runs"]
    assert any("helper" in finding["says"] for finding in report.data["open"])
    assert report.data["on_runs"] > 0
    says = f" ({report.data['on_runs']} of them on how stages ran, which documents do not tell)"
    assert line(report).endswith(says)


def test_where_every_finding_is_told_the_line_says_no_more(tmp_path):
    """A project that has not run."""
    Project.init(tmp_path / "fresh")
    report = Project.find(tmp_path / "fresh").status()
    assert report.data["on_runs"] == 0
    assert line(report) == "findings: 0 pass, 0 fail, 0 unknown"
