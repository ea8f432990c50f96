"""LabelTrail: the audit trail for weak labels."""

__version__ = "0.1.0"
