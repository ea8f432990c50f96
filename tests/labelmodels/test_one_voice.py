"""Does one voice for a group do what it promises, and nothing to anybody else?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelmodel_votes import simulated, table_of

from governance import labelmodels
from governance.checks import guarded
from governance.errors import InvalidRecord
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.explain import explain
from governance.labelmodels.one_voice import OneVoice, one_voice, voices_of
from governance.votes.state import VoteState

SUBJECT = "labelmodel:" + "0" * 64


def poisoned(copied: int = 5, seed: int = 0):
    votes, gold = simulated(rows=1500, coverage=1.0, seed=seed)
    bad = np.where(np.random.default_rng(seed).random(len(gold)) < 0.8, 1 - gold, gold)
    return np.column_stack([votes, *[bad] * copied]).astype(np.int8), gold


def test_five_copies_of_a_bad_source_no_longer_outvote_the_honest():
    """A label model that counts all in full is turned around, and the copies look perfect to it; a group is one."""
    votes, gold = poisoned()
    plain = DawidSkene(copies="count").fit(votes, n_classes=2)
    assert (plain.predict(votes) == gold).mean() < 0.3
    assert plain.accuracy(votes)[-1] > 0.95
    for copies in ("count", "share"):
        guard = OneVoice(voices=[0, 1, 2, 3, 4, 5, 5, 5, 5, 5], copies=copies).fit(votes, n_classes=2)
        assert (guard.predict(votes) == gold).mean() > 0.9
        assert guard.accuracy(votes)[5] < 0.5


def test_without_groups_it_is_the_label_model_itself():
    """Scores are equal bit for bit."""
    votes, _ = simulated()
    plain, alone = DawidSkene().fit(votes, n_classes=2), OneVoice().fit(votes, n_classes=2)
    each = OneVoice(voices=[0, 1, 2, 3, 4]).fit(votes, n_classes=2)
    for model in (alone, each):
        assert (model.predict_scores(votes) == plain.predict_scores(votes)).all()


def test_the_file_says_who_had_one_voice_and_predicts_the_same():
    """voices stands among the parameters; the restored model gives the same bytes and the same labels."""
    votes, _ = poisoned(2)
    table = table_of(votes)
    voices = voices_of(table.columns, [("s5", "s6")])
    model = OneVoice(voices=voices).fit(table)
    path_bytes = model.to_bytes()
    assert b'"voices":"[0,1,2,3,4,5,5]"' in path_bytes
    assert model.parameters()["voices"] == "[0,1,2,3,4,5,5]"


def test_a_saved_model_comes_back(tmp_path):
    votes, _ = poisoned(2)
    table = table_of(votes)
    model = OneVoice(voices=[0, 1, 2, 3, 4, 5, 5]).fit(table)
    (tmp_path / "m.json").write_bytes(model.to_bytes())
    again = labelmodels.load(tmp_path / "m.json")
    assert again.to_bytes() == model.to_bytes()
    assert (again.predict_proba(table) == model.predict_proba(table)).all()


def test_whatever_decides_a_fit_is_among_the_parameters(tmp_path):
    """The parameters are those of Dawid-Skene, with its defaults, and the groups; a file keeps them all."""
    own = OneVoice().get_params()
    assert own == {"voices": None, **DawidSkene().get_params()}
    votes, _ = poisoned(2)
    told = {"voices": [0, 1, 2, 3, 4, 5, 5], "balance": [0.5, 0.5], "strength": 50.0, "diagonal": 0.6}
    told |= {"copies": "count", "tolerance": 1e-6, "max_iterations": 50, "device": None}
    model = OneVoice(**told).fit(table_of(votes))
    assert OneVoice(**model.get_params()).get_params() == told
    (tmp_path / "m.json").write_bytes(model.to_bytes())
    assert labelmodels.load(tmp_path / "m.json").get_params() == told


@pytest.mark.parametrize("voices", [None, [0, 1, 0, 1, 2]])
def test_a_state_of_votes_and_weights_of_rows_are_heard_in_groups_too(voices):
    """fit_state and sample_weight learn what fit learns from the rows, byte for byte."""
    votes, _ = simulated(rows=400, seed=7)
    table = table_of(np.repeat(votes, 2, axis=0))
    whole = OneVoice(voices=voices).fit(table).to_bytes()
    assert OneVoice(voices=voices).fit_state(VoteState.of(table)).to_bytes() == whole
    assert OneVoice(voices=voices).fit(table_of(votes), sample_weight=np.full(400, 2)).to_bytes() == whole


def test_members_that_never_agree_on_anything_teach_nothing():
    """A group whose every row is a tie has no vote."""
    with pytest.raises(InvalidRecord, match="no vote at all"):
        OneVoice(voices=[0, 0]).fit(np.array([[0, 1], [1, 0]] * 9, dtype=np.int8), n_classes=2)
    with pytest.raises(InvalidRecord, match="no vote at all"):
        OneVoice(voices=[0, 0]).fit_state(VoteState.of(np.empty((0, 2), dtype=np.int8), n_classes=2))


def test_prepared_votes_are_refused():
    """What a speaker said does not tell what is left of its group."""
    votes, _ = simulated()
    model, prepared = OneVoice(voices=[0, 0, 1, 2, 3]).fit(votes, n_classes=2), DawidSkene().fit(votes, n_classes=2)
    with pytest.raises(InvalidRecord, match="whose votes nobody else speaks"):
        model.prepare(votes)
    with pytest.raises(InvalidRecord, match="whose votes nobody else speaks"):
        model.without(["0"], votes=prepared.prepare(votes))


def test_what_the_voices_added_sums_to_the_label():
    """An explanation of a guarded label is exact; only the speaker of a group adds something."""
    votes, _ = poisoned(3)
    model = OneVoice(voices=[0, 1, 2, 3, 4, 5, 5, 5]).fit(table_of(votes))
    told = explain(model, votes[0].tolist())
    assert told.prior + sum(part.log_odds for part in told.contributions) == pytest.approx(told.log_odds, abs=1e-12)
    assert [part.log_odds for part in told.contributions[6:]] == [0.0, 0.0]


@given(st.lists(st.lists(st.integers(-3, 2), min_size=4, max_size=4), min_size=1, max_size=20))
def test_a_speaker_says_what_most_say(rows):
    """Counted row by row; a tie is silence, others are untouched, and speaking twice changes nothing."""
    votes = np.array(rows, dtype=np.int8)
    spoken = one_voice(votes, [0, 1, 1, 1], n_classes=3)
    assert (spoken[:, 0] == votes[:, 0]).all()
    assert (spoken[:, 2:] == -1).all()
    for said, speaker in zip(votes[:, 1:].tolist(), spoken[:, 1].tolist(), strict=True):
        counts = sorted(((said.count(k), k) for k in range(3)), reverse=True)
        tied = counts[0][0] == counts[1][0]
        assert speaker == (-1 if tied else counts[0][1])
    assert (one_voice(spoken, [0, 1, 1, 1], n_classes=3) == spoken).all()


@pytest.mark.parametrize("voices", [[0, 1], [0, 1, 2, 3, -1], [0, 1, 2, 3, 4.0], [0, 1, 2, 3, True], "01234"])
def test_voices_that_do_not_fit_the_columns_are_refused(voices):
    """Too few, negative, no whole numbers, no list."""
    with pytest.raises(InvalidRecord, match="voices"):
        OneVoice(voices=voices).fit(simulated()[0], n_classes=2)


@pytest.mark.parametrize("groups", [[("s0", "s9")], [("s0", "s1"), ("s1", "s2")]], ids=["unknown", "twice"])
def test_groups_of_unknown_or_repeated_columns_are_refused(groups):
    """A column is in one group at most."""
    with pytest.raises(InvalidRecord, match="groups"):
        voices_of(("s0", "s1", "s2"), groups)


def test_the_finding_tells_who_was_merged_and_when_it_cannot_help():
    """Names, and too few voices."""
    found = guarded.check([("b", "c")], 5, subject=SUBJECT)
    assert (found.outcome, found.measured, found.limit) == ("pass", "4.0", "3.0")
    assert "b, c" in found.says
    few = guarded.check([("a", "b"), ("c", "d")], 4, subject=SUBJECT)
    assert (few.outcome, few.measured) == ("fail", "2.0")
    assert "only labels by hand can" in few.says
    assert guarded.check([], 3, subject=SUBJECT).outcome == "pass"
