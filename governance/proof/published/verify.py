"""Is this evidence whole, unchanged and whose? One file, Python's standard library, no network.

    python -I -S verify.py FILE.zip --checkpoint FILE      a checkpoint of the same log that you got some other way
    python -I -S verify.py FILE.zip --key KEY              the log's public key (64 hexadecimal digits), likewise

FILE.zip is what `labeltrail bundle` or `labeltrail challenge` wrote, or the folder of `labeltrail checkpoint --tiles`.
Exit 0: everything holds. 3: something does not, and it says what. 4: whole in itself, but nobody vouches for its origin,
since neither a checkpoint nor a key was given, or the key was revoked since. 2: the command cannot be carried out.

What it rests on: SHA-256; Ed25519 (RFC 8032); the Merkle tree of RFC 9162; C2SP signed notes; canonical JSON (RFC 8785).
"""

import argparse
import base64
import bisect
import hashlib
import json
import os
import pathlib
import re
import struct
import sys
import typing
import zlib

FORMATS = [{"format": "labeltrail-bundle/1"}, {"format": "labeltrail-challenge/1"}]
PATH = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)*(/[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)*){0,4}")
NAME = re.compile(r"[a-z]+:[0-9a-f]{64}")
TILE = re.compile(r"tile/(entries|large|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
WIDTH, LARGEST_INTEGER = 256, 2**53 - 1
ROWS = ("dataset", "votes", "labels", "predictions", "answers")
VERSIONS = {"source": (1, 2), "votes": (1, 2)}  # of every other kind there is the first alone


class Broken(Exception):
    """Something that does not hold, in one sentence."""


class Unknown(Exception):
    """Why nobody vouches for what is whole in itself, in one sentence."""


def need(holds, says):
    """Goes on where it holds."""
    if not holds:
        raise Broken(says)


# -- the file ------------------------------------------------------------------------------------------------------


def read_zip(data):
    """The files of an archive in its one canonical form: {path: bytes}.

    Stored and not compressed, in the order of their paths, without dates, comments or extra fields. The archive is built
    again from what was read and has to be the same, byte by byte: nothing can hide in it, and nothing can swell.
    """
    files, at, last = {}, 0, ""
    while data[at : at + 4] == b"PK\x03\x04":
        need(len(data) >= at + 30, f"the archive is cut short at byte {at}")
        size, length, extra = struct.unpack_from("<I", data, at + 18)[0], *struct.unpack_from("<HH", data, at + 26)
        need(extra == 0, f"the archive has extra fields at byte {at}")
        start = at + 30 + length
        need(start + size <= len(data), f"the archive is cut short in the file that begins at byte {at}")
        try:
            path = data[at + 30 : start].decode("ascii")
        except UnicodeDecodeError:
            raise Broken(f"the archive holds a path that is not plain text, at byte {at}") from None
        need(PATH.fullmatch(path), f"the archive holds a path of a form that is not allowed: {path!r}")
        need(path > last, f"the archive holds {path} twice, or out of order")
        files[path] = data[start : start + size]
        at, last = start + size, path
    need(0 < len(files) < 2**16 and at < 2**32, "this is not an archive of evidence, or one of too much")
    need(write_zip(files) == data, "the archive is not in its one canonical form: something was added, cut or changed")
    return files


def write_zip(files):
    """The canonical archive of {path: bytes}."""
    body, directory = bytearray(), bytearray()
    for path in sorted(files):
        name, content = path.encode("ascii"), files[path]
        # version 2.0, no flags, stored, 1980-01-01 00:00:00
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(content), *[len(content)] * 2, len(name), 0)
        directory += b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + content
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)


# -- canonical JSON (RFC 8785, for text, integers, booleans, null, lists and objects with ASCII keys) ------------------


def canonical(value):
    """The one form of a value, as bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def read_json(data: bytes, where: str) -> typing.Any:
    """The value of bytes that are in their one canonical form."""
    value = None
    try:
        value = json.loads(data.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse)
        same = canonical(value) == data and _is_plain(value)
    except (ValueError, RecursionError):
        same = False
    need(same, f"{where} is not canonical JSON")
    return value


def _refuse(what):
    raise ValueError(what)


def _is_plain(value):
    if isinstance(value, dict):
        return all(key.isascii() and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_plain(inner) for inner in value)
    return isinstance(value, (str, bool, type(None))) or abs(value) <= LARGEST_INTEGER


# -- the tree (RFC 9162 section 2.1) ------------------------------------------------------------------------------


def leaf_hash(entry):
    """The hash of one entry (section 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    """The hash over two subtrees (section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(shown, nodes, size, cuts=()):
    """The roots of the subtrees met on a walk from the root, left before right: {(start, stop): root}. It goes into what
    holds a leaf of `shown` ({number: hash}) or divides at a cut; the next 32 of `nodes` are the root of anything else."""
    met, inside = {}, sorted({*shown, *cuts})
    rest = iter([nodes[at : at + 32] for at in range(0, len(nodes), 32)])
    need(shown and min(inside) >= 0 and max(inside) < size, "leaves are shown that the tree does not have")

    def over(start, stop):
        after = bisect.bisect_right(inside, start)
        if start not in shown and (after == len(inside) or inside[after] >= stop):
            head = next(rest, b"")
        elif stop - start == 1:
            head = shown[start]
        else:
            middle = start + (1 << (stop - start - 1).bit_length() - 1)  # section 2.1.1
            head = node_hash(over(start, middle), over(middle, stop))
        return met.setdefault((start, stop), head)

    over(0, size)
    need(next(rest, None) is None, "there are more nodes than the tree has")
    return met


# -- Ed25519 (RFC 8032 section 5.1), verification only -----------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _add(one, other):
    """Points in extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (section 5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(factor, point):
    found = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            found = _add(found, point)
        point, factor = _add(point, point), factor >> 1
    return found


def _decode(data):
    """The point in 32 bytes, or None (section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):
    """Whether `signature` (64 bytes) is one of `message` by the public key (32 bytes) (section 5.1.7)."""
    point = _decode(public)
    s = int.from_bytes(signature[32:], "little")
    # Under a key of small order anybody can sign.
    if point is None or len(signature) != 64 or s >= ORDER or _multiply(8, point)[0] == 0:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    negative = (P - point[0], point[1], point[2], P - point[3])
    return _encode(_add(_multiply(s, BASE), _multiply(k, negative))) == signature[:32]


# -- checkpoints (C2SP tlog-checkpoint in a signed note) ------------------------------------------------------------


class Checkpoint:
    """A tree head: whose log, how many entries, which root, and who signed it."""

    def __init__(self, data, where):
        try:
            lines = data.decode("utf-8").split("\n")
            self.origin, size, root = lines[:3]
            need(size.isascii() and size.isdecimal() and str(int(size)) == size, f"{where}: {size!r} is no size")
            self.size, self.root = int(size), _base64(root)
            self.body = "\n".join(lines[:3]).encode() + b"\n"
            self.signatures = [_signature(line) for line in lines[4:-1]]
        except (ValueError, IndexError):
            raise Broken(f"{where} is not a checkpoint") from None
        told = "".join(f"\u2014 {n} {base64.b64encode(h + s).decode()}\n" for n, h, s in self.signatures)
        whole = self.body + b"\n" + told.encode() == data and re.fullmatch(r"[^\s+]+", self.origin)
        need(whole and len(self.root) == 32, f"{where} is not a checkpoint in its one canonical form")

    def is_signed_by(self, public):
        hint = hashlib.sha256(self.origin.encode() + b"\n\x01" + public).digest()[:4]
        return any(n == self.origin and h == hint and is_signed(public, self.body, s) for n, h, s in self.signatures)


def _base64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError(text)
    return data


def _signature(line):
    dash, name, data = line.split(" ")
    data = _base64(data)
    if dash != "\u2014" or not name or len(data) != 68:
        raise ValueError(line)
    return name, data[:4], data[4:]


# -- what the archive says ---------------------------------------------------------------------------------------------


class Log:
    """The entries of an archive, all of a log or some, each at its place under the checkpoint that came with them."""

    def __init__(self, files, some=False):
        self.checkpoint = Checkpoint(take(files, "checkpoint"), "checkpoint")
        self.lines = lines = take(files, "entries.jsonl").split(b"\n")
        need(lines.pop() == b"" and lines, "entries.jsonl does not end where a line ends")
        self.leaves, size, cuts = [leaf_hash(line) for line in lines], self.checkpoint.size, []
        self.places, self.late = list(range(len(lines))), {}
        if some:
            self.places = read_json(take(files, "places.json"), "places.json")
            cuts = read_json(lines[-1], "entries.jsonl")["body"]["since"]
            rising = all(type(n) is int for n in self.places + cuts) and cuts == sorted(set(cuts))
            need(rising and self.places == sorted(set(self.places)), "places.json is no list of places, rising")
        shown = dict(zip(self.places, self.leaves, strict=True))
        self.met = fold(shown, take(files, "log.nodes") if some else b"", size, cuts)
        need(self.met[0, size] == self.checkpoint.root, "the entries do not give the root of the checkpoint")
        self.entries = [_entry(line, f"line {number} of entries.jsonl") for number, line in enumerate(lines, 1)]
        self.names = {entry["name"]: entry for entry in reversed(self.entries)}
        start = self.entries[0]
        need(start["kind"] == "log" and self.places[0] == 0, "the first entry is not the beginning of a log")
        need(start["body"].get("log") == self.checkpoint.origin, "the checkpoint is of another log than the entries")
        placed = zip(self.places, self.entries, strict=True)
        self.keys = key_chain(start["body"], [(at, entry) for at, entry in placed if entry["kind"] == "key"])

    def root_at(self, size, start=0):
        """The root of the log, from an entry on, as it was with so many entries."""
        if (start, size) in self.met:
            return self.met[start, size]
        if size - start == 1:
            raise Unknown("the log as it was at the checkpoint that was given is not shown: ask for it with --since")
        middle = start + (1 << (size - start - 1).bit_length() - 1)
        return node_hash(self.root_at(middle, start), self.root_at(size, middle))


def _entry(line, where):
    entry = read_json(line, where)
    whole = isinstance(entry, dict) and set(entry) == {"at", "body", "kind", "v"} and isinstance(entry["body"], dict)
    whole = whole and type(entry["at"]) is int and type(entry["v"]) is int and isinstance(entry["kind"], str)
    need(whole, f"{where} is not an entry")
    known = entry["v"] in VERSIONS.get(entry["kind"], (1,))
    need(known, f"{where} is of a version that I do not know, {entry['v']}; get a newer verify.py")
    record = canonical({key: entry[key] for key in ("body", "kind", "v")})
    return {**entry, "name": f"{entry['kind']}:{hashlib.sha256(record).hexdigest()}"}


def key_chain(start, changes):
    """A log's keys as (entry, key, reason), the newest last. `changes`: the entries of kind key, as (position, entry)."""
    chain = [(0, None if start["public_key"] is None else _hex(start["public_key"], 32), "began")]
    for at, entry in changes:
        body, old = entry["body"], chain[-1][1]
        new, by_new, by_old = _hex(body["public_key"], 32), _hex(body["signature_new"], 64), body["signature_previous"]
        said = {"log": start["log"], "number": len(chain), "previous": old and old.hex(), "public_key": new.hex()}
        said["reason"] = reason = body["reason"]
        whole = {**said, "signature_new": by_new.hex(), "signature_previous": by_old, "who": str(body["who"])}
        fits = reason in (("rotated", "lost", "compromised") if old else ("first",)) and entry["v"] == 1
        follows = fits and new not in [link[1] for link in chain] and canonical(whole) == canonical(body)
        need(follows, f"entry {at} changes the log's key and does not follow on the key before")
        said = b"labeltrail-key/1\n" + canonical(said)
        held = is_signed(old, said, _hex(by_old, 64)) if reason == "rotated" else by_old is None
        need(held and is_signed(new, said, by_new), f"entry {at} changes the log's key and is not signed as it must be")
        chain.append((at, new, reason))
    return chain


def _hex(text, size):
    need(re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text), f"{text!r} is no key or signature")
    return bytes.fromhex(text)


def need_trust(later, what):
    """Goes on where the key before signed for each of these changes."""
    for at, _, reason in later:
        if reason != "rotated":
            ended = "named the log's first key" if reason == "first" else f"revoked {what} ({reason})"
            raise Unknown(f"but entry {at} {ended}: ask for the new key by another way than this log")


def take(files, path):
    """The content of a file that has to be there."""
    need(path in files, f"{path} is missing")
    return files[path]


def check_bundle(files, log, told):
    """1. the newest entry lists every other file with its digest  2. each document is one that the log recorded
    3. what entries refer to is here too"""
    # 1.
    last = log.entries[-1]
    need(last["kind"] == "bundle", "the newest entry is not that of a bundle")
    listed = {ref["path"]: ref for ref in last["body"]["files"]}
    held = sorted(set(files) - {"checkpoint", "entries.jsonl"})
    digests = {path: hashlib.sha256(files[path]).hexdigest() for path in held}
    for path in sorted({*held, *listed}):
        need(path in listed and path in held, f"{path} is in the archive and not in its list, or only in the list")
        same = digests[path] == listed[path]["sha256"] and len(files[path]) == listed[path]["bytes"]
        need(same, f"{path} is not the file that was put there: its SHA-256 is {digests[path]}")
    need([ref["path"] for ref in last["body"]["files"]] == held, "the list names a file twice, or out of order")
    # 2.
    outputs = {ref["sha256"] for entry in log.entries if entry["kind"] == "result" for ref in entry["body"]["outputs"]}
    named = {(entry["kind"], entry["body"].get("sha256")) for entry in log.entries}
    documents = [path for path in held if path not in ("about.json", "index.html")]
    plain = [p for p in documents if p.startswith("documents/") and not named & {(kind, digests[p]) for kind in ROWS}]
    decided = plain == documents or log.entries[-2]["kind"] == "disclosure"
    need(decided, "rows are in the archive, and no entry says who decided to hand them out")
    for path in documents:
        need(digests[path] in outputs or ("document", digests[path]) in named, f"{path} is nothing the log recorded")
    # 3.
    referred = {name for entry in log.entries for name in NAME.findall(canonical(entry["body"]).decode())}
    kinds = {entry["kind"] for entry in log.entries}
    missing = sorted(name for name in referred - set(log.names) if name.partition(":")[0] in kinds)
    told.append(f"{len(files) - 2} files are those that the log lists, {len(documents)} of them outputs it recorded")
    if missing:
        told.append(f"{len(missing)} records are referred to and are not in this log, the first {missing[0]}")
    told.append("not checked: files that are not in the archive (data, votes, labels, models) and what people stated")


def check_challenge(files, log, told):
    """1. the newest entry is a challenge's, on the labels and what they come from  2. the rows lead to the committed roots
    3. they are those that the seed draws, each line of one example  4. nothing else is in the archive"""
    # 1.
    asked, place = log.entries[-1]["body"], log.places[-1]
    need((log.entries[-1]["kind"], place) == ("challenge", log.checkpoint.size - 1), "the newest entry is no challenge")
    commitments = [log.names[name] for name in asked["commitments"] if name.startswith("commitment:")]
    tables = {c["body"]["of"].partition(":")[0]: c["body"] for c in commitments if c["body"]["scheme"] == "rows/v1"}
    labels = log.names[tables["labels"]["of"]]["body"]
    votes = log.names[labels["votes"]]["body"]
    chain = [tables["labels"]["of"], labels["votes"], labels["dataset"]]
    fits = [one["body"]["of"] for one in commitments] == [of for of in chain if of.partition(":")[0] in tables]
    need(fits and votes["dataset"] == labels["dataset"], "the commitments are not to the labels and their origin")
    need(all(log.names[b["of"]]["body"]["rows"] == b["rows"] for b in tables.values()), "a table is not whole here")
    # 2.
    gone, named = {}, dict(zip(tables, asked["commitments"], strict=True))
    for at, one in reversed([*zip(log.places, log.entries, strict=True)]):
        for part in one["body"]["rows"] if one["kind"] == "erasure" else ():
            gone.setdefault(part["commitment"], {}).update(dict.fromkeys(part["rows"] + part["amended"], at))
    answers = {table: read_answers(files, table, tables[table], gone.get(named[table], {})) for table in tables}
    # 3.
    drawn = draw(asked["seed"], asked["rows"], tables["labels"])
    need([number for number, _, _ in answers["labels"]] == drawn, "the rows are not those that the seed draws")
    told.append(f"seed {asked['seed']!r} drew {len(drawn)} of the {labels['rows']} rows of {asked['commitments'][0]}")
    words = {str(n): word for n, word in enumerate(["skipped", "failed", "abstains", *votes["classes"]], -3)}
    titles = {part["column"]: log.names[part["source"]]["body"]["title"] for part in votes["sources"]}
    others = {table: iter(answers[table]) for table in [*tables][1:]}
    for number, example, row in answers["labels"]:
        beside = {table: next(rows, (0, 0, {})) for table, rows in others.items()} if row else {}
        need(all(theirs in (None, example) for _, theirs, _ in beside.values()), f"row {number} is beside others")
        said = [f"row {number}, {example}: {words.get(str(row.get('label')), 'unknown')}"]
        cast = beside.get("votes", (0, 0, {}))[2]
        said += [f"{titles[name]} {words.get(str(cast[name]), 'unknown')}" for name in cast if name in titles]
        told.append("; ".join(said) if row else f"row {number}: erased by entry {gone[commitments[0]['name']][number]}")
    # 4.
    mine = {f"{table}.{end}" for table in (*tables, "log") for end in ("jsonl", "nodes")} - {"log.jsonl"}
    extra = sorted(set(files) ^ mine ^ {"about.json", "checkpoint", "entries.jsonl", "places.json"})
    need(not extra and not any([*rest] for rest in others.values()), f"no part of a challenge, or missing: {extra}")
    committed = max(log.places[log.entries.index(one)] for one in commitments)
    erased = [gone[named[table]][n] for table, rows in answers.items() for n, example, _ in rows if example is None]
    log.late = {"the rows were committed to": committed, "rows that were drawn were erased": max(erased, default=0)}
    told.append(f"committed to up to entry {committed}, shown in entry {place}: rows of {', '.join(tables)}")
    told.append("not checked: rows that were not drawn, entries that are not in the archive and what people stated")


def draw(seed, rows, commitment):
    """The rows that a seed draws from a committed table; one that was drawn before is passed over."""
    need(type(rows) is int and 0 < rows <= min(commitment["rows"], 10_000), f"{rows!r} rows cannot be drawn")
    drawn, number = {}, 0
    while len(drawn) < rows:
        text = f"labeltrail-challenge/1\n{seed}\n{commitment['root']}\n{number}"
        drawn[int(hashlib.sha256(text.encode()).hexdigest(), 16) % commitment["rows"]] = number = number + 1
    return list(drawn)


def read_answers(files, table, commitment, gone):
    """[(row number, example, row)] of a table, which lead to its committed root; of a row that is gone there is a leaf."""
    lines, answers, shown = take(files, f"{table}.jsonl").split(b"\n"), [], {}
    need(lines.pop() == b"", f"{table}.jsonl does not end where a line ends")
    for one in [read_json(line, table) for line in lines]:
        number, kept = one["number"], "leaf" in one
        row, digits = ({}, one["leaf"]) if kept else (one["row"], one["salt"])
        fits = type(number) is int and (number in gone if kept else set(row) == set(commitment["columns"]))
        fits = fits and set(one) == ({"leaf", "number"} if kept else {"number", "row", "salt"})
        need(fits and re.fullmatch("[0-9a-f]{64}", digits), f"{table}.jsonl holds what is no row")
        shown[number] = bytes.fromhex(digits) if kept else leaf_hash(bytes.fromhex(digits) + canonical(row))
        answers.append((number, None if kept else str(row[commitment["id_column"]]), row))
    root = fold(shown, take(files, f"{table}.nodes"), commitment["rows"])[0, commitment["rows"]]
    same = root.hex() == commitment["root"] and len(shown) == len(lines)
    need(same, f"the rows of the {table} are not those that were committed to")
    return answers


# -- a folder of tiles (C2SP tlog-tiles) -------------------------------------------------------------------------------


def read_folder(root):
    """The files below a folder: {path: bytes}; None stands for a link or whatever else is no ordinary file."""
    places = [pathlib.Path(at, name) for at, below, names in os.walk(root, onerror=_refuse) for name in below + names]
    return {
        place.relative_to(root).as_posix(): place.read_bytes() if place.is_file() and not place.is_symlink() else None
        for place in places
        if place.is_symlink() or not place.is_dir()
    }


def tile_path(kind, number, width):
    """tile/0/x001/x234/067, and tile/0/067.p/9 for the first nine of its 256."""
    digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
    return f"tile/{kind}/" + re.sub("(...)(?=.)", r"x\1/", digits) + (f".p/{width}" if width < WIDTH else "")


def tile(level, number, held):
    """(path, bytes) of a tile of hashes; at level -1 of a bundle of entries, each behind its length in 2 bytes, or 4."""
    kind, prefix = ("large", 4) if any(len(item) > 0xFFFF for item in held) else ("entries", 2)
    if level >= 0:
        return tile_path(level, number, len(held)), b"".join(held)
    return tile_path(kind, number, len(held)), b"".join(len(item).to_bytes(prefix, "big") + item for item in held)


def read_tiles(files, told):
    """The log in a folder: 1. its entries  2. every tile is there  3. every file is a tile, or was one of fewer entries"""
    # 1.
    lines, size = [], Checkpoint(take(files, "checkpoint"), "checkpoint").size
    for number in range(-(-size // WIDTH)):
        small, large = (tile_path(kind, number, min(WIDTH, size - number * WIDTH)) for kind in ("entries", "large"))
        data, prefix, at = (files[large], 4, 0) if large in files else (take(files, small), 2, 0)
        while at < len(data):
            start = at + prefix
            at = start + int.from_bytes(data[at:start], "big")
            lines.append(data[start:at])
    log = Log({"checkpoint": files["checkpoint"], "entries.jsonl": b"".join(line + b"\n" for line in lines)})
    # 2.
    levels = {-1: log.lines, 0: log.leaves}
    while len(log.leaves) >= (span := WIDTH ** (len(levels) - 1)):
        levels[len(levels) - 1] = [log.met[at, at + span] for at in range(0, len(log.leaves) - span + 1, span)]
    for level, items in levels.items():
        for first in range(0, len(items), WIDTH):
            take(files, tile(level, first // WIDTH, items[first : first + WIDTH])[0])
    # 3.
    for path in sorted(set(files) - {"checkpoint"}):
        match: typing.Any = TILE.fullmatch(path)
        need(match, f"{path!r} is no part of a published log")
        level, number = int(match[1]) if match[1].isdigit() else -1, int(re.sub("[x/]", "", match[2]))
        held = levels.get(level, [])[number * WIDTH : number * WIDTH + int(match[3] or WIDTH)]
        need(tile(level, number, held) == (path, files[path]), f"{path} is not what the entries give")
    told.append(f"{len(log.entries)} entries of the log {log.checkpoint.origin}, in {len(files) - 1} tiles and bundles")
    return log


def check_origin(log, anchor, key):
    """Who vouches for the checkpoint, in one sentence. Raises Unknown where nobody does, Broken where one contradicts."""
    mine, keys = log.checkpoint, [key for _, key, _ in log.keys]
    signed = keys[-1] and mine.is_signed_by(keys[-1])
    if key:
        need(key in keys, "the log never named the key that was given")
        need(signed, "the checkpoint is not signed by the log's newest key")
        need_trust(log.keys[keys.index(key) + 1 :], "the key that was given")
        return "signed by the key that was given" + (", or by one that it hands over to" if key != keys[-1] else "")
    if not anchor:
        raise Unknown("origin unknown: give --checkpoint or --key, got some other way")
    need(anchor.origin == mine.origin, f"the checkpoint that was given is of another log, {anchor.origin}")
    need(anchor.size > 0, "the checkpoint that was given is of an empty log and vouches for nothing")
    if anchor.size == mine.size:
        need(anchor.root == mine.root, "the checkpoint that was given has another root for this size: a split log")
        return "the checkpoint that was given is of these very entries"
    need(anchor.size < mine.size, f"the log was longer: the checkpoint that was given is over {anchor.size} entries")
    need(log.root_at(anchor.size) == anchor.root, "the log did not grow from the checkpoint that was given")
    held = [key for since, key, _ in log.keys if since < anchor.size][-1]
    if len(log.entries) < mine.size and not (held and anchor.is_signed_by(held)):
        raise Unknown("the checkpoint that was given is not signed by the key that is shown; another may be left out")
    need(signed, f"nobody vouches for the {mine.size - anchor.size} entries after the checkpoint that was given")
    need_trust([link for link in log.keys if link[0] >= anchor.size], "the key of the checkpoint that was given")
    for what in [what for what, entry in log.late.items() if entry >= anchor.size]:
        raise Unknown(f"but {what} after the checkpoint that was given: perhaps to suit the seed")
    return f"grown from the checkpoint that was given ({anchor.size} entries), signed by a key that it covers"


# -- the command -----------------------------------------------------------------------------------------------------------


def verify(data, *, anchor=None, key=None, seed=None):
    """(exit code, sentences) for an archive (bytes) or a folder ({path: bytes}): 1. it is in its canonical form  2. its
    entries are those of its checkpoint  3. all else is what they say  4. somebody trusted vouches for the checkpoint"""
    told = []
    try:
        trusted = Checkpoint(anchor, "the checkpoint that was given") if anchor is not None else None
        if isinstance(data, dict):
            log = read_tiles(data, told)
        else:
            # 1.
            files = read_zip(data)
            about = read_json(take(files, "about.json"), "about.json")
            need(about in FORMATS, f"I do not know this kind or version of file: {about!r}; get a newer verify.py")
            # 2.
            rows = about["format"].startswith("labeltrail-challenge")
            log = Log(files, some=rows)
            told.append(f"{len(log.entries)} entries of a log of {log.checkpoint.size}, {log.checkpoint.origin}")
            # 3.
            (check_challenge if rows else check_bundle)(files, log, told)
        need(seed in (None, log.entries[-1]["body"].get("seed")), "the seed that was given did not draw what is shown")
        told += ["not checked: whether the seed is yours: give it with --seed"] if log.late and seed is None else []
        # 4.
        vouched = check_origin(log, trusted, key)
    except Broken as fault:
        return 3, [f"BROKEN: {fault}"]
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as fault:
        return 3, [f"BROKEN: something is not of the form that it has to be ({type(fault).__name__}: {fault})"]
    except Unknown as reason:
        return 4, [f"internally consistent, {reason}", *told]
    return 0, [f"whole and unchanged: {vouched}", *told]


def main(arguments):
    """Checks what the command line names and answers the exit code."""
    parser = argparse.ArgumentParser("verify.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", metavar="FILE.zip", type=pathlib.Path)
    parser.add_argument("--seed", metavar="TEXT", help="the seed that you gave, for rows that it has to have drawn")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--checkpoint", metavar="FILE", type=pathlib.Path, help="of the same log, got some other way")
    trust.add_argument("--key", help="the log's public key, 64 hexadecimal digits, likewise")
    given = parser.parse_args(arguments)
    try:
        data = read_folder(given.file) if given.file.is_dir() else given.file.read_bytes()
        anchor = given.checkpoint.read_bytes() if given.checkpoint is not None else None
        if given.key is not None and not re.fullmatch("[0-9A-Fa-f]{64}", given.key):
            raise ValueError(f"a key is 64 hexadecimal digits, not {given.key!r}")
        key = bytes.fromhex(given.key) if given.key is not None else None
    except (OSError, ValueError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    code, told = verify(data, anchor=anchor, key=key, seed=given.seed)
    said = "\n".join("".join(char if char.isprintable() else "\ufffd" for char in line) for line in told)
    print(said.encode(form := sys.stdout.encoding or "utf-8", "replace").decode(form))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
