"""Which facts would a whole project state? Made by hand, small, and with every kind of record."""

from __future__ import annotations

from governance.digest import decimal, sha256
from governance.facts import Facts
from governance.records import (
    Contract,
    Dataset,
    Distribution,
    Document,
    Evaluation,
    FileRef,
    Finding,
    LabelModel,
    Labels,
    Model,
    Predictions,
    Recipe,
    Record,
    Result,
    Source,
    Votes,
)

DOMAINS = {"tweets": 400, "amazon": 300, "movies": 200, "nyt": 100}
STAGES = ("collect", "screen", "vote", "combine", "train", "evaluate")


def digest(of: str) -> str:
    return sha256(of.encode())


def metric(name: str, of: str, where: str, value: float | None, examples: int) -> dict[str, object]:
    spread = None if value is None else 0.02
    return {
        "metric": name,
        "of": of,
        "slice": where,
        "value": None if value is None else decimal(value),
        "low": None if value is None or spread is None else decimal(round(value - spread, 6)),
        "high": None if value is None or spread is None else decimal(round(value + spread, 6)),
        "examples": examples,
    }


def source(title: str, **fields: object) -> Source:
    told: dict[str, object] = {
        "title": title,
        "source_kind": "lexicon",
        "version": "1.0",
        "fingerprint": digest(title),
        "summary": f"Counts words of the list {title}.",
        "owner": "The data team",
        "origin": f"The word list {title}.",
        "licence_declared": "MIT",
        "licence_found": "MIT",
        "terms": "Keep the notice.",
        "collection": "Words were rated by hand.",
        "intended_use": "Telling the mood of short texts.",
        "prohibited_use": "Judging single persons.",
        "personal_data": False,
        "expiry": "2027-12-31",
    }
    return Source.make(**{**told, **fields})


def sources() -> list[Source]:
    return [
        source(
            "vader",
            packages=[{"distribution": "vadersentiment", "version": "3.3.2"}],
            contamination=[{"domain": "tweets", "reason": "Its authors published the rated tweets."}],
        ),
        source(
            "afinn",
            licence_declared="GPL-3.0-only",
            licence_found="ODbL-1.0",
            licence_note="The data file carries terms of its own",
            packages=[{"distribution": "afinn", "version": "0.1"}],
        ),
        source("exclamation", source_kind="heuristic", personal_data=True, personal_data_note="None but user names."),
    ]


def datasets(title: str = "reviews", **fields: object) -> tuple[Dataset, Dataset]:
    told: dict[str, object] = {
        "title": title,
        "columns": [{"name": "example_id", "dtype": "String"}, {"name": "text", "dtype": "String"}],
        "splits": {"train": 700, "valid": 100, "test": 200},
        "domains": DOMAINS,
        "classes": {"negative": 450, "positive": 550},
        "counts": {"exact duplicates": 12},
        "origin": "A source distribution, https://example.org/data.tar.gz.",
        "licence": "LicenseRef-Third-Party",
        "terms": "The texts belong to those who wrote them.",
        "collection": "Texts were rated by many people, from -4 to 4.",
        "personal_data": "Texts may name persons.",
        **fields,
    }
    collected = Dataset.make(
        role="collected", sha256=digest("c" + title), content=digest("cc" + title), rows=1003, **told
    )
    screened = Dataset.make(
        **told, role="screened", sha256=digest("s" + title), content=digest("ss" + title), rows=1000,
        derived_from=[collected.name],
    )  # fmt: skip
    return collected, screened


def evaluation(dataset: Dataset, compared: list[Record], title: str = "test split", lift: float = 0.0) -> Evaluation:
    metrics = []
    size = {"tweets": 80, "amazon": 60, "movies": 40, "nyt": 20}
    base = {"tweets": 0.85, "amazon": 0.645, "movies": 0.572, "nyt": 0.555}
    for domain, value in base.items():
        for of, step in (("model", lift), ("label_model", 0.05), ("majority", 0.03), ("supervised", 0.04)):
            for name, shift in (("accuracy", 0.0), ("precision", -0.01), ("recall", 0.01), ("f1", 0.0), ("ece", -0.5)):
                judged = size[domain] - (4 if of in ("label_model", "majority") else 0)
                metrics.append(metric(name, of, f"domain={domain}", round(value + step + shift, 6), judged))
    metrics.append(metric("accuracy", "model", "length=1-5 words", 0.6, 31))
    metrics.append(metric("accuracy", "model", "length=6-20 words", 0.81, 90))
    metrics.append(metric("accuracy", "model", "coverage=0 sources", None, 0))
    metrics.append(metric("accuracy", "vader", "domain=tweets", 0.95, 70))
    bins = [
        {"of": "model", "slice": "domain=tweets", "low": "0.5", "high": "0.75", "confidence": "0.6", "accuracy": "0.65",
         "examples": 40},
        {"of": "model", "slice": "domain=tweets", "low": "0.75", "high": "1.0", "confidence": None, "accuracy": None,
         "examples": 0},
    ]  # fmt: skip
    return Evaluation.make(
        title=title,
        gold="The mean of at least 20 ratings, by its sign",
        dataset=dataset.name,
        compared=[record.name for record in compared],
        sha256=digest("metrics" + title),
        metrics=metrics,
        bins=bins,
        classes=["negative", "positive"],
    )


def learned(
    made: list[Record], sources: list[Source], dataset: Dataset, title: str = "sentiment", lift: float = 0.0
) -> None:
    """Votes, label model, labels, model, predictions and evaluation, appended to `made`."""
    votes = Votes.make(
        title="votes", dataset=dataset.name, sha256=digest("v"), content=digest("vc"), rows=1000,
        classes=["negative", "positive"],
        sources=[
            {"source": item.name, "column": item.title, "votes": [200, 300], "abstained": 499, "errors": 1, "skipped": 0,
             "error_types": {"ValueError": 1}}
            for item in sources
        ],
        covered=930, conflicts=120, patterns=27, revoted=64, revoted_differently=0,
    )  # fmt: skip
    label_model = LabelModel.make(
        title="dawid-skene", method="MAP Dawid-Skene", votes=votes.name, sha256=digest("lm"),
        classes=["negative", "positive"], balance=["0.45", "0.55"], balance_origin="estimated",
        parameters={"prior": "100"}, iterations=31, converged=True, objective="-512.5",
        learned=[
            {"source": item.name, "column": item.title, "accuracy": "0.9", "confusion": [["0.9", "0.1"], ["0.1", "0.9"]]}
            for item in sources
        ],
    )  # fmt: skip
    labels = Labels.make(
        title="soft labels", votes=votes.name, label_model=label_model.name, dataset=dataset.name, sha256=digest("l"),
        content=digest("lc"), rows=1000, covered=930, classes={"negative": 400, "positive": 530}, differs_from_majority=44,
    )  # fmt: skip
    model = Model.make(
        title=title, labels=labels.name, dataset=dataset.name, sha256=digest("m" + title), sidecar=digest("ms" + title),
        architecture="linear model over TF-IDF features", classes=["negative", "positive"], weights=4002, bytes=16100,
        trained_on={"tweets": 260}, parameters={"epochs": "20"},
    )  # fmt: skip
    predictions = Predictions.make(
        title="predictions", model=model.name, dataset=dataset.name, sha256=digest("p" + title),
        content=digest("pc" + title), rows=1000,
    )  # fmt: skip
    made += [votes, label_model, labels, model, predictions]
    made.append(evaluation(dataset, [model, predictions, labels], f"test split of {title}", lift))


def complete(*, cards: bool = False) -> Facts:
    """Facts as all stages together would state them, with their recipes and results."""
    collected, screened = datasets()
    contract = Contract.make(
        title="examples", digest=digest("contract"), checks=["text is not empty", "ids are unique"]
    )
    described = sources()
    made: list[Record] = [collected, screened, contract, *described]
    learned(made, described, screened)
    votes, evaluated = made[7], made[-1]
    findings = [
        ("balance", collected, "pass", "0.45", "0.05", "the rarest class holds 45.0 % of the examples"),
        ("duplicates", collected, "fail", "0.012", "0.01", "12 of 1,003 examples repeat another"),
        ("leakage", screened, "pass", "0.0", "0.0", "0 of 200 test texts also appear in the train split"),
        ("rater_means", collected, "unknown", None, None, "the two files of ratings do not agree"),
        ("licences", described[1], "fail", "1.0", "0.0", "declared and found licence of afinn differ"),
        ("error_rate", votes, "pass", "0.001", "0.01", "0.1 % of the votes of vader are errors"),
        ("fall", evaluated, "fail", "0.295", "0.1", "accuracy falls by 0.295 on nyt"),
    ]
    made += [
        Finding.make(check=check, subject=subject.name, outcome=outcome, measured=measured, limit=limit, says=says,
                     contract=contract.name if check == "leakage" else None)
        for check, subject, outcome, measured, limit, says in findings
    ]  # fmt: skip
    if cards:
        made.append(
            Document.make(title="Model card: sentiment (Markdown)", document_kind="model_card", sha256=digest("card"),
                          about=[made[10].name], cites=[screened.name], claims=40, not_recorded=3)
        )  # fmt: skip
    return Facts([*made, *runs(made)])


def runs(made: list[Record]) -> list[Record]:
    """A recipe and a result for every stage, each stating some of the records."""
    kinds = {
        "collect": ("dataset",), "screen": ("dataset", "contract", "finding"), "vote": ("source", "votes"),
        "combine": ("labelmodel", "labels"), "train": ("model",), "evaluate": ("predictions", "evaluation"),
    }  # fmt: skip
    written: list[Record] = []
    for stage in STAGES:
        stated = [record for record in made if record.kind in kinds[stage]]
        if stage in ("collect", "screen"):
            stated = [record for record in stated if getattr(record, "role", "screened") == f"{stage}ed"]
        recipe = Recipe.make(
            stage=stage,
            inputs=[],
            parameters={"limit": "0.1"}, seed=7, code=[],
            distributions=[Distribution.model_validate({"distribution": "polars", "version": "1.0"})],
            python="3.11.7", threads=1, hash_seed="0",
        )  # fmt: skip
        ref = FileRef.model_validate({"path": f"artifacts/{stage}", "sha256": digest(stage), "bytes": 3})
        written += [
            recipe,
            Result.make(stage=stage, recipe=recipe.name, outputs=[ref], generated=[r.name for r in stated], used=[]),
        ]
    return written
