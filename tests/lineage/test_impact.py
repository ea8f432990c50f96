"""What hangs on a record is what was derived from it and decided about that, and not what only came out beside it."""

from __future__ import annotations

from governance.facts import Facts
from governance.lineage.impact import hanging
from governance.records import Labels, Result, Source, Votes


def source(title):
    words = dict.fromkeys(("summary", "owner", "origin", "licence_declared", "licence_found", "collection"), "x")
    digest = f"{len(title):064x}"
    return Source.make(
        title=title, source_kind="lexicon", version="1", fingerprint=digest, personal_data=False, **words
    )


def test_derivations_are_followed_and_neighbours_of_one_run_are_not():
    """Votes and labels hang on a source; another source that the same run described does not."""
    one, other = source("a"), source("bb")
    part = {"source": one.name, "column": "a", "votes": (1, 0), "abstained": 0, "errors": 0, "skipped": 0}
    counts = dict.fromkeys(("covered", "conflicts", "patterns", "revoted", "revoted_differently"), 0)
    digests = {"sha256": "1" * 64, "content": "1" * 64}
    dataset = "dataset:" + "1" * 64
    votes = Votes.make(title="v", dataset=dataset, rows=1, classes=("n", "y"), sources=[part], **counts, **digests)
    labels = Labels.make(
        title="l",
        votes=votes.name,
        label_model="labelmodel:" + "1" * 64,
        dataset=dataset,
        rows=1,
        covered=1,
        classes={"n": 1, "y": 0},
        differs_from_majority=0,
        **digests,
    )
    made = (one.name, other.name, votes.name, labels.name)
    result = Result.make(stage="vote", recipe="recipe:" + "1" * 64, outputs=(), generated=made, used=())
    facts = Facts([one, other, votes, labels, result])
    found = hanging(one.name, facts)
    assert {kind: [record.name for record in records] for kind, records in found.items()} == {
        "votes": [votes.name],
        "labels": [labels.name],
    }
    assert [record.distance for records in found.values() for record in records] == [1, 2]
    assert hanging(other.name, facts) == {}
