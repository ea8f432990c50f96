"""Is every question kept with its answer, what it cost and whose it is?"""

from __future__ import annotations

import polars as pl
import pytest
from llm_described import CLASSES, DATASET, source_of, voter_of
from llm_server import Fault, asked_text, by_words, says

from governance.digest import file_digest
from governance.errors import InvalidRecord
from governance.sources import ABSTAIN, ERROR
from governance.sources.applying import apply_sources
from governance.sources.llm import ask_again, findings, read_answers, record_answers
from governance.sources.llm.asking import response_digest
from governance.sources.llm.table import answer_of, stored

TEXTS = ["a good one", "a bad one", "neither", "good and odd", "broken", "a good one"]
IDS = pl.Series("example_id", [f"c{number}" for number in range(len(TEXTS))])


def script(body, count):
    """Good, bad or refused; one answer that cannot be read, one request that fails."""
    text = asked_text(body)
    if text == "broken":
        return Fault(status=500)
    return says("hm", model="large-9", finish_reason="length") if "odd" in text else by_words(body, count)


@pytest.fixture
def recorded(described, tmp_path):
    voter = voter_of(described(), script)
    source, path = source_of(voter, tmp_path), tmp_path / "answers.parquet"
    kept = record_answers(source, IDS, TEXTS, path, dataset=DATASET, subjects=pl.Series("author", list("abcdea")))
    return source, kept, path


def test_a_row_holds_what_was_asked_answered_and_paid(recorded):
    """For each example, in the order of the ids, beside whose it is."""
    _, _, path = recorded
    rows = list(read_answers(path).iter_rows(named=True))
    assert [one["example_id"] for one in rows] == IDS.to_list()
    assert [one["author"] for one in rows] == list("abcdea")
    assert [one["vote"] for one in rows] == [1, 0, ABSTAIN, ERROR, ERROR, 1]
    assert [one["error"] for one in rows] == ["", "", "", "NotAClass", "ServerError", ""]
    first = rows[0]
    assert (first["asked"], first["response"], first["model"]) == ("Comment: a good one", "Good.", "small-1")
    assert (first["system_fingerprint"], first["finish_reason"], first["attempts"]) == ("fp_1", "stop", 1)
    # 20 prompt tokens at 0.15 and 2 completion tokens at 0.6 for a million: 3 + 1.2 millionths.
    assert (first["prompt_tokens"], first["completion_tokens"], first["cost_micros"]) == (20, 2, 4)
    assert rows[2]["refusal"] == "I would rather not say."
    assert (rows[4]["response"], rows[4]["response_sha256"], rows[4]["attempts"]) == (None, None, 3)
    for one in rows:
        answer = answer_of(one)
        assert (response_digest(answer) if answer else None) == one["response_sha256"]


def test_the_votes_beside_the_answers_are_those_of_the_table_of_votes(recorded):
    """Whoever applies the source gets the same, errors by the same types."""
    source, _, path = recorded
    found = apply_sources([source], IDS, TEXTS, classes=CLASSES)
    frame = read_answers(path)
    assert found.table.matrix[:, 0].tolist() == frame["vote"].to_list()
    assert found.error_types["judge"] == {"raised NotAClass": 1, "raised ServerError": 1}


def test_one_answer_to_two_equal_texts_is_paid_once(recorded):
    """The second row says that it shares it; both rows are whole, so that either person can go."""
    _, kept, path = recorded
    frame = read_answers(path)
    assert frame["shared"].to_list() == [False] * 5 + [True]
    assert frame["cost_micros"].to_list() == [4, 4, 4, 4, None, 0]
    assert frame["response"][0] == frame["response"][5]
    assert (kept.answers.asked, kept.answers.attempts) == (5, 7)


def test_the_record_counts_what_the_table_holds(recorded):
    """Votes, errors by type, models, tokens; the cost is rounded once."""
    _, kept, path = recorded
    told = kept.answers
    assert (told.rows, told.examples, told.decisive, told.abstained) == (6, 6, 3, 1)
    assert (told.errors, told.parse_errors) == ({"NotAClass": 1, "ServerError": 1}, 1)
    assert told.models == {"large-9": 1, "small-1": 4}
    assert told.finish_reasons == {"length": 1, "stop": 4}
    assert (told.prompt_tokens, told.completion_tokens) == (80, 8)
    assert (told.cost_micros, told.currency, told.without_usage) == (17, "EUR", 0)
    assert told.sha256 == file_digest(path)
    assert {edge[2] for edge in told.edges()} == {DATASET, kept.labeller.source, kept.labeller.name}


def test_no_text_and_no_id_is_in_a_record(described, tmp_path):
    """Neither of the examples that are voted on, nor of those that are shown."""
    frame = pl.DataFrame({"example_id": ["shown-1"], "text": ["a very private text"], "label": ["good"]})
    frame.write_parquet(tmp_path / "shown.parquet")
    said = described(few_shot={"table": "shown.parquet", "ids": ["shown-1"]})
    source, path = source_of(voter_of(said, script, root=tmp_path), tmp_path), tmp_path / "answers.parquet"
    kept = record_answers(source, IDS, TEXTS, path, dataset=DATASET)
    told = b"".join(one.canonical() for one in (source.record, kept.labeller, kept.answers))
    assert not any(word in told for word in (b"shown-1", b"private", b"a good one", b'"c0"'))
    assert b"private" not in path.read_bytes()
    assert "private" not in str(read_answers(path).to_dicts())
    assert kept.labeller.few_shot == 1


def test_without_a_price_nothing_is_said_of_cost(described, tmp_path):
    """Not known is not zero, in a row and in the record."""
    voter, path = voter_of(described(price=None), script), tmp_path / "answers.parquet"
    kept = record_answers(source_of(voter, tmp_path), IDS[:1], TEXTS[:1], path, dataset=DATASET)
    assert (kept.answers.cost_micros, kept.answers.currency) == (None, "")
    assert read_answers(path)["cost_micros"].to_list() == [None]


def test_an_answer_that_does_not_say_its_tokens_is_counted(described, tmp_path):
    """The cost is then at least what the others say."""
    voter = voter_of(described(), lambda body, count: says("good", usage=None) if count else says("good"))
    path = tmp_path / "answers.parquet"
    kept = record_answers(source_of(voter, tmp_path), IDS[:2], TEXTS[:2], path, dataset=DATASET)
    assert (kept.answers.without_usage, kept.answers.prompt_tokens, kept.answers.cost_micros) == (1, 20, 4)


def test_stored_answers_vote_without_a_request(recorded, described):
    """They are read again; what failed, and what was never asked, is asked."""
    _, _, path = recorded
    sent = []

    def asked_again(body, count):
        sent.append(asked_text(body))
        return says("bad")

    voter = voter_of(described(parser="first_word"), asked_again)
    voter.remember(stored(read_answers(path)))
    assert voter(["a good one", "a bad one", "neither"]) == [1, 0, ABSTAIN]
    assert sent == []
    assert voter(["broken", "new"]) == [0, 0]
    assert sent == ["broken", "new"]
    edited = voter_of(described(system="Otherwise."), asked_again)
    edited.remember(stored(read_answers(path)))
    assert edited(["a good one"]) == [0]


def test_a_stored_answer_that_was_altered_is_refused(recorded):
    """Its digest stands beside it, and its text is not told."""
    _, _, path = recorded
    frame = read_answers(path).with_columns(response=pl.lit("bad, says whoever altered it"))
    with pytest.raises(InvalidRecord) as caught:
        list(stored(frame))
    assert caught.value.field == "answers[0].response"
    assert "whoever" not in caught.value.message


def test_what_was_asked_again_stands_beside_the_first_answers(described, tmp_path):
    """A row for each repeat, drawn by the seed; the question is kept once."""
    voter = voter_of(described(), by_words)
    source, path = source_of(voter, tmp_path), tmp_path / "answers.parquet"
    repeats = ask_again(voter, TEXTS, rows=3, times=2, seed=5)
    again = ask_again(voter, TEXTS, rows=3, times=1, seed=5)
    assert repeats.rows == again.rows == tuple(sorted(repeats.rows))
    kept = record_answers(source, IDS, TEXTS, path, dataset=DATASET, repeats=repeats)
    frame = read_answers(path)
    assert frame["repeat"].to_list() == [0] * 6 + [1] * 3 + [2] * 3
    assert frame["example_id"].to_list()[6:] == [IDS[row] for row in repeats.rows] * 2
    assert frame["asked"].null_count() == 6
    told = kept.answers
    assert (told.rows, told.examples, told.repeated_pairs, told.repeated_agreed) == (12, 6, 6, 6)
    assert told.models == {"small-1": 12}


def test_what_is_found_stands_beside_its_limit(described, tmp_path):
    """Another model, answers that cannot be read, terms that expired, examples that were shown, answers that change."""
    (tmp_path / "llm").mkdir()
    pl.DataFrame({"example_id": ["c0", "s1"], "text": ["x", "y"], "label": [1, 0]}).write_parquet(
        tmp_path / "shown.parquet"
    )
    terms = {"url": "https://example.org/terms", "read": "2026-01-01", "expires": "2026-06-30"}
    said = described(few_shot={"table": "shown.parquet", "ids": ["c0", "s1"]}, terms=terms)
    voter = voter_of(said, lambda body, count: says("bad") if count > 4 else script(body, count), root=tmp_path)
    source, texts = source_of(voter, tmp_path), TEXTS[:4]
    kept = record_answers(
        source,
        IDS[:4],
        texts,
        tmp_path / "answers.parquet",
        dataset=DATASET,
        repeats=ask_again(voter, texts, rows=4, seed=1),
    )
    found = {one.check: one for one in findings(kept, source, IDS[:4], as_of="2026-11-29")}
    assert {name: one.outcome for name, one in found.items()} == dict.fromkeys(found, "fail")
    assert set(found) == {"answering_model", "parse_errors", "provider_terms", "few_shot_overlap", "repeat_agreement"}
    assert "large-9 1" in found["answering_model"].says
    assert found["parse_errors"].measured == "0.25"
    assert found["few_shot_overlap"].measured == "1.0"
    assert "expired on 2026-06-30" in found["provider_terms"].says
    assert all(one.subject == source.record.name for one in found.values())
    assert not any("c0" in one.says for one in found.values())


def test_a_source_that_is_no_model_has_no_answers(tmp_path):
    """It is refused by name."""
    from governance.sources.llm.recording import voter_of as voter_behind
    from governance.sources.registry import RegisteredSource

    class Record:
        title = "words"

    with pytest.raises(InvalidRecord, match="words"):
        voter_behind(RegisteredSource(vote=len, many=False, record=Record()))  # type: ignore[arg-type]
