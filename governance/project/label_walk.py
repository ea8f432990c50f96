"""Which step explains each row whose label changed? Votes and texts of both label sets are laid side by side and walked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.lineage import changes
from governance.lineage.changes import Side, Step, Traced
from governance.lineage.label_rows import LABEL, LabelRows
from governance.project.contents import FETCH
from governance.project.label_files import LabelFiles, renumbered
from governance.project.label_switch import switches

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_NO_VOTES = "no votes on the row are at hand"
_LOOK = "`labeltrail diff STAGE` tells what the runs have otherwise: change one thing at a time"
_HINTS = {
    changes.NOT_ITS_WORD: "the stage labels by more than its label model, or its code was another one",
    changes.NO_MODEL: FETCH,
    _NO_VOTES: FETCH,
}
_APART = "rows on which one thing changed have their cause all the same"


def walked(
    was: LabelFiles, now: LabelFiles, former: pl.DataFrame, matched: LabelRows
) -> tuple[Traced, tuple[str, ...]]:
    """The step of every row with another label, and what moved the fit of the label model.

    `former` are the earlier labels as indices of the later classes. Rows without votes are of a step of their own.
    """
    import numpy as np

    many = int(matched.differs.sum())
    labels = [
        side[LABEL].gather(rows).to_numpy().astype(np.int8)
        for side, rows in ((former, matched.changed_was), (now.labels, matched.changed_now))
    ]
    text = _texts(was, now, matched)
    places = [
        side.vote_places[rows] if side.vote_places is not None else None
        for side, rows in ((was, matched.changed_was), (now, matched.changed_now))
    ]
    one_set = was.votes_record.sha256 == now.votes_record.sha256
    if any(place is None for place in places) and not one_set:
        places = [np.full(many, -1, dtype=np.int64)] * 2
    there = np.ones(many, dtype=bool)
    for place in places:
        there &= place >= 0 if place is not None else True
    sides = []
    for side, place, recorded in zip((was, now), places, labels, strict=True):
        sides.append(_side(side, place, recorded, there, classes=now.votes_record.classes))
    because = _because(was, now, matched, new_texts=int((text == changes.OTHER_TEXT).sum()))
    models = switches(was, now, ask=sides[1].ask, because=because)
    found = changes.trace(*sides, text=text[matched.differs][there], switches=models)
    steps = (*found.steps, Step(changes.UNKNOWN, _NO_VOTES))
    step = np.full(many, len(steps) - 1, dtype=np.int64)
    moves = np.ones(many, dtype=np.int64)
    step[there], moves[there] = found.step, found.moves
    for number in np.unique(step):
        if steps[number].cause == changes.UNKNOWN:
            what = f"the cause of {int((step == number).sum()):,} rows"
            now.unknowns.note(what, steps[number].what, _HINTS.get(steps[number].what, _LOOK))
    return Traced(steps, step, moves), because


def _side(
    side: LabelFiles, places: np.ndarray | None, labels: np.ndarray, there: np.ndarray, *, classes: tuple[str, ...]
) -> Side:
    """Votes in the order of the label model's columns, classes in the order of the later set.

    Without votes, which then are the same in both sets, there are no columns and nobody to ask.
    """
    import numpy as np

    table, model, labels = side.votes, side.model, labels[there]
    if table is None or places is None:
        return Side((), (), np.empty((len(labels), 0), dtype=np.int8), labels, None)
    columns, sources = (model.columns, model.sources) if model else (table.columns, table.sources)
    fits = set(zip(columns, sources, strict=True)) == set(zip(table.columns, table.sources, strict=True))
    if not fits or (model and model.classes != table.classes):
        says = "the label model speaks of other sources or classes than the votes that it labelled"
        side.unknowns.note(f"{side.which} label model", says, "fit it on the votes of its label set")
        columns, sources, model = table.columns, table.sources, None
    own = side.votes_record.classes
    order, back = renumbered(own, classes), renumbered(classes, own)
    chosen = table.matrix[places[there]][:, [table.columns.index(column) for column in columns]]
    votes = order[chosen]
    asks = [lambda given, ask=ask: order[ask(back[given])] for ask in (model.asks if model else ())]
    if model and not asks:
        side.unknowns.note(f"{side.which} label model", f"a {model.method} does not come apart by source", _APART)
    # Of the ways in which a captured model may have been asked, the one that fits what is recorded.
    best = min(asks, key=lambda ask: int((ask(votes) != labels).sum()), default=None) if len(asks) > 1 else None
    return Side(tuple(columns), tuple(sources), votes, labels, best or (asks[0] if asks else None))


def _texts(was: LabelFiles, now: LabelFiles, matched: LabelRows) -> np.ndarray:
    """Whether the text of each row of both sets is another, int8 (pairs): the text column, or all but ids without one."""
    import numpy as np

    same = np.full(matched.both, changes.SAME_TEXT, dtype=np.int8)
    if was.dataset_record.content == now.dataset_record.content:
        return same
    not_known = np.full(matched.both, changes.TEXT_NOT_KNOWN, dtype=np.int8)
    one, two = was.rows, now.rows
    if one is None or two is None or was.row_places is None or now.row_places is None:
        return not_known
    id_column, text = now.config.id_column, now.config.text_column
    shared = [column for column in two.columns if column in one.columns and column != id_column]
    columns = [text] if text in shared else shared
    if not columns or any(one[column].dtype != two[column].dtype for column in columns):
        return not_known
    places = was.row_places[matched.pairs_was], now.row_places[matched.pairs_now]
    here = np.flatnonzero((places[0] >= 0) & (places[1] >= 0))
    differs = np.zeros(len(here), dtype=bool)
    for column in columns:
        differs |= one[column].gather(places[0][here]).ne_missing(two[column].gather(places[1][here])).to_numpy()
    not_known[here] = np.where(differs, changes.OTHER_TEXT, changes.SAME_TEXT)
    return not_known


def _because(was: LabelFiles, now: LabelFiles, matched: LabelRows, *, new_texts: int) -> tuple[str, ...]:
    """What moved the fit of the label model: everything that its votes have otherwise."""
    sides = [
        side.votes_record
        if side.model_record.votes == side.votes_record.name
        else side.known.get(side.model_record.votes)
        for side in (was, now)
    ]
    contents = [getattr(record, "content", "") for record in sides]
    if contents[0] == contents[1] and was.dataset_record.content == now.dataset_record.content:
        return ()
    named = [[(part.column, part.source) for part in getattr(record, "sources", ())] for record in sides]
    paired = changes.pair(*named)
    told = [f"{named[0][i][0]} removed" for i in paired.removed]
    told += [f"{named[1][j][0]} in a new version" for _, j in paired.replaced]
    told += [f"{named[1][j][0]} added" for j in paired.added]
    told += [f"{len(matched.new):,} rows more"] if len(matched.new) else []
    told += [f"{len(matched.removed):,} rows gone"] if len(matched.removed) else []
    told += [f"{new_texts:,} texts changed"] if new_texts else []
    if was.dataset_record.content != now.dataset_record.content and not told:
        told.append("rows of another content")
    return tuple(told or ["other votes"])
