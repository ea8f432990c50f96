"""Does every fault that somebody could build into the trail, the proof, the votes and the label models turn a test red?

Run it from the repository: `python tests/seeded_faults.py`, or with words to run only the faults whose room, name or file
has one of them. The repository is copied once; in the copy one fault at a time is put in, tests run, and it is taken out.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    *("governance", "pipelines", "schemas", "cards", "tests", "decisions", "docs", "bench"),
    *("pyproject.toml", "dvc.yaml", "params.yaml", "labeltrail.toml", "README.md"),
)
PATIENCE = 180  # seconds for the tests of one fault
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

MERKLE, NOTES = "tests/store/test_merkle.py", "tests/store/test_checkpoint_notes.py"
TRAIL, ROWS = "tests/store/test_trail.py", "tests/store/test_row_commitments.py"
VERIFY, REPRO = "tests/proof/test_verify.py", "tests/project/test_repro.py"
ATTACKS = "tests/proof/test_attacks.py"
KEY_VERBS = "tests/project/test_key_verbs.py"
AMONG_OTHERS = "tests/project/test_subject_among_others.py"
CHANGES, PROVED = "tests/store/test_keys_of_a_log.py", "tests/proof/test_key_changes_proved.py"
TABLE, PATTERNS, ALIGNMENT = (f"tests/votes/test_vote_{name}.py" for name in ("table", "patterns", "alignment"))
COUNTING = "tests/votes/test_counting.py"
MAJORITY, SKENE = "tests/labelmodels/test_majority_vote.py", "tests/labelmodels/test_dawid_skene.py"
EXPLAIN, MODEL_FILE = "tests/labelmodels/test_explain_label.py", "tests/labelmodels/test_label_model_file.py"
END_MODEL = "tests/labelmodels/test_end_model.py"
OBSERVED, UNDECLARED = "tests/runs/test_observed.py", "tests/project/test_undeclared.py"
TRAVELLING, ELSEWHERE = "tests/stories/test_travelling.py", "tests/project/test_reproduce_elsewhere.py"
STORED_GRAPH = "tests/lineage/test_stored_graph.py"
UNDECLARED_CHECK = "tests/checks/test_undeclared_finding.py"
DRILL = "tests/proof/test_drill.py"
CRASHES, JOURNAL = "tests/store/test_crashes.py", "tests/store/test_journal.py"
SERVER = "tests/store/test_server.py"


@dataclass(frozen=True)
class Fault:
    """`old` in `file` becomes `new`; `tests` must notice, of them those whose names fit `only`."""

    room: str
    name: str
    file: str
    old: str
    new: str
    tests: str
    only: str = ""


CHALLENGES = "tests/proof/test_challenge.py"
BLOCKS = "tests/store/test_block_commitments.py"
BLOCK_FAULTS = (
    Fault(
        "blocks",
        "which cells of a block are null is not committed to",
        "governance/store/blocks.py",
        "        here = some and nulls[start:stop].any()",
        "        here = some and nulls[start:stop].all()",
        BLOCKS,
        "any_change",
    ),
    Fault(
        "blocks",
        "all blocks of a table have one salt",
        "governance/store/blocks.py",
        "keyed(secret, *about, _eight(number)[::-1])",
        "keyed(secret, *about, _eight(0)[::-1])",
        BLOCKS,
        "unequal_leaves",
    ),
    Fault(
        "blocks",
        "a project says blocks without a statement",
        "governance/config.py",
        """if not values["no_personal_data"].strip():""",
        """if not values["no_personal_data"]:""",
        "tests/stories/test_committed_in_blocks.py",
        "without_a_statement",
    ),
    Fault(
        "blocks",
        "blocks that were committed to stand for rows too",
        "governance/project/take_in.py",
        'if statement is not None or one.scheme == "rows/v1"}',
        "if statement is not None or one.scheme}",
        "tests/stories/test_committed_in_blocks.py",
        "once_rows",
    ),
)
CHALLENGE_FAULTS = (
    Fault(
        "challenge",
        "rows are believed whatever the seed draws",
        "governance/proof/challenge.py",
        "    if given != expected:",
        "    if len(given) != len(expected):",
        CHALLENGES,
        "even_the_owner",
    ),
    Fault(
        "challenge",
        "rows of other examples are believed beside a label",
        "governance/proof/challenge.py",
        'if table != "labels" and not alike:',
        'if table == "labels" and not alike:',
        CHALLENGES,
        "was_changed",
    ),
    Fault(
        "challenge",
        "verify.py believes rows that do not lead to the committed root",
        "governance/proof/published/verify.py",
        'same = root.hex() == commitment["root"] and len(shown) == len(lines)',
        "same = len(shown) == len(lines)",
        CHALLENGES,
        "was_changed",
    ),
    Fault(
        "challenge",
        "the salt of another row is handed out too",
        "governance/proof/answers.py",
        '"salt": one.salt.hex()}',
        '"salt": one.salt.hex() * 2}',
        CHALLENGES,
        "whole_for_whoever",
    ),
    Fault(
        "challenge",
        "the rows of any seed answer the auditor's",
        "governance/proof/published/verify.py",
        """need(seed in (None, log.entries[-1]["body"].get("seed")),""",
        """need(True,""",
        CHALLENGES,
        "another_seed_drew",
    ),
    Fault(
        "challenge",
        "a commitment to a part of the labels will do",
        "governance/proof/challenge.py",
        """if getattr(extract.record(commitment.of), "rows", None) != commitment.rows:""",
        """if getattr(extract.record(commitment.of), "rows", 0) < commitment.rows:""",
        CHALLENGES,
        "part_of_a_table",
    ),
    Fault(
        "challenge",
        "rows that were committed to after the auditor's checkpoint are vouched for",
        "governance/proof/published/verify.py",
        "for what, entry in log.late.items() if entry >= anchor.size",
        "for what, entry in log.late.items() if entry >= mine.size",
        CHALLENGES,
        "auditors_checkpoint",
    ),
    Fault(
        "adoption",
        "anybody's adoption counts",
        "governance/proof/log.py",
        "if not any(seq in entered for entered in unsigned))",
        "if unsigned)",
        "tests/proof/test_adoption_counts.py",
    ),
    Fault(
        "challenge",
        "more nodes than a tree has are passed over",
        "governance/store/shown.py",
        "    if next(rest, None) is not None:",
        "    if next(rest, None) == 0:",
        "tests/store/test_shown_leaves.py",
        "changed_leaf",
    ),
)
TRAIL_FAULTS = (
    Fault(
        "trail",
        "a leaf is hashed with the prefix of a node",
        "governance/store/merkle.py",
        r'sha256(b"\x00" + entry)',
        r'sha256(b"\x01" + entry)',
        MERKLE,
        "published_values",
    ),
    Fault(
        "trail",
        "a node is hashed with its children swapped",
        "governance/store/merkle.py",
        r'sha256(b"\x01" + left + right)',
        r'sha256(b"\x01" + right + left)',
        MERKLE,
        "rfc_defines",
    ),
    Fault(
        "trail",
        "an inclusion proof that stops before the root is believed",
        "governance/store/merkle.py",
        "return head if last == 0 else None",
        "return head",
        MERKLE,
        "stops_short",
    ),
    Fault(
        "trail",
        "a frontier of any number of peaks is read",
        "governance/store/merkle.py",
        "len(peaks) != size.bit_count() or any(",
        "any(",
        MERKLE,
    ),
    Fault(
        "trail",
        "a signature that does not verify counts as valid",
        "governance/store/checkpoint.py",
        "except (InvalidSignature, ValueError):\n        return False",
        "except (InvalidSignature, ValueError):\n        pass",
        NOTES,
    ),
    Fault(
        "trail",
        "a signature under another log's name counts",
        "governance/store/checkpoint.py",
        "            and signature.name == self.origin\n",
        "",
        NOTES,
    ),
    Fault(
        "trail",
        "a note in another spelling is read",
        "governance/store/checkpoint.py",
        "if checkpoint.to_note() != text:",
        "if False:",
        NOTES,
    ),
    Fault(
        "trail",
        "an entry forgets when it was entered",
        "governance/store/entry.py",
        'b"%d" % self.at',
        'b"%d" % 0',
        TRAIL,
        "come_back or rebuilt",
    ),
    Fault(
        "trail",
        "an entry in another form than the one it would be written in is read",
        "governance/store/entry.py",
        "if entry.to_bytes() != data:",
        "if False:",
        TRAIL,
        "entry",
    ),
    Fault(
        "erasure",
        "a run states an erasure that excuses what was tampered with",
        "governance/project/take_in.py",
        "for record in facts if record.event}",
        "for record in facts if not record.kind}",
        "tests/project/test_forged_events.py",
        "excuses",
    ),
    Fault(
        "erasure",
        "a label of others is taken for the id of an erased example",
        "governance/project/subject/tables.py",
        "names = person.telling | person.numbers",
        "names = person.names",
        AMONG_OTHERS,
        "looks_like",
    ),
    Fault(
        "erasure",
        "an id that two people have rows under is taken for one person's",
        "governance/project/subject/search.py",
        "ids=frozenset(hers - others)",
        "ids=frozenset(hers)",
        AMONG_OTHERS,
        "same_id",
    ),
    Fault(
        "erasure",
        "a text in a table that says of nobody whose it is counts as somebody else's",
        "governance/project/subject/search.py",
        " or not table.says_whose(self.config)",
        "",
        AMONG_OTHERS,
        "without_ids",
    ),
    Fault(
        "trail",
        "an edge is projected with its ends exchanged",
        "governance/store/projection.py",
        '("subject", subject), ("object", target)',
        '("subject", target), ("object", subject)',
        TRAIL,
        "project",
    ),
    Fault(
        "trail",
        "the files of a result are not projected",
        "governance/store/projection.py",
        "for output in record.outputs:",
        "for output in ():",
        TRAIL,
        "project",
    ),
    Fault(
        "trail",
        "a log is gone on with whose newest entries no checkpoint covers",
        "governance/store/trail.py",
        "if covered != size:",
        "if head is None:",
        TRAIL,
        "gone_on_with",
    ),
    Fault(
        "trail",
        "a frontier is gone on with that does not give the checkpoint's root",
        "governance/store/trail.py",
        "if frontier.root() != checkpoint.root:",
        "if False:",
        TRAIL,
        "gone_on_with",
    ),
    Fault(
        "trail",
        "any key signs, also one that the log does not name",
        "governance/store/trail.py",
        "key = keys.load_key(public) if public else None",
        "key = keys.load_key() if public else None",
        TRAIL,
        "key",
    ),
    Fault(
        "trail",
        "equal rows of one subject have equal leaves",
        "governance/store/commitments.py",
        'number.to_bytes(8, "big")',
        'b""',
        ROWS,
    ),
    Fault(
        "trail",
        "a leaf holds the salt and not the row",
        "governance/store/commitments.py",
        "self._salt(keys[subject], number) + row for number",
        "self._salt(keys[subject], number) for number",
        ROWS,
    ),
    Fault(
        "trail",
        "verification makes the keys that are missing",
        "governance/store/commitments.py",
        "        if not make:\n",
        "        if not make and not secret:\n",
        ROWS,
    ),
    Fault(
        "trail",
        "a signing key that its group can read is used",
        "governance/store/keys.py",
        "mode & 0o077",
        "mode & 0o007",
        NOTES,
    ),
    Fault(
        "trail",
        "a new signing key can be read by everybody",
        "governance/store/keys.py",
        "write_atomically(fresh, _text(key), mode=0o600)",
        "write_atomically(fresh, _text(key), mode=0o644)",
        NOTES,
    ),
    Fault(
        "trail",
        "two writers may begin at once",
        "governance/store/database.py",
        '"BEGIN IMMEDIATE"',
        '"BEGIN"',
        TRAIL,
        "second_writer",
    ),
    Fault(
        "trail",
        "another application's database is taken for a store",
        "governance/store/database.py",
        "if head and owner not in (0, APPLICATION_ID):",
        "if False:",
        TRAIL,
        "not_ours",
    ),
    Fault(
        "trail",
        "what is deleted stays readable in the store's file",
        "governance/store/database.py",
        "PRAGMA secure_delete = ON",
        "PRAGMA secure_delete = OFF",
        ROWS,
    ),
)

PROOF_FAULTS = (
    Fault(
        "proof",
        "a leaf that is not its entry's passes",
        "governance/proof/growing.py",
        "wrong = [*_unlike(leaves, rows, after), *read(after, data)]",
        "wrong = [*read(after, data)]",
        VERIFY,
        "any_changed_entry",
    ),
    Fault(
        "proof",
        "a gap between entries passes",
        "governance/proof/growing.py",
        "            if not whole:\n                says =",
        "            if False:\n                says =",
        VERIFY,
        "taken_out",
    ),
    Fault(
        "proof",
        "a checkpoint's root is not held against the entries",
        "governance/proof/log.py",
        "elif tree.frontier.root() != last.root:",
        "elif False:",
        VERIFY,
        "every_frontier",
    ),
    Fault(
        "proof",
        "entries behind the newest checkpoint pass",
        "governance/proof/log.py",
        "        if tree.size > covered:",
        "        if False:",
        VERIFY,
        "taken_away",
    ),
    Fault(
        "trail",
        "the owner's key signs over what it has not signed before",
        "governance/store/trail.py",
        "return _at_hand(chain.newest.public_key) if vouched or adopting else []",
        "return _at_hand(chain.newest.public_key)",
        ATTACKS,
        "next_run or adopted",
    ),
    Fault(
        "proof",
        "what was seen of the log before is forgotten",
        "governance/proof/log.py",
        "    if checkpoint.size > tree.size:",
        "    if checkpoint.size < 0:",
        ATTACKS,
        "rolled_back",
    ),
    Fault(
        "proof",
        "a missing run file hides its outputs",
        "governance/proof/files.py",
        "self.run = self._last_recorded()",
        "self.run = None",
        ATTACKS,
        "missing_run_file",
    ),
    Fault(
        "proof",
        "a stage taken out of the pipeline is not looked at",
        "governance/proof/verify.py",
        "sorted({*last, *locks} - set(stages))",
        "sorted({*locks} - set(stages))",
        ATTACKS,
        "taking_a_stage_out",
    ),
    Fault(
        "take in",
        "a second result of a recipe is taken in from a file alone",
        "governance/project/take_in.py",
        "    if not others:\n        return found\n",
        "    if others or not others:\n        return found\n",
        ATTACKS,
        "laundered",
    ),
    Fault(
        "proof",
        "a foreign signature passes",
        "governance/proof/log.py",
        "if last.signatures and not (self.keychain and self.keychain.vouches(last)):",
        "if last.signatures and not self.public_key:",
        VERIFY,
        "another_key",
    ),
    Fault(
        "proof",
        "a row that the log does not have passes in a table",
        "governance/proof/log.py",
        "sorted(set(expected) | set(stored), key=str)",
        "sorted(set(expected), key=str)",
        VERIFY,
        "one_changed_cell",
    ),
    Fault(
        "proof",
        "an output is not held against the digest that the run recorded",
        "governance/proof/files.py",
        "if actual != output.sha256:",
        "if False:",
        VERIFY,
        "committed_to_dvc",
    ),
    Fault(
        "proof",
        "DVC's cache is believed on its MD5",
        "governance/proof/files.py",
        "actual = file_digest(cached) if recorded else file_md5(cached)",
        "actual = recorded.sha256 if recorded and file_md5(cached) == md5 else file_md5(cached)",
        VERIFY,
        "cache",
    ),
    Fault(
        "proof",
        "rows that do not give the committed root pass",
        "governance/proof/verify.py",
        "    if again == commitment:\n        return commitment.rows, None\n    says",
        "    if again.rows == commitment.rows:\n        return commitment.rows, None\n    says",
        VERIFY,
        "exchanged_key",
    ),
    Fault(
        "bundle",
        "a file that the bundle does not list passes in verify.py",
        "governance/proof/published/verify.py",
        "        need(path in listed and path in held,",
        "        if path not in listed:\n            continue\n        need(True,",
        "tests/proof/test_bundle.py",
    ),
    Fault(
        "bundle",
        "verify.py takes the archive as it comes",
        "governance/proof/published/verify.py",
        "    need(write_zip(files) == data,",
        "    need(True,",
        "tests/proof/test_bundle.py",
    ),
    Fault(
        "bundle",
        "verify.py accepts a signature whose S is beyond the order",
        "governance/proof/published/verify.py",
        "or s >= ORDER or",
        "or s >= 2**256 or",
        "tests/proof/test_bundle.py",
    ),
    Fault(
        "bundle",
        "verify.py does not ask who signed what came after the checkpoint",
        "governance/proof/published/verify.py",
        "    signed = keys[-1] and mine.is_signed_by(keys[-1])",
        "    signed = True",
        "tests/proof/test_bundle.py",
    ),
    Fault(
        "bundle",
        "the library does not hold documents against the log",
        "governance/proof/bundle.py",
        "    if held != listed:",
        "    if len(held) != len(listed):",
        "tests/proof/test_bundle.py",
    ),
    Fault(
        "bundle",
        "a checkpoint that git carries is not looked at",
        "governance/proof/log.py",
        "        for where, checkpoint in self.anchors.items():",
        "        for where, checkpoint in ():",
        "tests/project/test_bundle_verbs.py",
        "ran_backwards",
    ),
    Fault(
        "take in",
        "a run is taken in whose output was overwritten",
        "governance/project/take_in.py",
        "elif actual != output.sha256:",
        "elif False:",
        REPRO,
        "do_not_fit",
    ),
    Fault(
        "killed",
        "what DVC did not commit is left in between",
        "governance/project/kept.py",
        "            if [path for path in changed if self._give_back(path, names[path])]:",
        "            if False:",
        "tests/project/test_rollback.py",
    ),
    Fault(
        "killed",
        "what DVC committed is rolled back too",
        "governance/project/kept.py",
        "if not changed or locked != (before or {}).get(stage.name) or settled(self.root, stage, locked):",
        "if not changed or settled(self.root, stage, locked):",
        "tests/project/test_rollback.py",
    ),
    Fault(
        "killed",
        "a torn dvc.lock stays",
        "governance/project/kept.py",
        '        if index["locked"] and before is not None and now is None:',
        "        if False:",
        "tests/project/test_rollback.py",
    ),
    Fault(
        "killed",
        "kept outputs are used though another commit was checked out",
        "governance/project/kept.py",
        'if index is not None and index["revision"] == git.revision(config.root):',
        "if index is not None:",
        "tests/project/test_rollback.py",
        "another_commit",
    ),
    Fault(
        "killed",
        "outputs are rolled back under a DVC at work",
        "governance/project/kept.py",
        "        if is_dvc_at_work(config.root):",
        "        if False:",
        "tests/project/test_rollback.py",
        "dvc_is_at_work",
    ),
    Fault(
        "killed",
        "what took a group of its own lives on",
        "governance/dvc/supervisor.py",
        'for folder in Path("/proc").glob("[0-9]*") if mark else ():',
        'for folder in Path("/proc").glob("[0-9]*") if not mark else ():',
        "tests/dvc/test_supervisor.py",
        "group_of_its_own",
    ),
    Fault(
        "killed",
        "words of a stage are taken for those of DVC",
        "governance/dvc/command.py",
        '    if any(line.startswith("Running stage ") for line in lines):',
        "    if False:",
        REPRO,
        "mouth_of_a_stage",
    ),
    Fault(
        "killed",
        "what had ended before an interrupt is forgotten",
        "governance/project/repro.py",
        "if not (isinstance(error, KeyboardInterrupt) and opened):",
        "if True:",
        REPRO,
        "interrupt_keeps",
    ),
    Fault(
        "killed",
        "a stage outlives its killed supervisor behind a shell",
        "governance/dvc/command.py",
        "    if supervisor.wait() < 0 and group:",
        "    if supervisor.wait() < 0 and not group:",
        "tests/dvc/test_supervisor.py",
        "whoever and supervisor",
    ),
    Fault(
        "killed",
        "a torn read-write lock of DVC stays",
        "governance/dvc/locks.py",
        "            path.unlink(missing_ok=True)\n            return 1\n",
        "            return 0\n",
        "tests/dvc/test_supervisor.py",
        "half_written",
    ),
    Fault(
        "killed",
        "a torn lock is removed while somebody writes it",
        "governance/dvc/locks.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB) if False else (0",
        "tests/dvc/test_supervisor.py",
        "half_written",
    ),
    Fault(
        "take in",
        "any change makes a tree dirty",
        "governance/project/tree.py",
        '    asked = [f":(literal){path}" for path in paths if Path(os.path.normpath(root / path)).is_relative_to(top)]',
        "    asked = ['.']",
        REPRO,
        "dirty_by_what",
    ),
    Fault(
        "take in",
        "a file that git does not know makes no tree dirty",
        "governance/project/tree.py",
        "    named += [path for path in others",
        "    [path for path in others",
        REPRO,
        "git_does_not_know",
    ),
    Fault(
        "take in",
        "where git gives no answer a tree is clean",
        "governance/project/tree.py",
        "        return UNTOLD\n",
        "        return None\n",
        "tests/project/test_tree.py",
        "no_answer",
    ),
    Fault(
        "take in",
        "what ran is not held against the commit",
        "governance/project/tree.py",
        "    refs = {ref.path: ref for ref in ran}",
        "    refs = {}",
        "tests/project/test_tree.py",
        "no_stage_lists",
    ),
    Fault(
        "take in",
        "code that was edited meanwhile is recorded as what ran",
        "governance/runs/code.py",
        "    if names := ",
        "    if names := '' and ",
        "tests/runs/test_code_edited.py",
        "while_its_stage_runs",
    ),
    Fault(
        "take in",
        "one recipe with two results goes unsaid",
        "governance/project/take_in.py",
        "    if not others:\n        return []\n",
        "    if others or not others:\n        return []\n",
        REPRO,
        "two_results",
    ),
    Fault(
        "take in",
        "tables are taken in without a commitment to their rows",
        "governance/project/take_in.py",
        "made.append(rows.commitment)",
        "made.extend([])",
        VERIFY,
        "untouched",
    ),
)

KEYS_FAULTS = (
    Fault(
        "keys",
        "a checkpoint that is given vouches over a revocation",
        "governance/proof/verify.py",
        "    ended = log.keychain.end_of_trust(log.keychain.at(log.anchors[str(since)].size))",
        "    ended = None",
        KEY_VERBS,
        "old_trust_ends",
    ),
    Fault(
        "keys",
        "verify.py believes a key under which anybody can sign",
        "governance/proof/published/verify.py",
        " or _multiply(8, point)[0] == 0:",
        ":",
        PROVED,
        "anybody_can_sign",
    ),
    Fault(
        "keys",
        "the library believes a key under which anybody can sign",
        "governance/store/checkpoint.py",
        "if y >= _PRIME or y in _WEAK:",
        "if y >= _PRIME:",
        PROVED,
        "anybody_can_sign",
    ),
    Fault(
        "keys",
        "a rotation signs what nobody has adopted",
        "governance/project/key.py",
        "if not first and not chain.vouches(parse_note(trail.checkpoints()[-1][1])):",
        "if False:",
        KEY_VERBS,
        "adopted_before",
    ),
    Fault(
        "keys",
        "a key that lay beside a compromised one is used",
        "governance/project/key.py",
        'fresh=reason == "compromised"',
        "fresh=False",
        KEY_VERBS,
        "never_on_the_disk",
    ),
    Fault(
        "keys",
        "the key whose place a new one takes is not kept",
        "governance/store/keys.py",
        "    if mine is not None:\n        kept =",
        "    if mine is not None and fresh is None:\n        kept =",
        CHANGES,
        "keeps_the_one",
    ),
    Fault(
        "keys",
        "a key hands over without its signature",
        "governance/store/keychain.py",
        'elif not is_signed(self.newest.key, change.statement(), bytes.fromhex(change.signature_previous or "")):',
        "elif change.signature_previous is None:",
        CHANGES,
        "not_valid",
    ),
    Fault(
        "keys",
        "a new key that nobody holds is believed",
        "governance/store/keychain.py",
        "if not is_signed(new.key, change.statement(), bytes.fromhex(change.signature_new)):",
        "if not change.signature_new:",
        CHANGES,
        "not_valid",
    ),
    Fault(
        "keys",
        "a revoked key may come back",
        "governance/store/keychain.py",
        "if change.public_key in {link.public_key for link in self.links}:",
        "if change.public_key == self.newest.public_key:",
        CHANGES,
        "comes_back",
    ),
    Fault(
        "keys",
        "trust in a lost key reaches the next one",
        "governance/store/keychain.py",
        'if after.reason != "rotated"), None)',
        'if after.reason == "compromised"), None)',
        PROVED,
        "reach",
    ),
    Fault(
        "keys",
        "a key is in force one entry too late",
        "governance/store/keychain.py",
        "if link.since < size), self.links[0])",
        "if link.since + 1 < size), self.links[0])",
        CHANGES,
        "in_force",
    ),
    Fault(
        "keys",
        "a revoked key signs its own revocation",
        "governance/store/trail.py",
        "hands_over = vouched and chain.end_of_trust(before) is None",
        "hands_over = vouched",
        CHANGES,
        "revoked",
    ),
    Fault(
        "keys",
        "verify.py believes a revoked key",
        "governance/proof/published/verify.py",
        '        if reason != "rotated":\n            ended',
        '        if reason == "forgotten":\n            ended',
        PROVED,
        "reach",
    ),
    Fault(
        "keys",
        "verify.py does not ask whether a new key is held",
        "governance/proof/published/verify.py",
        'need(held and is_signed(new, said, by_new), f"entry',
        'need(held and by_new, f"entry',
        PROVED,
        "tampered",
    ),
)

VOTES_FAULTS = (
    Fault(
        "votes",
        "one example may have two rows",
        "governance/votes/table.py",
        "if len(again):",
        "if False:",
        TABLE,
    ),
    Fault(
        "votes",
        "a vote for one class more than there are passes",
        "governance/votes/table.py",
        "matrix.max() < n_classes):",
        "matrix.max() <= n_classes):",
        TABLE,
    ),
    Fault(
        "votes",
        "ids move and their votes stay",
        "governance/votes/table.py",
        "self.classes, self.matrix[rows])",
        "self.classes, self.matrix)",
        TABLE,
    ),
    Fault(
        "votes",
        "long rows of votes overflow their key",
        "governance/votes/patterns.py",
        "while column < sources and size <= _KEY_LIMIT // base:",
        "while column < sources:",
        PATTERNS,
    ),
    Fault(
        "votes",
        "merging forgets a pattern's rows in the first partition",
        "governance/votes/patterns.py",
        "np.add.at(counts, both.inverse, np.concatenate([self.counts, other.counts]))",
        "counts[both.inverse] = np.concatenate([self.counts, other.counts])",
        PATTERNS,
    ),
    Fault(
        "votes",
        "a crash counts as an abstention",
        "governance/votes/counting.py",
        '"abstained": silent - errors - skipped',
        '"abstained": silent - skipped',
        COUNTING,
    ),
    Fault(
        "votes",
        "rows on which only one votes count as overlaps",
        "governance/votes/counting.py",
        '"overlaps": int(_ones(twice))',
        '"overlaps": int(_ones(once))',
        COUNTING,
    ),
    Fault(
        "votes",
        "a row votes as before when one of its votes does",
        "governance/votes/alignment.py",
        "(again != table.matrix[rows]).any(axis=1)",
        "(again != table.matrix[rows]).all(axis=1)",
        ALIGNMENT,
    ),
    Fault(
        "votes",
        "only the first rows are ever voted again",
        "governance/votes/alignment.py",
        "np.random.default_rng(seed).choice(rows, size=min(size, rows), replace=False)",
        "np.arange(min(size, rows))",
        ALIGNMENT,
    ),
)

MODEL_FAULTS = (
    Fault(
        "label models",
        "a tie always goes to the first class",
        "governance/labelmodels/majority.py",
        "np.where(leading, self.balance_[None, :], -1.0)",
        "np.where(leading, 1.0, -1.0)",
        MAJORITY,
    ),
    Fault(
        "label models",
        "a class that nobody names is impossible",
        "governance/labelmodels/majority.py",
        "axis=1)[:, -1] + 1.0",
        "axis=1)[:, -1]",
        MAJORITY,
    ),
    Fault(
        "label models",
        "beliefs about a row leave the class balance out",
        "governance/labelmodels/_onehot.py",
        "log_balance[1:] - log_balance[0], out=odds",
        "0.0 * log_balance[1:], out=odds",
        SKENE,
        "em_on_patterns",
    ),
    Fault(
        "label models",
        "a pattern counts once however many rows have it",
        "governance/labelmodels/_onehot.py",
        "np.divide(self._shared, first, out=first)",
        "np.divide(1.0, first, out=first)",
        SKENE,
        "em_on_patterns",
    ),
    Fault(
        "label models",
        "a source's table is normalised over classes in place of votes",
        "governance/labelmodels/_em.py",
        "shares /= (rows[:, None] if on_rows is None",
        "shares /= (rows if on_rows is None",
        SKENE,
        "em_on_patterns",
    ),
    Fault(
        "label models",
        "sources get each other's tables",
        "governance/labelmodels/dawid_skene.py",
        "self.log_likelihood_[votes.order], self",
        "self.log_likelihood_[:], self",
        SKENE,
        "em_on_patterns or beats_majority",
    ),
    Fault(
        "label models",
        "patterns keep the order that the columns came in",
        "governance/labelmodels/_canonical.py",
        "keys = keys_of(votes, order,",
        "keys = keys_of(votes, np.arange(len(order)),",
        SKENE,
        "order",
    ),
    Fault(
        "label models",
        "what silent sources add is counted",
        "governance/labelmodels/explain.py",
        "self._evidence[self._columns, np.maximum(row, np.int8(ABSTAIN))]",
        "self._evidence[self._columns, row]",
        EXPLAIN,
    ),
    Fault(
        "label models",
        "a tie is explained as the higher class",
        "governance/labelmodels/explain.py",
        "label, runner_up = lead.label, lead.runner_up",
        "runner_up, label = lead.label, lead.runner_up",
        EXPLAIN,
    ),
    Fault(
        "label models",
        "the last bits of a sum choose a label",
        "governance/labelmodels/_base.py",
        "TIE = 1e-12",
        "TIE = 0.0",
        SKENE,
        "last_bits",
    ),
    Fault(
        "label models",
        "interchangeable columns may part",
        "governance/labelmodels/_em.py",
        "votes if shared is None else shared(votes)",
        "votes",
        SKENE,
        "interchangeable",
    ),
    Fault(
        "label models",
        "a crash is evidence for a class",
        "governance/labelmodels/_base.py",
        "else np.maximum(matrix, np.int8(ABSTAIN))",
        "else matrix",
        SKENE,
        "silence",
    ),
    Fault(
        "label models",
        "a row on which nobody votes gets a label",
        "governance/labelmodels/_additive.py",
        "[spoken.many == 0] = ABSTAIN",
        "[spoken.many < 0] = ABSTAIN",
        SKENE,
        "silence",
    ),
    Fault(
        "label models",
        "a row on which nobody votes gets a label as it is learned from",
        "governance/labelmodels/_canonical.py",
        "np.append(labels, np.int8(ABSTAIN))",
        "np.append(labels, np.int8(0))",
        "tests/labelmodels/test_estimator.py",
        "",
    ),
    Fault(
        "label models",
        "a row on which nobody votes is learned from",
        "governance/labelmodels/_canonical.py",
        "silent = int(given.votes[rows[0]].max() < 0)",
        "silent = 0",
        SKENE,
        "",
    ),
    Fault(
        "label models",
        "odds whose exponential is no number are believed",
        "governance/labelmodels/_onehot.py",
        "if odds.max() > _FAR:",
        "if odds.max() > 1e9:",
        SKENE,
        "products_over_votes",
    ),
    Fault(
        "label models",
        "odds of codes whose exponential is no number are believed",
        "governance/labelmodels/_lookup.py",
        "for group in groups) <= _FAR",
        "for group in groups) <= 1e9",
        "tests/labelmodels/test_codes.py",
        "posterior",
    ),
    Fault(
        "label models",
        "a group of sources says what the first one says",
        "governance/labelmodels/_codes.py",
        "[said + np.int32(first * classes) for",
        "[said + np.int32(0 * first) for",
        "tests/labelmodels/test_codes.py",
        "add_up",
    ),
    Fault(
        "label models",
        "columns are taken by their place",
        "governance/labelmodels/_base.py",
        "return votes.matrix[:, [votes.columns.index(column) for column in self.columns_]]",
        "return votes.matrix",
        SKENE,
        "matched_by_source",
    ),
    Fault(
        "label models",
        "probabilities vanish where every score is far below zero",
        "governance/labelmodels/_base.py",
        "weights = np.exp(scores - scores.max(axis=1, keepdims=True))",
        "weights = np.exp(scores)",
        SKENE,
        "far_below",
    ),
    Fault(
        "label models",
        "a number in a saved model is read in any spelling",
        "governance/labelmodels/_written.py",
        "if decimal(value) == text:",
        "if decimal(value):",
        MODEL_FILE,
    ),
    Fault(
        "label models",
        "weights are held down twice as hard as asked",
        "governance/labelmodels/softlabels.py",
        "l2 / 2 * (weight * weight).sum()",
        "l2 * (weight * weight).sum()",
        END_MODEL,
        "fit_is_the_minimum or logistic",
    ),
    Fault(
        "label models",
        "targets that are no probabilities are learned from",
        "governance/labelmodels/softlabels.py",
        "np.abs(targets.sum(axis=1) - 1).max() <= 1e-6",
        "targets.max() <= 1",
        END_MODEL,
    ),
    Fault(
        "label models",
        "weights are read with the words of another run",
        "governance/labelmodels/endmodel.py",
        "if belongs_to != sha256(described):",
        "if False:",
        END_MODEL,
    ),
)

OBSERVED_FAULTS = (
    Fault(
        "observing",
        "a queue that ran over counts as seen",
        "governance/runs/inotify.py",
        'self._seen.unseen = "more files were opened at once than inotify\'s queue holds"',
        "pass",
        OBSERVED,
        "ran_over",
    ),
    Fault(
        "observing",
        "silence of a file system counts as nothing opened",
        "governance/runs/inotify.py",
        "if self._heartbeat not in seen.read and not seen.unseen:",
        "if False:",
        OBSERVED,
        "tells_nothing",
    ),
    Fault(
        "observing",
        "the queue is never emptied while a stage runs",
        "governance/runs/inotify.py",
        "            self._drain()\n            ending.wait(_GATHER_SECONDS)",
        "            ending.wait(_GATHER_SECONDS)",
        OBSERVED,
        "very_many",
    ),
    Fault(
        "observing",
        "new folders are not looked at in the end",
        "governance/runs/inotify.py",
        "seen.made.update(_files_below(self._root, folder))",
        "pass",
        OBSERVED,
        "appear_meanwhile",
    ),
    Fault(
        "observing",
        "what was open before the stage counts as its writing",
        "governance/runs/inotify.py",
        "        elif path in seen.read:",
        "        else:",
        OBSERVED,
        "had_open",
    ),
    Fault(
        "observing",
        "links into a cache are not watched",
        "governance/runs/inotify.py",
        "for name in look.links_elsewhere():",
        "for name in ():",
        OBSERVED,
        "link_into",
    ),
    Fault(
        "observing",
        "an environment in the project is looked into",
        "governance/runs/inotify.py",
        'elif entry.name == "pyvenv.cfg" and name:',
        'elif entry.name == "pyvenv.cfg" and not name:',
        OBSERVED,
        "hidden_folders",
    ),
    Fault(
        "observing",
        "a fork empties its parent's queue",
        "governance/runs/observed.py",
        "if os.getpid() != self._process:",
        "if False:",
        OBSERVED,
        "fork",
    ),
    Fault(
        "observing",
        "byte code hides its module",
        "governance/runs/observed.py",
        "return importlib.util.source_from_cache(path)",
        "return path",
        OBSERVED,
        "byte_code",
    ),
    Fault(
        "observing",
        "temporary files count as written",
        "governance/runs/observed.py",
        "return os.path.islink(path) or os.path.isfile(path)",
        "return True",
        OBSERVED,
        "gone_in_the_end",
    ),
    Fault(
        "observing",
        "a partial output keeps its own name",
        "governance/runs/observed.py",
        "(names.get(path, path) for path in paths)",
        "(path for path in paths)",
        OBSERVED,
        "partial_output",
    ),
    Fault(
        "observing",
        "what is not there counts as read",
        "governance/runs/observed.py",
        "if stat.S_ISREG(status.st_mode) and status.st_mtime_ns < self._began:",
        "if status.st_mtime_ns < self._began:",
        OBSERVED,
        "not_there or listed",
    ),
    Fault(
        "observing",
        "a file of which native code made the content counts as read",
        "governance/runs/observed.py",
        "if stat.S_ISREG(status.st_mode) and status.st_mtime_ns < self._began:",
        "if stat.S_ISREG(status.st_mode):",
        OBSERVED,
        "stays",
    ),
    Fault(
        "observing",
        "nothing undeclared passes whatever was seen",
        "governance/checks/undeclared_files.py",
        "if unseen and not undeclared:",
        "if False:",
        UNDECLARED_CHECK,
    ),
    Fault(
        "observing",
        "a dependency may be written",
        "governance/project/undeclared.py",
        "not made.cover(path, seen)",
        "not used.cover(path, seen)",
        UNDECLARED,
        "dependency_that_is_written",
    ),
    Fault(
        "observing",
        "a folder declares only itself",
        "governance/project/undeclared.py",
        'path, slash, _ = path.rpartition("/")',
        'path, slash, _ = "", "", ""',
        UNDECLARED,
        "however_it_is_spelled",
    ),
    Fault(
        "observing",
        "equal content is the same file",
        "governance/project/undeclared.py",
        '("audit hook" not in seen and _any_above(real, self.real))',
        "_any_above(real, self.real)",
        UNDECLARED,
        "shares_a_place",
    ),
    Fault(
        "observing",
        "seed and threads are nobody's parameters",
        "governance/project/undeclared.py",
        "for name in (*of_all, *own)",
        "for name in own",
        UNDECLARED,
        "seed_and_threads",
    ),
    Fault(
        "observing",
        "paths that DVC computes are taken as they stand",
        "governance/project/undeclared.py",
        'if any("${" in path for path in (*stage.deps, *stage.outs)):',
        "if False:",
        UNDECLARED,
        "computes",
    ),
)

TRAVEL_FAULTS = (
    Fault(
        "travelling",
        "a run file that dvc.lock does not name is taken in",
        "governance/project/take_in.py",
        "if locked_md5s.get(path) not in (None, file_md5(config.root / path)):",
        "if False:",
        TRAVELLING,
        "whole_other_history",
    ),
    Fault(
        "travelling",
        "an output is taken in without its digest",
        "governance/project/take_in.py",
        "elif actual != output.sha256:",
        "elif False:",
        TRAVELLING,
        "believes_in",
    ),
    Fault(
        "travelling",
        "what a remote replaced stays in the cache",
        "governance/dvc/remote.py",
        "        places[md5].unlink()",
        "        pass",
        ELSEWHERE,
        "neither_used_nor_kept",
    ),
    Fault(
        "travelling",
        "edges that belong to one store stand among those of the data",
        "governance/project/told.py",
        'return record is None or seen_here or name.partition(":")[0] in _OF_THE_STORE',
        "return False",
        TRAVELLING,
        "small_project_travels",
    ),
)

DRILL_FAULTS = (
    Fault(
        "drill",
        "what was wrong before counts as noticed",
        "governance/proof/drill/drill.py",
        'check.state != "fine" and _seen(check) not in known',
        'check.state != "fine"',
        DRILL,
        "was_wrong_before",
    ),
    Fault(
        "drill",
        "a stranger's key is taken for the log's",
        "governance/proof/log.py",
        'link.reason in ("began", "rotated") or',
        'link.reason in ("began", "rotated", "lost", "first") or',
        "tests/proof/test_key_takeover.py",
        "speaks_for",
    ),
    Fault(
        "drill",
        "the copy keeps the id of the real log",
        "governance/proof/drill/scene.py",
        "log=token_hex(16)",
        "log=trail.log",
        DRILL,
        "another_log",
    ),
    Fault(
        "drill",
        "what passes unnoticed ends with 0",
        "governance/project/drill.py",
        "ExitCode.FINDINGS if missed",
        "ExitCode.FINE if missed",
        DRILL,
        "sees_nothing",
    ),
)

CRASH_FAULTS = (
    Fault(
        "crash",
        "the folder is not synced after a commit",
        "governance/store/database.py",
        "synchronous = EXTRA",
        "synchronous = FULL",
        CRASHES,
        "out_of_the_way",
    ),
    Fault(
        "crash",
        "what is rolled back is kept in memory alone",
        "governance/store/database.py",
        '"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = PERSIST"',
        '"PRAGMA journal_mode = MEMORY", "PRAGMA journal_mode = MEMORY"',
        CRASHES,
        "recorder_may_be_killed",
    ),
    Fault(
        "crash",
        "a journal that is kept lies about for ever",
        "governance/store/database.py",
        '    event.listen(engine, "close", _on_close)\n',
        "",
        JOURNAL,
    ),
    Fault(
        "crash",
        "a process that was forked goes on by the connections of its parent",
        "governance/store/database.py",
        "os.register_at_fork(after_in_child=_after_fork)",
        "os.register_at_fork(after_in_child=lambda: None)",
        JOURNAL,
    ),
    Fault(
        "crash",
        "an erasure leaves what it erased in the journal",
        "governance/store/database.py",
        "if forgets and lent.info",
        "if forgets is None and lent.info",
        JOURNAL,
    ),
    Fault(
        "crash",
        "a disk that fails is told as a broken chain",
        "governance/store/database.py",
        'return name.startswith("SQLITE_IOERR") and',
        'return name.startswith("SQLITE_NEVER") and',
        CRASHES,
        "recorder_may_be_killed",
    ),
    Fault(
        "crash",
        "an error of the operating system crosses the front door",
        "governance/store/database.py",
        "    except OSError as error:",
        "    except NotADirectoryError as error:",
        CRASHES,
        "pointer_that_cannot",
    ),
    Fault(
        "crash",
        "a checkpoint is remembered before it is kept",
        "governance/store/trail.py",
        "            positions = {entry",
        "            remember(self.log, frontier.size, note)\n            positions = {entry",
        CRASHES,
        "recorder_may_be_killed",
    ),
    Fault(
        "crash",
        "a folder that was just made may be lost with all that is in it",
        "governance/digest.py",
        "    for made in (folder, *missing):",
        "    for made in missing[:0]:",
        CRASHES,
        "power_cut",
    ),
    Fault(
        "crash",
        "whoever stands in the door is a fault of the disk",
        "governance/store/trail.py",
        "    except Timeout:",
        "    except ZeroDivisionError:",
        CRASHES,
        "whoever_waits",
    ),
)

SERVER_FAULTS = (
    Fault(
        "server",
        "writers of one log do not wait for each other",
        "governance/store/server.py",
        'text("SELECT pg_advisory_xact_lock(:number)")',
        'text("SELECT CAST(:number AS bigint)")',
        SERVER,
        "writer_of_its_own or eight_writers",
    ),
    Fault(
        "server",
        "writers of all logs wait for each other",
        "governance/store/server.py",
        '{"number": lock_number(log)}',
        '{"number": 1}',
        SERVER,
        "writer_of_its_own",
    ),
    Fault(
        "server",
        "a lost answer to a commit is told as nothing recorded",
        "governance/store/server.py",
        'recorded="unknown" if committing else "no"',
        'recorded="no"',
        SERVER,
        "while_it_commits",
    ),
    Fault(
        "server",
        "a table that is not ours is written into",
        "governance/store/server.py",
        "    if there:\n        raise",
        "    if not there:\n        raise",
        SERVER,
        "not_ours",
    ),
    Fault(
        "server",
        "a password in the query of the URL is shown",
        "governance/store/server.py",
        "plain = url.difference_update_query(_SECRETS)",
        "plain = url",
        SERVER,
        "shown_by_nothing",
    ),
    Fault(
        "server",
        "on a server somebody else's log is gone on with",
        "governance/store/pointer.py",
        "if database.path is not None and len(logs) == 1:",
        "if len(logs) == 1:",
        SERVER,
        "log_of_its_own or lost_pointer",
    ),
)

LENGTH_FAULTS = (
    Fault(
        "length",
        "a subtree is taken in where none begins",
        "governance/store/merkle.py",
        "width = min(width, self.size & -self.size) if self.size else width",
        "width = min(width, 4 * (self.size & -self.size)) if self.size else width",
        MERKLE,
        "many_at_a_time",
    ),
    Fault(
        "length",
        "a gap between positions is passed over",
        "governance/proof/growing.py",
        "whole = [row[0] for row in part] == list(range(after, after + len(part)))",
        "whole = len(part) > 0",
        VERIFY,
        "entry_taken_out",
    ),
    Fault(
        "length",
        "a cut lineage passes for the whole one",
        "governance/lineage/stored.py",
        "return Reached(steps, cut=True)",
        "return Reached(steps)",
        STORED_GRAPH,
        "in_memory and sqlite",
    ),
    Fault(
        "length",
        "what is found twice in a step is counted twice",
        "governance/lineage/compact.py",
        "level = found[place[found] == np.arange(found.size, dtype=np.int32)]",
        "level = found",
        STORED_GRAPH,
        "compact_graph and sqlite",
    ),
    Fault(
        "length",
        "whoever signed once signs over whatever came since",
        "governance/store/trail.py",
        "self._own.checkpoint is last else None",
        "self._own.checkpoint != 0 else None",
        TRAIL,
        "signed_in_passing and sqlite",
    ),
)

TILES, FOLDER = "tests/store/test_tiles.py", "tests/proof/test_folder.py"
PUBLISH, RELEASED = "tests/proof/test_publish.py", "tests/proof/test_released.py"
TILE_FAULTS = (
    Fault(
        "tiles",
        "an entry of 65,536 bytes is put behind two bytes of length",
        "governance/store/tiles.py",
        "_LONGEST = 0xFFFF",
        "_LONGEST = 0x10000",
        TILES,
        "too_long",
    ),
    Fault(
        "tiles",
        "a folder is published to whatever lies there",
        "governance/proof/publish.py",
        "        if here:",
        "        if False:",
        PUBLISH,
        "refused",
    ),
    Fault(
        "tiles",
        "a partial tile is taken away before the full one is there",
        "governance/store/tiles.py",
        "(self.number + 1) * WIDTH <= size // WIDTH**level",
        "self.number * WIDTH <= size // WIDTH**level",
        PUBLISH,
        "step_by_step",
    ),
    Fault(
        "tiles",
        "a tile that is missing is not missed",
        "governance/proof/folder.py",
        "if path not in {lies for _, lies in states}:",
        "if False:",
        FOLDER,
        "folder_that_was_changed",
    ),
    Fault(
        "tiles",
        "verify.py looks at where a tile lies and not at what is in it",
        "governance/proof/published/verify.py",
        "need(tile(level, number, held) == (path, files[path]),",
        "need(tile(level, number, held)[0] == path,",
        FOLDER,
        "folder_that_was_changed",
    ),
    Fault(
        "tiles",
        "verify.py follows links",
        "governance/proof/published/verify.py",
        "place.read_bytes() if place.is_file() and not place.is_symlink() else None",
        "place.read_bytes() if place.is_file() else None",
        FOLDER,
        "walked_strictly",
    ),
    Fault(
        "tiles",
        "verify.py takes an entry of any version",
        "governance/proof/published/verify.py",
        'known = entry["v"] in VERSIONS.get(entry["kind"], (1,))',
        "known = True",
        RELEASED,
        "its_own_fault",
    ),
)

SUBJECT, ERASURE = "tests/project/test_subject.py", "tests/stories/test_erasure.py"
ERASURE_FAULTS = (
    Fault(
        "erasure",
        "the key of an erased person stays",
        "governance/store/forgetting.py",
        "connection.execute(delete(keys).where(keys.c.log == trail.log, keys.c.pseudonym.in_(some)))",
        "pass",
        ERASURE,
        "key_is_gone",
    ),
    Fault(
        "erasure",
        "the leaf of an erased row is not kept",
        "governance/store/forgetting.py",
        "            if number not in known\n",
        "            if number in known\n",
        SUBJECT,
        "all_rows",
    ),
    Fault(
        "erasure",
        "contents of before stay in DVC's cache",
        "governance/project/subject/staging.py",
        "self.staged.intent.removals.append((str(hit.place.path), hit.sha256))",
        "pass",
        ERASURE,
        "contents_of_before",
    ),
    Fault(
        "erasure",
        "files change before the log names it",
        "governance/project/subject/erase.py",
        '        step("enter")\n',
        '        complete(config, staged.intent)\n        step("enter")\n',
        SUBJECT,
        "cut_off",
    ),
    Fault(
        "erasure",
        "a cell that names an erased row keeps its id",
        "governance/project/subject/staging.py",
        "emptied=hit.naming)",
        "emptied={})",
        SUBJECT,
        "all_rows",
    ),
    Fault(
        "erasure",
        "whoever was erased and comes back is recorded",
        "governance/project/take_in.py",
        "if standing and actual == output.sha256:",
        "if False:",
        ERASURE,
        "comes_back",
    ),
)

FAULTS = (
    *LENGTH_FAULTS,
    *TILE_FAULTS,
    *TRAIL_FAULTS,
    *PROOF_FAULTS,
    *VOTES_FAULTS,
    *MODEL_FAULTS,
    *OBSERVED_FAULTS,
    *TRAVEL_FAULTS,
    *DRILL_FAULTS,
    *KEYS_FAULTS,
    *CRASH_FAULTS,
    *SERVER_FAULTS,
    *BLOCK_FAULTS,
    *CHALLENGE_FAULTS,
    *ERASURE_FAULTS,
)


def main(words: list[str]) -> int:
    """1. the copy  2. every fault fits it  3. unmodified, all tests are green  4. each fault by itself  5. the counts"""
    chosen = [f for f in FAULTS if not words or any(word in f"{f.room} {f.name} {f.file}" for word in words)]
    if not chosen:
        raise SystemExit(f"no fault has one of the words {words}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="labeltrail-faults-") as folder:
        # 1.
        copy = Path(folder).resolve() / "copy"
        lay_down(copy)
        # 2.
        for fault in chosen:
            with_fault(fault, (copy / fault.file).read_text(encoding="utf-8"))
        # 3.
        files = sorted({fault.tests for fault in chosen})
        code, output = run(copy, [*PYTEST, "-n", "2", *files], patience=10 * PATIENCE)
        if code != 0:
            raise SystemExit(f"{output}\nnot green without a fault")
        tell(f"green without a fault: {len(files)} files of tests, {time.monotonic() - started:.0f} s\n")
        # 4.
        survived = [fault for fault in chosen if not caught(copy, fault)]
    # 5.
    tell(f"\n{'room':<14}{'faults':>8}{'caught':>8}{'SURVIVED':>10}")
    for room in dict.fromkeys(fault.room for fault in chosen):
        tell_counts(room, [f for f in chosen if f.room == room], survived)
    tell_counts("together", chosen, survived)
    tell(f"{time.monotonic() - started:.0f} s")
    return 1 if survived else 0


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell_counts(what: str, faults: list[Fault], survived: list[Fault]) -> None:
    alive = sum(fault in survived for fault in faults)
    tell(f"{what:<14}{len(faults):>8}{len(faults) - alive:>8}{alive:>10}")


def lay_down(copy: Path) -> None:
    """The copy of the repository, from which Python really imports."""
    copy.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source, copy / name)
    code, output = run(copy, [sys.executable, "-c", "import governance; print(governance.__file__)"])
    imported = output.strip()
    if code != 0 or imported != str(copy / "governance" / "__init__.py"):
        raise SystemExit(f"faults would not be seen: Python imports {imported}, wanted the copy in {copy}")


def with_fault(fault: Fault, text: str) -> str:
    """The file's text with the fault in it. Exits where the fault does not fit the file exactly once."""
    found = text.count(fault.old)
    if found != 1:
        raise SystemExit(f"{fault.name}: {fault.file} holds {fault.old!r} {found} times, wanted once")
    changed = text.replace(fault.old, fault.new)
    if changed == text:
        raise SystemExit(f"{fault.name}: the new text is the old one")
    ast.parse(changed, fault.file)
    return changed


def caught(copy: Path, fault: Fault) -> bool:
    """Whether a test turns red while the fault is in the copy; answers in a line of its own."""
    path = copy / fault.file
    whole = path.read_text(encoding="utf-8")
    began = time.monotonic()
    path.write_text(with_fault(fault, whole), encoding="utf-8")
    try:
        code, output = run(copy, [*PYTEST, "-x", "-n", "0", fault.tests, *(["-k", fault.only] if fault.only else [])])
    finally:
        path.write_text(whole, encoding="utf-8")
    # 1 is a red test; anything else but green means that no test was asked at all.
    if code not in (0, 1):
        raise SystemExit(f"{output}\n{fault.name}: pytest ended with {code}")
    red = re.search(r"^(?:FAILED|ERROR) \S+?::([^\s\[]+)", output, flags=re.MULTILINE)
    verdict = "SURVIVED" if code == 0 else "caught"
    by = f"\n{'':26}by {red[1]}" if red else ""
    tell(f"{verdict:<9}{time.monotonic() - began:>5.1f} s  {fault.room}: {fault.name}{by}")
    return code == 1


def run(copy: Path, command: list[str], *, patience: float = PATIENCE) -> tuple[int, str]:
    """(exit code, what it said) of a command in the copy, with the copy first on the path."""
    # Compiled files are told apart by second and size, and a fault may change neither.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    with subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise SystemExit(f"{' '.join(command)}: no answer within {patience:.0f} s") from None
    return process.returncode, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
