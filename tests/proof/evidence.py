"""A small log with a document in it, the bundle made of it, and the folder of tiles that it was published to."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from small_facts import finding

from governance.digest import sha256
from governance.documents.start_page import Enclosed, start_page
from governance.proof import published
from governance.proof.bundle import make_bundle
from governance.proof.folder import Folder
from governance.proof.publish import publish
from governance.records import Document
from governance.store import keys
from governance.store.trail import Trail

CARD = b"# A card\n\nThe model says little.\n"


@dataclass(frozen=True)
class Evidence:
    """A bundle, the checkpoints of its log by size, its public key, and the files that the log was published as, twice."""

    data: bytes
    checkpoints: dict[int, str]
    key: bytes
    tiles: dict[str, bytes] = field(default_factory=dict)


def standalone() -> ModuleType:
    """`verify.py` as a file of its own, not as a part of the package."""
    spec = importlib.util.spec_from_file_location("standalone_verify", Path(published.__file__).parent / "verify.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_evidence(root: Path) -> Evidence:
    """A signed log of six entries, the newest of which is that of the bundle."""
    keys.create_key()
    trail = Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="small", create=True)
    trail.append([finding(1), finding(2)], at=1_700_000_000_000_000)
    publish(trail, root / "published")
    card = Document.make(
        title="card", document_kind="model_card", sha256=sha256(CARD), about=[], cites=[], claims=1, not_recorded=0
    )
    trail.append([card, finding(3)], at=1_700_000_001_000_000)
    start = trail.start()
    page = start_page(
        project=start.project,
        log=start.log,
        entries=trail.size(),
        public_key=start.public_key,
        enclosed=[Enclosed("documents/model_card.md", "model card", len(CARD))],
        open_=[],
    )
    data, _ = make_bundle(trail, {"index.html": page, "documents/model_card.md": CARD})
    notes = {size: note for size, note, _ in trail.checkpoints()}
    publish(trail, root / "published")
    return Evidence(data, notes, bytes.fromhex(start.public_key or ""), dict(Folder(root / "published")))
