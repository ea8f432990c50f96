"""Whose evaluation does a card or a report tell? That of its own thread, and no other model's."""

from __future__ import annotations

import pytest
from documents.told_facts import complete, datasets, digest, evaluation, learned, sources

from governance.audit import report
from governance.claims import Claim, Thread, before, figures
from governance.documents import dataset_card, model_card
from governance.facts import Facts
from governance.records import Evaluation, Labels, Model, Predictions, Record, Votes

AS_OF = "2026-11-22"


def one(made: list[Record], kind: type, at: int = -1):
    return [record for record in made if isinstance(record, kind)][at]


def trained(title: str = "sentiment", dataset: str = "reviews") -> list[Record]:
    collected, screened = datasets(dataset)
    made: list[Record] = [collected, screened, *sources()]
    learned(made, sources(), screened, title)
    return made


def other_gold(of: Evaluation) -> Evaluation:
    return Evaluation.make(**{**of.body(), "gold": "What another team believes"})


def texts(document) -> str:
    return " ".join(block.text for block in document.claims if isinstance(block, Claim))


def test_a_dataset_without_a_model_is_not_told_by_the_evaluation_of_another_dataset_and_model():
    """The model of an older dataset was evaluated against gold of its own: the newer dataset's card does not tell it."""
    old = trained(dataset="old")
    old[-1] = other_gold(old[-1])
    facts = Facts([*old, *datasets("new")])
    assert Thread.of_dataset(facts).evaluation is None
    assert "What another team believes" not in texts(dataset_card(facts))
    assert "What another team believes" in texts(dataset_card(Facts(old)))


def test_labels_without_a_model_are_not_told_by_the_evaluation_of_others():
    """Neither with labels on the thread, nor with votes alone; and their own evaluation is told."""
    old, new = trained(dataset="old"), trained(dataset="new")
    until = new.index(one(new, Labels))
    for made in (new[: until + 1], new[: new.index(one(new, Votes)) + 1]):
        facts = Facts([*old, *made])
        assert Thread.of_dataset(facts).evaluation is None
        own = evaluation(made[1], [made[-1]], "spot check")
        assert Thread.of_dataset(facts | Facts([own])).evaluation == own


def test_of_two_models_each_one_s_figures_are_its_own_whatever_was_evaluated_last():
    """The model that was stated last was evaluated first: the card tells that evaluation."""
    first, second = trained("first"), trained("second")
    second[-1] = evaluation(second[1], [one(second, Predictions)], "of the second", lift=0.1)
    facts = Facts([*first[:-1], *second, first[-1]])
    thread = Thread.of_model(facts)
    assert thread.model == one(second, Model)
    assert thread.evaluation == second[-1]
    assert "0.950 (0.930 to 0.970) over 80 examples" in texts(model_card(facts))
    # The other one came later, so that it is no figure from before.
    assert not before.change(thread).claims


def test_a_model_without_an_evaluation_has_none():
    """The evaluation of another model is not told for it: its card says that nothing was measured."""
    first, second = trained("first"), trained("second")
    facts = Facts([*first, *second[:-1]])
    assert Thread.of_model(facts).evaluation is None
    for document in (model_card(facts), report(facts, as_of=AS_OF)):
        assert "0.850 (0.830 to 0.870)" not in texts(document)
    assert figures.headline(Thread.of_model(facts)).gaps


def test_an_evaluation_of_earlier_predictions_of_the_model_is_its_evaluation():
    """A later batch that nobody evaluated takes nothing away."""
    made = trained()
    made[-1] = evaluation(made[1], [one(made, Predictions)], "of the first batch")
    later = Predictions.make(**{**one(made, Predictions).body(), "title": "of today", "sha256": digest("today")})
    thread = Thread.of_model(Facts([*made, later]))
    assert (thread.predictions, thread.evaluation) == (later, made[-1])


def test_a_newer_version_of_a_model_is_told_beside_what_it_was():
    """Two models of one title: accuracy went from one to the other."""
    made = trained()
    newer = Model.make(**{**one(made, Model).body(), "sha256": digest("newer")})
    batch = Predictions.make(**{**one(made, Predictions).body(), "model": newer.name, "sha256": digest("its")})
    made += [newer, batch, evaluation(made[1], [batch], "of the newer", lift=0.02)]
    text = before.change(Thread.of_model(Facts(made))).claims[0].text
    assert "accuracy of the model went from 0.850 (0.830 to 0.870) to 0.870 (0.850 to 0.890), +0.020." in text


def test_a_spot_check_or_other_gold_is_no_earlier_figure_of_the_model():
    """Figures without a model's, and figures against other gold, are nothing that its accuracy went from."""
    made = trained()
    spot = evaluation(made[1], [one(made, Labels)], "spot check")
    spot = Evaluation.make(**{**spot.body(), "metrics": [], "bins": []})
    earlier = [*made[:-1], spot, other_gold(evaluation(made[1], [one(made, Predictions)], "elsewhere"))]
    thread = Thread.of_model(Facts([*earlier, made[-1]]))
    assert thread.evaluation == made[-1]
    assert before.change(thread).gaps[0].text == "an earlier evaluation to compare with"


def test_an_earlier_evaluation_of_nobody_knows_which_model_is_not_said_to_be_of_this_one():
    """Its predictions are not recorded here: it is told as another evaluation."""
    made = trained()
    strange = evaluation(made[1], [one(trained("strange"), Predictions)], "strange", lift=-0.05)
    text = before.change(Thread.of_model(Facts([*made[:-1], strange, made[-1]]))).claims[0].text
    assert (
        "is 0.850 (0.830 to 0.870), that evaluated before it, 0.800 (0.780 to 0.820), a difference of +0.050." in text
    )


@pytest.mark.parametrize("of", [Thread.of_model, Thread.of_dataset])
def test_the_evaluation_of_a_whole_project_is_that_of_its_model(of):
    """Nothing is lost where all belongs together."""
    facts = complete()
    assert of(facts).evaluation == facts.of(Evaluation)[-1]
