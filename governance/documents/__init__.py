"""How are records told? Cards as documents, their rendering, and the check that every sentence has its evidence."""

from governance.documents.dataset_card import dataset_card
from governance.documents.html import render_html
from governance.documents.lint import Fault, check_document, check_markdown, require_sound
from governance.documents.markdown import render_markdown
from governance.documents.model import Document
from governance.documents.model_card import model_card
from governance.documents.stated import document_record

__all__ = [
    "Document",
    "Fault",
    "check_document",
    "check_markdown",
    "dataset_card",
    "document_record",
    "model_card",
    "render_html",
    "render_markdown",
    "require_sound",
]
