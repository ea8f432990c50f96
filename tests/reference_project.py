"""The governed reference project on a small made-up corpus, run once and copied for each test."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
import tiny_corpus
import yaml
from small_project import copy_of, git, once

from governance.project import Project

GOOD = ["good", "great", "lovely", "happy", "love", "wonderful", "excellent", "nice :)", "best", "superb!"]
BAD = ["bad", "awful", "terrible", "sad", "hate", "horrible", "poor", "ugly :(", "worst", "broken"]
PLAIN = ["day", "phone", "film", "law", "story", "house", "walk", "table", "city", "song", "but", "not", "the", "a"]


def made_up_rows(seed: int = 5, each: int = 160) -> dict[str, list[tuple[str, str, str, str]]]:
    """Texts of known sentiment in four domains; one in eight is labelled against its own words."""
    draw = random.Random(seed)  # noqa: S311 - made-up texts need no secrecy
    rows: dict[str, list[tuple[str, str, str, str]]] = {}
    for domain in tiny_corpus.BEGINS:
        rows[domain] = []
        for number in range(1, each + 1):
            sign = draw.choice([-1, 1])
            words = draw.choices(GOOD if sign > 0 else BAD, k=draw.randint(0, 2)) + draw.choices(PLAIN, k=6)
            draw.shuffle(words)
            shown = sign if draw.random() > 0.125 else -sign
            ratings = [shown * draw.randint(1, 4) for _ in range(20)]
            key = f"{number}_1" if domain in ("amazon", "nyt") else str(number)
            text = f"{' '.join(words)} number {number}"
            rows[domain].append((key, repr(sum(ratings) / 20), text, repr(ratings)))
    return rows


def make_reference_project(root: Path) -> Path:
    """The reference project as `init` lays it down, with a corpus that needs no network; run, recorded, committed."""
    Project.init(root)
    data = tiny_corpus.sdist(tiny_corpus.files(made_up_rows()))
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["collect"] |= {
        "distribution": tiny_corpus.NAME,
        "version": tiny_corpus.VERSION,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    params["evaluate"]["resamples"] = 20
    params["vote"]["revoted"] = 40
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    downloads = root / ".labeltrail" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / f"{tiny_corpus.NAME}-{tiny_corpus.VERSION}.tar.gz").write_bytes(data)
    report = Project.find(root).repro()
    assert report.exit_code == 0, report.to_markdown()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


@pytest.fixture(scope="session")
def reference_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference project; for reading only."""
    return once(tmp_path_factory, "reference", make_reference_project)


@pytest.fixture
def with_its_key(reference_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that signed the reference project's log is at hand, in a home that may be written."""
    copy_of(reference_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))


@pytest.fixture
def reference(reference_once: Path, tmp_path: Path, with_its_key: None) -> Path:
    """A copy of the reference project, to change."""
    return copy_of(reference_once, tmp_path / "project")
