"""Where do the examples come from, and what is known of them before anything is judged?"""

from __future__ import annotations

import re

import polars as pl

from governance.checks import balance, duplicates, leakage, rater_means, raters
from governance.digest import file_digest, keyed
from governance.errors import InvalidRecord
from governance.parquet import content_digest, write_table
from governance.records import Dataset
from governance.runs import StageRun, stage
from pipelines import _params
from pipelines._corpus import Rated, read_corpus
from pipelines._download import fetch
from pipelines._tables import EXAMPLES, RATINGS, class_counts, columns_of, count
from schemas.examples import DOMAINS, SPLITS

#: what the corpus says of itself: how many people rated each text
PROMISED_RATERS = 20
_ENTITY = re.compile(r"&(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);")

_ABOUT = {
    "origin": (
        "The corpus that C.J. Hutto and E. Gilbert published with their ICWSM 2014 paper on VADER, as it lies in "
        "additional_resources/hutto_ICWSM_2014.tar.gz inside the source distribution vaderSentiment 3.3.2 on "
        "PyPI."
    ),
    "language": "en",
    "licence": "MIT AND LicenseRef-third-party-texts",
    "terms": (
        "The distribution is under the MIT licence. The texts in it were written by others and remain theirs: "
        "posts on Twitter, customer reviews on Amazon, film reviews collected through Rotten Tomatoes, editorials"
        " of The New York Times. No permission of theirs lies beside the data, so the texts are fetched and never"
        " redistributed."
    ),
    "collection": (
        "Texts were sampled by the corpus's authors (public tweets together with 200 made-up ones, sentences of "
        "product reviews, of film reviews and of editorials); paid raters on Amazon Mechanical Turk gave each a "
        "whole number from -4 to 4, and the class here is the sign of the mean that the authors state. Texts with"
        " a mean of 0 are left out."
    ),
    "personal_data": (
        "Tweets and reviews are words of real people who were not asked. User names and links in tweets were "
        "replaced by the corpus's authors (@anonymous, http://url_removed); names inside the texts were not. "
        "Raters are anonymous positions in a list."
    ),
}


def split_of(example: str, *, key: str, shares: dict[str, float]) -> str:
    """The split of an example, decided by its id and a key alone: adding or removing others moves nothing."""
    point = int.from_bytes(keyed(key.encode(), b"split", example.encode())[:8], "big") / 2**64
    reached = 0.0
    for name, share in shares.items():
        reached += share
        if point < reached:
            return name
    return list(shares)[-1]


def examples_of(corpus: dict[str, list[Rated]], *, key: str, shares: dict[str, float]) -> pl.DataFrame:
    """One row for each text with a mean other than 0. Texts of the same words share a split."""
    rows = [
        (f"{domain}/{rated.number}", domain, rated) for domain, texts in corpus.items() for rated in texts if rated.mean
    ]
    ids = [example for example, _, _ in rows]
    texts = [rated.text for _, _, rated in rows]
    # Texts that differ in capitals or punctuation only are no duplicates, and would leak from train to test all the same.
    alike = duplicates.first_of_same(ids, texts, same=duplicates.same_words)
    return pl.DataFrame(
        {
            "example_id": ids,
            "domain": [domain for _, domain, _ in rows],
            "text": texts,
            "rating": [rated.mean for _, _, rated in rows],
            "gold": [int(rated.mean > 0) for _, _, rated in rows],
            "split": [split_of(first or i, key=key, shares=shares) for i, first in zip(ids, alike, strict=True)],
            "duplicate_of": duplicates.first_of_same(ids, texts),
        },
        schema_overrides={"gold": pl.Int8, "duplicate_of": pl.String},
    )


def ratings_of(corpus: dict[str, list[Rated]]) -> pl.DataFrame:
    """One row for each single rating behind a mean other than 0, in the order of the files."""
    rows = [
        (f"{domain}/{rated.number}", rating, position)
        for domain, texts in corpus.items()
        for rated in texts
        if rated.mean
        for position, rating in enumerate(rated.ratings)
    ]
    return pl.DataFrame(rows, schema={"example_id": pl.String, "rating": pl.Int8, "position": pl.Int16}, orient="row")


def dataset_of(frame: pl.DataFrame, *, sha256: str, corpus: dict[str, list[Rated]]) -> Dataset:
    """The dataset version as a fact."""
    texts = [rated for domain in corpus.values() for rated in domain]
    return Dataset.make(
        title="rated texts of four domains",
        role="collected",
        sha256=sha256,
        content=content_digest(frame),
        rows=len(frame),
        columns=columns_of(frame),
        splits=count(frame, "split", SPLITS),
        domains=count(frame, "domain", DOMAINS),
        classes=class_counts(frame),
        counts={
            "texts read": len(texts),
            "left out for a mean of 0": len(texts) - len(frame),
            "exact duplicates": int(frame["duplicate_of"].is_not_null().sum()),
            "texts with HTML entities": sum(bool(_ENTITY.search(text)) for text in frame["text"]),
            "texts beyond ASCII": sum(not text.isascii() for text in frame["text"]),
            "single ratings": sum(len(rated.ratings) for rated in texts if rated.mean),
        },
        **_ABOUT,
    )


def find(run: StageRun, frame: pl.DataFrame, corpus: dict[str, list[Rated]], *, subject: str) -> None:
    """States what was found out about the data."""
    rarest = _params.share(run.params, "min_class_share", stage="collect")
    for domain, texts in corpus.items():
        stated, singles = [rated.mean for rated in texts], [rated.ratings for rated in texts]
        run.state(rater_means.check(stated, singles, subject=subject, name=f"rater_means/{domain}", title=domain))
        counts = [len(single) for single in singles]
        run.state(raters.check(counts, PROMISED_RATERS, subject=subject, name=f"raters/{domain}", title=domain))
        classes = class_counts(frame.filter(pl.col("domain") == domain))
        run.state(balance.check(classes, subject=subject, limit=rarest, name=f"balance/{domain}"))
    most = _params.share(run.params, "max_duplicate_share", stage="collect")
    run.state(duplicates.check(frame["duplicate_of"].to_list(), subject=subject, limit=most))
    run.state(leakage.check(frame["text"].to_list(), frame["split"].to_list(), subject=subject))


def main() -> None:
    """1. fetch and check  2. read  3. write examples and ratings  4. state the dataset and what was found"""
    with stage("collect") as run:
        # 1.
        distribution = _params.text(run.params, "distribution", stage="collect")
        version = _params.text(run.params, "version", stage="collect")
        sha256 = _params.text(run.params, "sha256", stage="collect")
        key = _params.text(run.params, "split_key", stage="collect")
        shares = _params.shares(run.params, "shares", stage="collect", names=SPLITS)
        sdist = fetch(distribution, version, sha256=sha256, keep=run.config.state / "downloads")
        # 2.
        corpus = read_corpus(sdist, name=f"{distribution}-{version}")
        frame = examples_of(corpus, key=key, shares=shares)
        if frame.is_empty():
            raise InvalidRecord("examples", 0, "at least one text with a mean other than 0", where=sdist.name)
        # 3.
        examples = run.output(EXAMPLES)
        write_table(frame, examples)
        write_table(ratings_of(corpus), run.output(RATINGS))
        # 4.
        subject = run.state(dataset_of(frame, sha256=file_digest(examples), corpus=corpus))
        find(run, frame, corpus, subject=subject)


if __name__ == "__main__":
    main()
