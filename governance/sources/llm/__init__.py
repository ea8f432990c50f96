"""How does a language model vote: what is asked, what is answered, and what is kept of both?"""

from governance.sources.llm.parsers import Answer
from governance.sources.llm.recording import Recorded, findings, record_answers
from governance.sources.llm.repeating import ask_again
from governance.sources.llm.table import read_answers
from governance.sources.llm.voter import LlmVoter, llm_source

__all__ = ["Answer", "LlmVoter", "Recorded", "ask_again", "findings", "llm_source", "read_answers", "record_answers"]
