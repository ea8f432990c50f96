from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from governance.digest import canonical, sha256
from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord
from governance.labelmodels.endmodel import EndModel, Preprocessing, load_model, train_end_model
from governance.labelmodels.softlabels import fit_soft_labels

CHOICES = Preprocessing(token_pattern=r"(?u)\b\w+\b|[!?]+", longest_ngram=2, min_documents=1)
TEXTS = ["a good day", "so good !", "a bad day", "bad , so bad", "good and bad", "ein schöner Tag !!"]
TARGETS = np.array([[0.1, 0.9], [0.2, 0.8], [0.95, 0.05], [0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])


@pytest.fixture
def model() -> EndModel:
    return train_end_model(TEXTS, TARGETS, classes=["negative", "positive"], preprocessing=CHOICES, l2=0.01)[0]


@pytest.fixture
def files(model, tmp_path):
    weights, sidecar = tmp_path / "model.safetensors", tmp_path / "model.json"
    model.save(weights, sidecar)
    return weights, sidecar


def problem(rows=80, columns=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    features = csr_matrix(np.where(rng.random((rows, columns)) < 0.5, 0.0, rng.normal(size=(rows, columns))))
    return features, rng.dirichlet(np.ones(classes), size=rows)


def test_the_fit_is_the_minimum_that_another_optimizer_finds():
    """Weights, bias and loss are those of scipy's optimizer on the same objective, written down again."""
    features, targets = problem()
    x, l2 = features.toarray(), 0.05

    def loss(flat):
        weight, bias = flat[:18].reshape(6, 3), flat[18:]
        scores = x @ weight + bias
        shifted = scores - scores.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -(targets * logs).sum() / len(x) + l2 / 2 * (weight**2).sum()

    other = minimize(loss, np.zeros(21), method="BFGS", options={"gtol": 1e-8})
    found = fit_soft_labels(features, targets, l2=l2, tolerance=1e-10)
    assert found.loss == pytest.approx(other.fun, abs=1e-9)
    np.testing.assert_allclose(found.weight, other.x[:18].reshape(6, 3), atol=1e-4)


def test_hard_labels_give_the_logistic_regression_of_scikit_learn():
    """On labels of 0 and 1 the fit is ordinary multinomial logistic regression."""
    features, targets = problem(rows=120)
    hard = targets.argmax(axis=1)
    found = fit_soft_labels(features, np.eye(3)[hard], l2=0.02, tolerance=1e-9)
    other = LogisticRegression(C=1 / (0.02 * 120), tol=1e-10, max_iter=10_000).fit(features, hard)
    scores = found.scores(features)
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(proba / proba.sum(axis=1, keepdims=True), other.predict_proba(features), atol=1e-5)


def test_soft_labels_teach_how_sure_to_be():
    """Where every text of one word is 70 to 30, so is the prediction, and not 1 to 0."""
    model, _ = train_end_model(
        ["yes", "yes", "no", "no"],
        np.array([[0.3, 0.7], [0.3, 0.7], [0.6, 0.4], [0.6, 0.4]]),
        classes=["n", "p"],
        preprocessing=CHOICES,
        l2=1e-6,
    )
    np.testing.assert_allclose(model.predict_proba(["yes", "no"]), [[0.3, 0.7], [0.6, 0.4]], atol=1e-3)


def test_the_files_alone_predict_bit_for_bit(model, files):
    """A model loaded from its two files says exactly what the trained one said, on words it never saw too."""
    again = load_model(*files)
    texts = [*TEXTS, "", "never seen", "good ! good"]
    assert (again.predict_proba(texts) == model.predict_proba(texts)).all()
    assert (again.predict(texts) == model.predict_proba(texts).argmax(axis=1)).all()
    assert (again.classes, again.weights) == (("negative", "positive"), model.weights)
    assert again.predict_proba([]).shape == (0, 2)


def test_texts_become_the_same_features_in_training_and_prediction(model):
    """Vocabulary and idf from the files give the features that training saw, but for the last bit of a norm."""
    trained = CHOICES.vectorizer().fit_transform(TEXTS)
    from_files = CHOICES.vectorizer(model.vocabulary)
    from_files.idf_ = model.idf
    assert abs(from_files.transform(TEXTS) - trained).max() <= 1e-15
    scores = trained @ model.weight + model.bias
    proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(TEXTS), proba, rtol=1e-12)


def test_the_same_texts_give_the_same_files(model, files, tmp_path):
    """Two trainings and two savings are byte-identical."""
    other = train_end_model(TEXTS, TARGETS, classes=["negative", "positive"], preprocessing=CHOICES, l2=0.01)[0]
    other.save(tmp_path / "w", tmp_path / "s")
    assert (tmp_path / "w").read_bytes() == files[0].read_bytes()
    assert (tmp_path / "s").read_bytes() == files[1].read_bytes()


def test_weights_and_sidecar_of_two_models_do_not_predict_together(files, tmp_path):
    """A sidecar with another word is broken evidence, although both files are whole."""
    told = json.loads(files[1].read_bytes())
    told["vocabulary"][0] = "swapped"
    files[1].write_bytes(canonical(told) + b"\n")
    with pytest.raises(BrokenEvidence, match="the sidecar of"):
        load_model(*files)


def _change(field, value):
    def change(told):
        told[field] = value

    return change


FAULTS = {
    "field_missing": (lambda told: told.pop("idf"), "an object with architecture"),
    "format_of_others": (_change("format", "x"), "format, v, architecture"),
    "architecture_of_others": (_change("architecture", "forest"), "format, v, architecture"),
    "classes_no_list": (_change("classes", "np"), "classes: given 'np'"),
    "one_class": (_change("classes", ["n"]), "2 to 127 classes"),
    "vocabulary_empty": (_change("vocabulary", []), "a list of words"),
    "vocabulary_of_numbers": (_change("vocabulary", [1]), "a list of words"),
    "word_twice": (_change("vocabulary", ["a", "a"]), "each word once"),
    "idf_too_short": (_change("idf", ["1.0"]), "idf: given 1"),
    "preprocessing_unknown": (_change("preprocessing", {"stem": "yes"}), "preprocessing"),
    "preprocessing_of_other_type": (
        _change("preprocessing", {"token_pattern": "x", "longest_ngram": "2", "min_documents": 1}),
        "preprocessing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_sidecar_is_refused_by_its_field(files, fault):
    """Each fault of a sidecar is one error that names file and field."""
    change, says = FAULTS[fault]
    told = json.loads(files[1].read_bytes())
    change(told)
    files[1].write_bytes(canonical(told) + b"\n")
    with pytest.raises(InvalidRecord, match=says):
        load_model(*files)


def test_files_that_are_no_model_are_refused(files, tmp_path):
    """Missing, cut and reformatted files, and tensors of another shape or type, are each one clear error."""
    weights, sidecar = files
    for pair in ((tmp_path / "none", sidecar), (weights, tmp_path / "none")):
        with pytest.raises(ConfigurationError, match="no such file"):
            load_model(*pair)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(InvalidRecord, match="a whole safetensors file"):
        load_model(cut, sidecar)
    tensors = load_file(weights)
    belongs = {"sidecar": sha256(sidecar.read_bytes())}
    for name, changed in {
        "float32": {**tensors, "weight": tensors["weight"].astype(np.float32)},
        "shape": {**tensors, "weight": tensors["weight"][:-1].copy()},
        "missing": {"weight": tensors["weight"]},
    }.items():
        (tmp_path / name).write_bytes(save(changed, metadata=belongs))
        with pytest.raises(InvalidRecord, match="float64"):
            load_model(tmp_path / name, sidecar)
    (tmp_path / "stranger").write_bytes(save(tensors))
    with pytest.raises(BrokenEvidence):
        load_model(tmp_path / "stranger", sidecar)
    sidecar.write_bytes(sidecar.read_bytes()[:-1])
    with pytest.raises(InvalidRecord, match="a line feed"):
        load_model(weights, sidecar)


@pytest.mark.parametrize(
    ("texts", "targets", "l2", "says"),
    [
        (["", ""], [[0.5, 0.5]] * 2, 0.1, "texts with words in them"),
        (["a", "b"], [[0.5, 0.5]], 0.1, "2 rows x classes"),
        (["a", "b"], [[0.5, 0.6]] * 2, 0.1, "sum to 1"),
        (["a", "b"], [[1.5, -0.5]] * 2, 0.1, "sum to 1"),
        (["a", "b"], [[np.nan, 1.0]] * 2, 0.1, "sum to 1"),
        (["a", "b"], [[0.5, 0.5]] * 2, 0.0, "l2: given 0.0"),
        (["a", "b"], [[0.5, 0.5]] * 2, float("nan"), "l2: given nan"),
    ],
)
def test_what_teaches_nothing_is_refused(texts, targets, l2, says):
    """Texts without words, labels of other length or sum, and no regularisation are refused."""
    with pytest.raises(InvalidRecord, match=says):
        train_end_model(texts, np.array(targets), classes=["n", "p"], preprocessing=CHOICES, l2=l2)


def test_features_without_rows_or_columns_are_refused():
    """An empty matrix of features is refused by name."""
    for shape in ((0, 2), (2, 0)):
        with pytest.raises(InvalidRecord, match="features"):
            fit_soft_labels(csr_matrix(shape), np.full((shape[0], 2), 0.5), l2=0.1)
