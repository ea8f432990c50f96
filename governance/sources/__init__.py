"""What votes, in which version, and what did it say?"""

from governance.sources.fingerprint import fingerprint
from governance.sources.registry import RegisteredSource, make_source, registered, source
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

__all__ = ["ABSTAIN", "ERROR", "SKIPPED", "RegisteredSource", "fingerprint", "make_source", "registered", "source"]
