"""What does a framework ask, and what do the records answer?"""

from governance.audit.assess import Assessment, assess
from governance.audit.attestations import read_attestations
from governance.audit.query import Context, queries
from governance.audit.report import report

__all__ = ["Assessment", "Context", "assess", "queries", "read_attestations", "report"]
