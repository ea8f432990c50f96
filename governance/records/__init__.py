"""The vocabulary: facts that are frozen, validated and named by their content."""

from governance.records.base import Count, Decimal, Digest, Name, Part, Record, read_record, record_kinds
from governance.records.challenges import MOST_ROWS, Challenge, Disclosure
from governance.records.data import Column, Contract, Dataset, Finding, Outcome
from governance.records.decisions import Approval, Expiry, decision_statement
from governance.records.documents import Attestation, Bundle, Document
from governance.records.erasures import ErasedFile, ErasedRows, Erasure
from governance.records.events import (
    Adoption,
    Commitment,
    Environment,
    Execution,
    LogStart,
    NoPersonalData,
    Repro,
    StageOutcome,
    Watcher,
)
from governance.records.keys import KeyChange, KeyReason, key_statement
from governance.records.llm import Answers, Labeller, Price, Terms
from governance.records.models import Bin, Evaluation, LabelModel, Labels, Learned, Metric, Model, Predictions
from governance.records.reproductions import Reproduction, ReproductionOutcome
from governance.records.runs import Distribution, FileRef, Recipe, Result
from governance.records.sources import CodePart, Contamination, Package, Related, Source, SourceText, SourceV1
from governance.records.votes import LongVotes, SourceVotes, Votes

__all__ = [
    "MOST_ROWS",
    "Adoption",
    "Answers",
    "Approval",
    "Attestation",
    "Bin",
    "Bundle",
    "Challenge",
    "CodePart",
    "Column",
    "Commitment",
    "Contamination",
    "Contract",
    "Count",
    "Dataset",
    "Decimal",
    "Digest",
    "Disclosure",
    "Distribution",
    "Document",
    "Environment",
    "ErasedFile",
    "ErasedRows",
    "Erasure",
    "Evaluation",
    "Execution",
    "Expiry",
    "FileRef",
    "Finding",
    "KeyChange",
    "KeyReason",
    "LabelModel",
    "Labeller",
    "Labels",
    "Learned",
    "LogStart",
    "LongVotes",
    "Metric",
    "Model",
    "Name",
    "NoPersonalData",
    "Outcome",
    "Package",
    "Part",
    "Predictions",
    "Price",
    "Recipe",
    "Record",
    "Related",
    "Repro",
    "Reproduction",
    "ReproductionOutcome",
    "Result",
    "Source",
    "SourceText",
    "SourceV1",
    "SourceVotes",
    "StageOutcome",
    "Terms",
    "Votes",
    "Watcher",
    "decision_statement",
    "key_statement",
    "read_record",
    "record_kinds",
]
