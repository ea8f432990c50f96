"""What does a trained model say of a text, from its two files alone?

The weights stand in a safetensors file, everything else (classes, vocabulary, how text becomes features) in a canonical
JSON sidecar. The weights name the sidecar's digest, so that no pair of strangers predicts together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, decimal, parse_canonical, sha256, write_atomically
from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord
from governance.labelmodels._base import normalised
from governance.labelmodels._written import array_of
from governance.labelmodels.softlabels import LinearSoftmax, fit_soft_labels
from governance.votes.table import check_classes

if TYPE_CHECKING:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

FORMAT = "labeltrail/end-model"
VERSION = 1
ARCHITECTURE = "multinomial logistic regression on tf-idf of word n-grams"
_FIELDS = {"format", "v", "architecture", "classes", "preprocessing", "vocabulary", "idf"}
_METADATA = "sidecar"


@dataclass(frozen=True)
class Preprocessing:
    """How text becomes features: every choice by name, none left to a default that moves between releases."""

    token_pattern: str
    longest_ngram: int
    min_documents: int

    def vectorizer(self, vocabulary: Sequence[str] | None = None) -> TfidfVectorizer:
        """scikit-learn's vectorizer with exactly these choices."""
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            lowercase=True,
            analyzer="word",
            token_pattern=self.token_pattern,
            ngram_range=(1, self.longest_ngram),
            min_df=1 if vocabulary is not None else self.min_documents,
            vocabulary=list(vocabulary) if vocabulary is not None else None,
            norm="l2",
            use_idf=True,
            smooth_idf=True,
            sublinear_tf=True,
            dtype=np.float64,
        )


class EndModel:
    """Text in, probabilities out."""

    def __init__(
        self,
        *,
        classes: Sequence[str],
        preprocessing: Preprocessing,
        vocabulary: Sequence[str],
        idf: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
    ) -> None:
        self.classes = tuple(classes)
        self.preprocessing = preprocessing
        self.vocabulary = tuple(vocabulary)
        self.idf = idf
        self._linear = LinearSoftmax(weight, bias, iterations=0, loss=0.0)
        self._vectorizer = preprocessing.vectorizer(self.vocabulary)
        self._vectorizer.idf_ = idf

    @property
    def weight(self) -> np.ndarray:
        """float64, features x classes."""
        return self._linear.weight

    @property
    def bias(self) -> np.ndarray:
        """float64, classes."""
        return self._linear.bias

    @property
    def weights(self) -> int:
        """How many numbers were learned."""
        return int(self.weight.size + self.bias.size)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """P(class | text), float64, texts x classes."""
        import numpy as np

        if not len(texts):
            return np.empty((0, len(self.classes)))
        return normalised(self._linear.scores(self._vectorizer.transform(texts)))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """The likeliest class of each text, int8; the lower index where two are equal."""
        import numpy as np

        return self.predict_proba(texts).argmax(axis=1).astype(np.int8)

    def save(self, weights: Path, sidecar: Path) -> None:
        """Writes both files, each whole or not at all; the same model gives the same bytes."""
        import numpy as np
        from safetensors.numpy import save

        described = self.sidecar_bytes()
        write_atomically(sidecar, described)
        # One metadata key: the order of several is not fixed by the format's writer.
        tensors = {"bias": np.ascontiguousarray(self.bias), "weight": np.ascontiguousarray(self.weight)}
        write_atomically(weights, save(tensors, metadata={_METADATA: sha256(described)}))

    def sidecar_bytes(self) -> bytes:
        """Canonical JSON of everything but the weights."""
        told = {
            "format": FORMAT,
            "v": VERSION,
            "architecture": ARCHITECTURE,
            "classes": list(self.classes),
            "preprocessing": dict(vars(self.preprocessing)),
            "vocabulary": list(self.vocabulary),
            "idf": [decimal(value) for value in self.idf],
        }
        return canonical(told) + b"\n"


def train_end_model(
    texts: Sequence[str],
    targets: np.ndarray,
    *,
    classes: Sequence[str],
    preprocessing: Preprocessing,
    l2: float,
    max_iterations: int = 500,
) -> tuple[EndModel, LinearSoftmax]:
    """Learns vocabulary, idf and weights from texts and their soft labels (texts x classes). Raises InvalidRecord."""
    vectorizer = preprocessing.vectorizer()
    try:
        features: Any = vectorizer.fit_transform(texts)
    except ValueError as error:
        raise InvalidRecord("texts", f"{len(texts)} texts", f"texts with words in them ({error})") from None
    fitted = fit_soft_labels(features, targets, l2=l2, max_iterations=max_iterations)
    model = EndModel(
        classes=classes,
        preprocessing=preprocessing,
        vocabulary=[str(token) for token in vectorizer.get_feature_names_out()],
        idf=vectorizer.idf_,
        weight=fitted.weight,
        bias=fitted.bias,
    )
    return model, fitted


def load_model(weights: Path, sidecar: Path) -> EndModel:
    """The model in its two files.

    Raises ConfigurationError (a file is missing), InvalidRecord (which field of which file) or BrokenEvidence (the two
    do not belong together).
    """
    described = _read(sidecar)
    told = _checked(described, where=str(sidecar))
    classes, vocabulary = told["classes"], told["vocabulary"]
    idf = array_of(told["idf"], (len(vocabulary),), field="idf", where=str(sidecar))
    tensors, belongs_to = _tensors(weights)
    if belongs_to != sha256(described):
        raise BrokenEvidence(
            f"the sidecar of {weights}",
            expected=belongs_to,
            actual=sha256(described),
            hint="take both files from one run",
        )
    for name, shape in (("weight", (len(vocabulary), len(classes))), ("bias", (len(classes),))):
        if name not in tensors or tensors[name].shape != shape or str(tensors[name].dtype) != "float64":
            given = f"{tensors[name].dtype} {list(tensors[name].shape)}" if name in tensors else None
            raise InvalidRecord(name, given, f"float64 {list(shape)}", where=str(weights))
    return EndModel(
        classes=classes,
        preprocessing=Preprocessing(**told["preprocessing"]),
        vocabulary=vocabulary,
        idf=idf,
        weight=tensors["weight"],
        bias=tensors["bias"],
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file", hint="`labeltrail repro` makes the files of the pipeline"
        ) from None


def _checked(data: bytes, *, where: str) -> Mapping[str, Any]:
    if not data.endswith(b"\n"):
        raise InvalidRecord("file", data[-20:], "a line feed at the end", where=where)
    told = parse_canonical(data[:-1], where=where)
    if not isinstance(told, dict) or set(told) != _FIELDS:
        raise InvalidRecord("file", type(told).__name__, f"an object with {', '.join(sorted(_FIELDS))}", where=where)
    if (told["format"], told["v"], told["architecture"]) != (FORMAT, VERSION, ARCHITECTURE):
        given = [told["format"], told["v"], told["architecture"]]
        raise InvalidRecord("format, v, architecture", given, f"{FORMAT} {VERSION}, {ARCHITECTURE}", where=where)
    if not isinstance(told["classes"], list):
        raise InvalidRecord("classes", told["classes"], "a list", where=where)
    check_classes(told["classes"], where=where)
    words = told["vocabulary"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise InvalidRecord("vocabulary", type(words).__name__, "a list of words", where=where)
    if len(set(words)) != len(words):
        raise InvalidRecord("vocabulary", len(words), "each word once", where=where)
    kinds = {"token_pattern": str, "longest_ngram": int, "min_documents": int}
    given = told["preprocessing"]
    if not isinstance(given, dict) or {name: type(value) for name, value in given.items()} != kinds:
        raise InvalidRecord("preprocessing", given, f"an object with {', '.join(kinds)}", where=where)
    return told


def _tensors(path: Path) -> tuple[dict[str, np.ndarray], str]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file", hint="`labeltrail repro` makes the files of the pipeline")
    try:
        with safe_open(path, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no mapping
            belongs_to = (opened.metadata() or {}).get(_METADATA, "")
    except (SafetensorError, OSError) as error:
        raise InvalidRecord("file", str(error), "a whole safetensors file", where=str(path)) from None
    return tensors, belongs_to
