"""What came out of the run, in ten lines, and where is the rest?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from governance import audit
from governance.cli.tell import status_of
from governance.controls import load_framework
from governance.facts import Facts
from governance.project import Project
from governance.records import (
    Attestation,
    Dataset,
    Document,
    Evaluation,
    Finding,
    Labels,
    Metric,
    Result,
    Source,
    Votes,
)
from governance.runs.stage import read_params
from pipelines.results import evaluated

HOME = "tweets"


def main() -> int:
    """Prints the summary of the project around the current folder; answers the exit status."""
    project = Project.find(Path.cwd())
    facts = project.current_facts()
    for number, line in enumerate(lines(project, facts), start=1):
        print(f"{number:2d}. {line}")
    print()
    for path in documents(facts):
        print(f"    {path}")
    print("\n    labeltrail why tweets/1 · labeltrail trace model · labeltrail source · labeltrail verify")
    return 0


def lines(project: Project, facts: Facts) -> list[str]:
    """Ten sentences, each made of recorded figures."""
    screened = facts.one(Dataset, role="screened")
    votes, labels, evaluation = facts.one(Votes), facts.one(Labels), evaluated(facts)
    sources = facts.of(Source)
    conflicts = [source.title for source in sources if source.licence_conflict]
    seen = [f"{source.title} ({c.domain})" for source in sources for c in source.contamination]
    findings = Counter(finding.outcome for finding in facts.of(Finding))
    away = [f"{percent(evaluation, 'model', name)} on {name}" for name in sorted(screened.domains) if name != HOME]
    checked = project.verify()
    return [
        f"{screened.rows:,} texts of {len(screened.domains)} domains kept the contract; "
        f"{screened.counts.get('rows in quarantine', 0)} are in quarantine.",
        f"{len(sources)} source versions voted: {votes.covered / votes.rows:.1%} of the texts have a vote, "
        f"{votes.conflicts / votes.rows:.1%} have votes that disagree.",
        f"Licences declared and found differ for {', '.join(conflicts) or 'no source'}.",
        f"Not independent evidence, because the source has met the texts before: {', '.join(seen) or 'none'}.",
        f"{labels.covered:,} texts got a label; on {labels.differs_from_majority:,} label model and majority vote differ.",
        f"Labels on {HOME}: label model {percent(evaluation, 'label_model', HOME)} right, "
        f"majority vote {percent(evaluation, 'majority', HOME)}.",
        f"End model on {HOME}: {percent(evaluation, 'model', HOME)}; "
        f"trained on gold instead: {percent(evaluation, 'supervised', HOME)}.",
        f"The same end model elsewhere: {', '.join(away)}.",
        f"Findings: {findings['pass']} pass, {findings['fail']} fail, {findings['unknown']} unknown. "
        f"{states(project, facts)}",
        f"The trail holds {project.trail.size()} entries; `labeltrail verify` ends with exit code "
        f"{int(checked.exit_code)} after hashing {checked.data['counts']['files']} files "
        f"and {checked.data['counts']['rows']:,} rows.",
    ]


def percent(evaluation: Evaluation, of: str, slice: str) -> str:
    """An accuracy as a percentage, or that it is unknown."""
    found: Metric | None = evaluation.metric("accuracy", of=of, slice=slice)
    return f"{float(found.value):.1%}" if found and found.value is not None else "unknown"


def states(project: Project, facts: Facts) -> str:
    """How many controls are in which state."""
    as_of = str((read_params(project.config.root).get("audit") or {}).get("as_of"))
    told = Facts(record for record in facts if not (isinstance(record, Document) and "report" in record.document_kind))
    stated = facts.of(Attestation)
    framework = load_framework("nist_ai_rmf")
    judged = Counter(item.state for item in audit.assess(told | Facts(stated), framework, as_of=as_of))
    shown = ", ".join(f"{count} {state}" for state, count in judged.most_common())
    return f"NIST AI RMF: {shown}."


def documents(facts: Facts) -> list[str]:
    """Where cards and reports lie."""
    made = {document.sha256 for document in facts.of(Document)}
    return [output.path for result in facts.of(Result) for output in result.outputs if output.sha256 in made]


if __name__ == "__main__":
    raise SystemExit(status_of(main))
