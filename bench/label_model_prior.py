"""How does the prior decide the label model's accuracy on the tweets? Needs a run of the reference project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.votes.table import read_votes

#: domain that is fitted, strength, diagonal
SETTINGS = [("all", 100, 0.7), ("all", 1000, 0.8), ("tweets", 100, 0.7)]


def measure() -> dict[str, Any]:
    """Accuracy on all covered tweets, of every split, for each setting and for majority vote."""
    examples = pl.read_parquet("artifacts/data/screened.parquet")
    votes = read_votes(Path("artifacts/votes/votes.parquet")).aligned_to(examples["example_id"])
    tweets = (examples["domain"] == "tweets").to_numpy()
    gold = examples["gold"].to_numpy()
    covered = tweets & (votes.voting > 0)
    fitted = {"all": votes, "tweets": votes.take(np.flatnonzero(tweets))}

    def accuracy(model: Any) -> float:
        return round(float((model.predict(votes)[covered] == gold[covered]).mean()), 4)

    told = {"majority vote": accuracy(MajorityVote().fit(votes))}
    for domain, strength, diagonal in SETTINGS:
        model = DawidSkene(strength=strength, diagonal=diagonal).fit(fitted[domain])
        told[f"fitted on {domain}, strength {strength}, diagonal {diagonal}"] = accuracy(model)
    return {"accuracy": told, "tweets": int(covered.sum())}
