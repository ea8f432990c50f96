"""Which SHA-256 does verify.py have now, and where is it told? `python -m governance.proof.published` writes it there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from governance.digest import sha256, write_atomically
from governance.proof.published import verifier

_TOLD = re.compile(rb"\b[0-9a-f]{64}  verify\.py\n")


def refresh(root: Path) -> list[Path]:
    """Writes the digest into the auditor's page and beside verify.py; answers the files that said something else."""
    line = f"{sha256(verifier())}  verify.py\n".encode()
    beside = Path(__file__).with_name("verify.py.sha256")
    page = root / "docs" / "auditing.md"
    wanted = {beside: line, page: _TOLD.sub(line, page.read_bytes())}
    changed = [path for path, data in wanted.items() if not path.is_file() or path.read_bytes() != data]
    for path in changed:
        write_atomically(path, wanted[path])
    return changed


if __name__ == "__main__":
    for written in refresh(Path.cwd()):
        sys.stdout.write(f"{written} now tells the SHA-256 of verify.py\n")
