"""crowd-kit's Dawid-Skene labels vote sets and times itself; sets come as .npz files named on the command line.

It runs in an environment of its own (`make bench` makes it from constraints-peers.txt) and knows nothing of LabelTrail.
A file holds `votes`, int8 (rows x sources), below 0 where a source is silent. One line of JSON a set comes back.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene


def main(paths: list[str]) -> None:
    for path in paths:
        votes = np.load(path)["votes"]
        rows, sources = np.nonzero(votes >= 0)
        answers = pd.DataFrame({"task": rows, "worker": sources, "label": votes[rows, sources]})
        began, busy = time.perf_counter(), time.process_time()
        labels = DawidSkene().fit_predict(answers)
        spent = {"seconds": time.perf_counter() - began, "processor": time.process_time() - busy}
        predicted = np.full(len(votes), -1)
        predicted[labels.index.to_numpy()] = labels.to_numpy()
        print(json.dumps({**spent, "labels": predicted.tolist(), "version": version("crowd-kit")}), flush=True)


main(sys.argv[1:])
