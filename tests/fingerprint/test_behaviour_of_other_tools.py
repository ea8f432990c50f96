"""Are the objects of the tools that people label with seen through: snorkel, scikit-learn, torch?"""

from __future__ import annotations

import pytest

from governance.fingerprint import behaviour

WORDS = {"words": ["good", "fine"]}


def many(row, words):
    return 1 if sum(word in row.text for word in words) else -1


def any_of(row, words):
    return 1 if any(word in row.text for word in words) else -1


def lowered(row):
    row.text = row.text.lower()
    return row


def uppered(row):
    row.text = row.text.upper()
    return row


@pytest.fixture
def labelling_function():
    snorkel = pytest.importorskip("snorkel.labeling")
    preprocess = pytest.importorskip("snorkel.preprocess")

    def made(*, name="by_words", f=any_of, resources=WORDS, pre=(lowered,)):
        return snorkel.LabelingFunction(
            name=name, f=f, resources=resources, pre=[preprocess.preprocessor()(one) for one in pre]
        )

    return made


@pytest.mark.parametrize(
    "edit",
    [
        {"f": many},
        {"resources": {"words": ["good", "nice"]}},
        {"pre": ()},
        {"pre": (uppered,)},
        {"pre": (lowered, uppered)},
        {"name": "by_other_words"},
    ],
    ids=["function", "resource", "no preprocessor", "other preprocessor", "more preprocessors", "name"],
)
def test_an_edit_of_a_labelling_function_of_snorkel_is_a_new_version(edit, labelling_function):
    """Function, resources, preprocessors and name all count, and none of them is opaque."""
    base = labelling_function()
    assert behaviour(base).digest != behaviour(labelling_function(**edit)).digest
    assert behaviour(base).digest == behaviour(labelling_function()).digest
    assert behaviour(base).opaque == ()
    assert [name for name, _ in behaviour(base).packages] == ["snorkel"]


def test_a_labelling_function_that_has_voted_is_the_same(labelling_function):
    """Voting leaves no trace in the version."""
    from types import SimpleNamespace

    one = labelling_function(pre=())
    before = behaviour(one).digest
    assert one(SimpleNamespace(text="so good")) == 1
    assert behaviour(one).digest == before


TEXTS, CLASSES = ["good day", "bad day", "nice", "awful", "good", "bad"], [1, 0, 1, 0, 1, 0]


def pipeline(last):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(CountVectorizer(), last)


def logistic(**given):
    from sklearn.linear_model import LogisticRegression

    return pipeline(LogisticRegression(**given))


def forest(**given):
    from sklearn.ensemble import RandomForestClassifier

    return pipeline(RandomForestClassifier(**{"n_estimators": 3, "random_state": 0, **given}))


@pytest.mark.parametrize("made", [logistic, forest])
def test_an_estimator_counts_with_settings_and_with_what_it_learned(made):
    """Other settings or other examples are another version; the same fitted again is the same; nothing is opaque."""
    base = behaviour(made().fit(TEXTS, CLASSES))
    assert base == behaviour(made().fit(TEXTS, CLASSES))
    assert base.opaque == ()
    assert "scikit-learn" in dict(base.packages)
    changed = [
        made().fit(TEXTS[:-2], CLASSES[:-2]),
        made(verbose=0, class_weight="balanced").fit(TEXTS, CLASSES),
        made(),
    ]
    assert base.digest not in {behaviour(one).digest for one in changed}


def test_the_weights_of_a_network_count():
    """Two networks of the same weights are one version, other weights are another."""
    torch = pytest.importorskip("torch")

    def network(seed):
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())

    assert behaviour(network(0)).digest == behaviour(network(0)).digest != behaviour(network(1)).digest
    assert behaviour(network(0)).opaque == ()
    half = network(0).to(torch.bfloat16)
    assert behaviour(half).digest != behaviour(network(0)).digest
