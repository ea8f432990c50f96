"""What is a document? The names under which cards and reports are built; they live with the claims, below audit too."""

from governance.claims import Answer, Block, Claim, Document, Gap, Note, Row, Section, Table, Tally

__all__ = ["Answer", "Block", "Claim", "Document", "Gap", "Note", "Row", "Section", "Table", "Tally"]
