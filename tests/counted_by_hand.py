"""What does a loop over rows of votes count, one vote after the other?"""

from __future__ import annotations

import numpy as np


def by_hand(matrix: np.ndarray, n_classes: int) -> dict[str, object]:
    rows, sources = matrix.shape
    said = [[v for v in row if v >= 0] for row in matrix.tolist()]
    pairs = range(sources)
    return {
        "rows": rows,
        "covered": sum(len(s) > 0 for s in said),
        "overlaps": sum(len(s) > 1 for s in said),
        "conflicts": sum(len(set(s)) > 1 for s in said),
        "votes": [[int((matrix[:, j] == k).sum()) for k in range(n_classes)] for j in pairs],
        "abstained": [int((matrix[:, j] == -1).sum()) for j in pairs],
        "errors": [int((matrix[:, j] == -2).sum()) for j in pairs],
        "skipped": [int((matrix[:, j] == -3).sum()) for j in pairs],
        "source_overlaps": [sum(matrix[i, j] >= 0 and len(said[i]) > 1 for i in range(rows)) for j in pairs],
        "source_conflicts": [sum(matrix[i, j] >= 0 and len(set(said[i])) > 1 for i in range(rows)) for j in pairs],
        "both": [[sum(row[i] >= 0 and row[j] >= 0 for row in matrix.tolist()) for j in pairs] for i in pairs],
        "agreed": [[sum(row[i] >= 0 and row[i] == row[j] for row in matrix.tolist()) for j in pairs] for i in pairs],
        "voting": [sum(len(s) == n for s in said) for n in range(sources + 1)],
    }


def plain(analysis) -> dict[str, object]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(analysis).items()}
