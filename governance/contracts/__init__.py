"""What must a table satisfy, which rows do, and how is that stated as a fact?"""

from governance.contracts.base import ExamplesContract, LabelsContract, VotesContract
from governance.contracts.describing import contract_record
from governance.contracts.screening import REASON, Screened, screen

__all__ = ["REASON", "ExamplesContract", "LabelsContract", "Screened", "VotesContract", "contract_record", "screen"]
