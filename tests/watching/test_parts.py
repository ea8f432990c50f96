"""Parts of labels are labels still."""

from __future__ import annotations

import json

import pytest
from watching.scripts import HEAD, plain, project_with

_PARTS = (
    HEAD
    + """
import json
from pathlib import Path
from governance.watching import child, session
seen = child.watch(root=str(Path.cwd()), id_column="example_id")
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
votes = PandasLFApplier(functions[:4]).apply(frame, progress_bar=False)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=20, progress_bar=False, seed=3)
model.predict_proba(votes)
labels = model.predict(votes)
told = []
def learned(x, y):
    LogisticRegression().fit(x, y)
    told.append(seen.trained[-1].rows if len(seen.trained) > len(told) else None)
learned(votes[:200], labels[:200])
split = train_test_split(votes, labels, random_state=5)
learned(split[0], split[2])
learned(split[0][:100], split[2][:100])
learned(votes[::-1], labels[np.random.default_rng(2).permutation(N)])
print(json.dumps([told, len(split), seen.unknown, seen.faults]))
"""
)


def test_slices_and_splits_of_labels_are_followed_and_a_shuffle_is_not(tmp_path):
    """The split is what scikit-learn made of it, and what nobody can follow is counted."""
    done = plain(project_with(tmp_path, parts=_PARTS), "parts.py")
    assert done.returncode == 0, done.stderr
    told, split, unknown, faults = json.loads(done.stdout)
    assert told == ["a part of all rows"] * 3 + [None]
    assert (split, faults) == (4, [])
    assert list(unknown.values()) == [1]


def test_the_limit_of_a_block_ends_with_the_block_where_the_command_watches(tmp_path):
    """The former one is back, also where the block raises; `autolog` sets one for good."""
    import governance
    from governance.watching import session

    seen = session.begin(id_column="example_id")
    try:
        with governance.capture(time_limit=5):
            assert seen.limit is not None
            assert seen.limit.seconds == 5
        assert seen.limit is None
        governance.autolog(time_limit=7)
        with pytest.raises(KeyError), governance.capture(time_limit=5):
            raise KeyError("in the block")
        assert seen.limit is not None
        assert seen.limit.seconds == 7
    finally:
        session.end()
