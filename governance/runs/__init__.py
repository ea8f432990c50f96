"""What did a stage start from, and what came out? Recipes, results and the notes of executions."""

from governance.runs.runfile import RunFile, facts_path, read_run, run_path
from governance.runs.stage import StageRun, stage

__all__ = ["RunFile", "StageRun", "facts_path", "read_run", "run_path", "stage"]
