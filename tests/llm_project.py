"""The project of docs/llm.md, laid down from the page itself, beside an endpoint of the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/llm.md"
PORT = "8808"
_NAMED = re.compile(r"^```(?:python|yaml|toml|csv) (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lay_down(root: Path, *, port: int) -> None:
    """The files that the page names; its endpoint is that of the tests."""
    files = _NAMED.findall(PAGE.read_text())
    assert len(files) == 11
    for path in ("pipelines/__init__.py", "pipelines/sources/__init__.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    for path, body in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(body.replace(f":{PORT}/", f":{port}/"))


def commands() -> list[str]:
    """The blocks of commands of the page, in order."""
    return _SHELL.findall(PAGE.read_text())


def snippet() -> str:
    """The Python example of the page."""
    (found,) = _PYTHON.findall(PAGE.read_text())
    return found


def run(script: str, root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Commands as a user types them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=root,
        env={**kept, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
