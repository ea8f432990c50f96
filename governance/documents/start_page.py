"""What does an auditor see first who opens a bundle in a browser?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from governance.documents.escape import clean

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b2430}"
    "code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}td,th{text-align:left;padding:.2rem 1rem .2rem 0}"
)


@dataclass(frozen=True)
class Enclosed:
    """One file of a bundle: where it lies, what it is, how many bytes."""

    path: str
    says: str
    bytes: int


@dataclass(frozen=True)
class Committed:
    """A table to whose rows the log is committed: which, how many rows, how, and the root over them."""

    table: str
    rows: int
    scheme: str
    root: str


def start_page(
    *,
    project: str,
    log: str,
    entries: int,
    public_key: str | None,
    enclosed: Sequence[Enclosed],
    open_: Sequence[str],
    committed: Sequence[Committed] = (),
    key_since: int = 0,
) -> bytes:
    """One page of HTML without scripts: what is in the bundle, how to check it, and what is not in order.

    `entries` counts the log before the bundle's own entry, `key_since` is the entry that names the key in force. Every
    value is escaped.
    """

    def text(value: object) -> str:
        return escape(str(clean(str(value))))

    rows = "".join(
        f'<tr><td><a href="{text(file.path)}"><code>{text(file.path)}</code></a></td><td>{text(file.says)}</td>'
        f"<td>{file.bytes:,} bytes</td></tr>"
        for file in enclosed
    )
    rows_of = "".join(
        f"<tr><td>{text(one.table)}</td><td>{one.rows:,} rows</td><td>{text(one.scheme)}</td>"
        f"<td><code>{text(one.root)}</code></td></tr>"
        for one in committed
    )
    key = f"<code>{text(public_key)}</code>" if public_key else "none: nobody signs this log"
    key += f" (since entry {key_since:,}; it follows on an earlier one)" if public_key and key_since else ""
    gaps = "".join(f"<li>{text(line)}</li>" for line in open_) or "<li>nothing that the log itself can tell</li>"
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Evidence of {text(project)}</title><style>{_STYLE}</style></head><body>\n"
    )
    about = (
        f"<h1>Evidence of {text(project)}</h1>\n"
        f"<p>The log <code>{text(log)}</code> with its {entries:,} entries, the entry of this bundle, and the documents "
        f"that stand on them. Its key, as the log itself names it: {key}.</p>\n"
    )
    tables = f"<table>{rows_of}</table>" if rows_of else "<p>None.</p>"
    listed = f"<h2>What is in it</h2>\n<table>{rows}</table>\n{_COMMITTED}{tables}\n{_OPEN}<ul>{gaps}</ul>\n"
    return f"{head}{about}{_CHECK}{listed}</body></html>\n".encode()


_CHECK = """<h2>Check it</h2>
<p>This page proves nothing: whoever makes a bundle writes its page. Take <code>verify.py</code> from the project that
published it, compare its SHA-256 with the one published there, and take a checkpoint or the key from somebody else than
the sender:</p>
<pre><code>python -I -S verify.py FILE.zip --checkpoint FILE
python -I -S verify.py FILE.zip --key KEY</code></pre>
"""
_COMMITTED = """<h2>What rows it is committed to</h2>
<p>No row is in here. The log holds one salted root for each of these tables; its owner can show single rows against it, and
cannot exchange them.</p>
"""
_OPEN = "<h2>What is missing or open</h2>\n"
