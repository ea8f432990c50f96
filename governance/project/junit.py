"""What does a repro look like to those who count tests? One case a stage, one a finding, in JUnit's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from governance.documents.escape import clean
from governance.facts import short
from governance.project.report import outcome_told
from governance.records import Finding
from governance.runs.effects import finding_changes

if TYPE_CHECKING:
    from governance.project.ci import Witnessed

#: how a case that did not pass is told, by the outcome of its stage or finding
_STAGE = {"failed": "failure", "aborted": "error", "not reached": "skipped"}
_FINDING = {"fail": "failure", "unknown": "skipped"}


def junit(told: Witnessed) -> bytes:
    """Two suites: stages (unchanged and restored passed, not reached is skipped), and findings of the current runs.

    A finding that newly failed is a failure. One that had failed before is skipped, so that an open finding does not make
    every later report red; so is one that could not be judged, since unknown is no pass.
    """
    root = ET.Element("testsuites", name="labeltrail repro")
    data = told.report.data
    stages = _suite(root, "labeltrail stages")
    error = data.get("error") or {}
    for stage, outcome in data["stages"].items():
        shown = outcome_told(outcome, well=not error)
        case = _case(stages, f"{told.config.name}.stages", stage, seconds=data["seconds"].get(stage, 0.0))
        problem = data["problems"].get(stage)
        if outcome in _STAGE:
            mine = error.get("stage") == stage
            says = f"{error['message']}\n{error['hint']}" if mine else f"stage {stage} {shown}"
            _outcome(case, _STAGE[outcome], kind=outcome, says=says)
        elif problem:
            _outcome(case, "error", kind="not recorded", says=problem)
    if error and error.get("stage") is None:
        case = _case(stages, f"{told.config.name}.stages", "repro", seconds=0.0)
        _outcome(case, "error", kind="DVC", says=f"{error['message']}\n{error['hint']}")
    findings = _suite(root, "labeltrail findings")
    news = {change.name for change in finding_changes(told.stood.of(Finding), told.stands.of(Finding), told.facts)}
    for finding in told.stands.of(Finding):
        subject = told.facts.get(finding.subject)
        named = f"{finding.check} of {subject.label if subject else ''} ({short(finding.name)})"
        case = _case(findings, f"{told.config.name}.findings", named, seconds=0.0)
        if finding.outcome == "fail" and finding.name not in news:
            _outcome(case, "skipped", kind="open", says=f"failed before this run too: {finding.says}")
        elif finding.outcome in _FINDING:
            _outcome(case, _FINDING[finding.outcome], kind=finding.outcome, says=finding.says)
    return _counted(root)


def unfinished_junit(project: str, says: str) -> bytes:
    """One case with an error, for a repro that did not come to its end."""
    root = ET.Element("testsuites", name="labeltrail repro")
    case = _case(_suite(root, "labeltrail stages"), f"{project}.stages", "repro", seconds=0.0)
    _outcome(case, "error", kind="not done", says=says)
    return _counted(root)


def _suite(root: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(root, "testsuite", name=name)


def _case(suite: ET.Element, classname: str, name: str, *, seconds: float) -> ET.Element:
    # XML holds no control characters, not even as references.
    return ET.SubElement(suite, "testcase", classname=clean(classname), name=clean(name), time=f"{seconds:.3f}")


def _outcome(case: ET.Element, tag: str, *, kind: str, says: str) -> None:
    lines = [clean(line) for line in says.splitlines()]
    if tag == "skipped":
        # Readers of the schema know no type and no text here.
        ET.SubElement(case, tag, message=" ".join(lines))
        return
    ET.SubElement(case, tag, message=lines[0] if lines else kind, type=kind).text = "\n".join(lines)


def _counted(root: ET.Element) -> bytes:
    """Adds to every suite, and to all together, how many cases there are and how they ended."""
    suites = root.findall("testsuite")
    for element in (*suites, root):
        cases = list(element.iter("testcase"))
        element.set("tests", str(len(cases)))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(count, str(sum(case.find(tag) is not None for case in cases)))
        element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
