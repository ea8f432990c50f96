"""How do contents come from DVC's remote, and what is said where they do not?"""

from __future__ import annotations

import configparser
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from governance.digest import file_md5
from governance.dvc.command import pinned_environment, run_dvc
from governance.dvc.files import cache_folder, cached_file, read_config
from governance.errors import ConfigurationError, GovernanceError, RemoteSilent, RemoteUnusable, UnknownName

_REMOTE = re.compile(r"""'?remote "(.+)"'?""")
#: what DVC says after the reason, and what is no reason by itself
_SUMMARY = re.compile(r"ERROR: failed to (pull|fetch) data from the cloud - (\d+ files? failed|Checkout failed)")
_UNKNOWN = re.compile(r"remote '([^']+)' doesn't exist")
_UNSET = re.compile(r"[Nn]o remote provided|no default remote set")
_EXTRA = re.compile(r"requires '?(dvc-[a-z0-9]+)")
_UNSAVED = re.compile(r"unsaved files without confirmation")
_FULL = re.compile(r"No space left on device|Errno 28|Disk quota exceeded")
_REFUSED = re.compile(
    r"[Cc]redentials|AccessKeyId|SignatureDoesNotMatch|AccessDenied|Forbidden|ExpiredToken|Permission denied"
)
_NO_PLACE = re.compile(r"NoSuchBucket|bucket does not exist|No such container")
_UNREACHED = re.compile(r"failed to connect|[Cc]ould not connect|[Cc]onnection|timed out|Name or service not known")


def pull(root: Path, *, remote: str | None = None, say: Callable[[str], None] = lambda _: None) -> None:
    """Brings what dvc.lock names from the remote into DVC's cache and the project.

    What the remote does not hold stays away, without an error: whoever asked looks at what is there. Raises
    RemoteUnusable, RemoteSilent, UnknownName, ConfigurationError, Busy; then nothing or a part of it was brought.
    """
    shown = remote or default_remote(root)
    say(f"DVC pulls from remote {shown}" if shown else "DVC pulls from its remote")
    named = ["--remote", remote] if remote else []
    status, lines = run_dvc(["pull", *named], root=root, environment=pinned_environment(threads=1))
    if status:
        fault = _fault(lines, root=root, remote=shown)
        if fault:
            raise fault
    counted = next((line for line in reversed(lines) if re.match(r"\d+ files? (fetched|added|modified)", line)), None)
    if counted:
        say(counted)


def fetch(root: Path, md5s: Iterable[str], *, cache: Path | None = None) -> list[str]:
    """Brings contents by MD5 from the default remote into DVC's cache, or into `cache`, whichever commit names them.

    Nothing in the project changes. Answers those that came as other bytes than their name says; they were not kept.
    What the remote does not hold stays away without an error. Raises what `pull` raises.
    """
    places = {md5: cached_file(root, md5, cache=cache) for md5 in md5s}
    wanted = [md5 for md5, place in places.items() if not place.is_file()]
    if not wanted:
        return []
    shown = default_remote(root)
    with tempfile.TemporaryDirectory(prefix="labeltrail-") as folder:
        scratch = Path(folder)
        (scratch / ".dvc").mkdir()
        with open(scratch / ".dvc" / "config", "w", encoding="utf-8") as stream:
            config = _config_elsewhere(root)
            if cache is not None:
                config.set("cache", "dir", str(cache))
            config.write(stream)
        outs = [{"md5": md5, "hash": "md5", "path": md5} for md5 in wanted]
        (scratch / "wanted.dvc").write_text(yaml.safe_dump({"outs": outs}), encoding="utf-8")
        # Else DVC leaves a folder for each scratch folder where it keeps what concerns the machine.
        environment = {**pinned_environment(threads=1), "DVC_SITE_CACHE_DIR": str(scratch / "site")}
        status, lines = run_dvc(["fetch"], root=scratch, environment=environment)
    # Where there is no remote at all, `dvc fetch` says so and is content.
    if status or _UNSET.search("\n".join(lines)):
        fault = _fault(lines, root=root, remote=shown)
        if fault:
            raise fault
    # DVC takes the remote at its word, and would hand such bytes out under this name from now on.
    wrong = [md5 for md5 in wanted if places[md5].is_file() and file_md5(places[md5]) != md5]
    for md5 in wrong:
        places[md5].unlink()
    return wrong


def remotes(root: Path) -> dict[str, str]:
    """The remotes of DVC's configuration in this project, with their addresses."""
    config = read_config(root)
    return {match[1]: config.get(name, "url", fallback="") for name in config if (match := _REMOTE.fullmatch(name))}


def default_remote(root: Path) -> str:
    """The remote that DVC takes where none is named; empty where this project sets none."""
    return read_config(root).get("core", "remote", fallback="")


def _config_elsewhere(root: Path) -> configparser.ConfigParser:
    """DVC's configuration of the project, to be read from another folder: what is relative to it is made absolute."""
    config = read_config(root)
    for name in ("core", "cache"):
        if not config.has_section(name):
            config.add_section(name)
    config.set("core", "no_scm", "true")
    config.set("cache", "dir", str(cache_folder(root)))
    for section in config:
        for option, value in config.items(section) if _REMOTE.fullmatch(section) else ():
            # `url`, `keyfile`, `credentialpath` and their like stand relative to the file that holds them.
            if option.endswith(("url", "path", "file")) and (root / ".dvc" / value).exists():
                config.set(section, option, str((root / ".dvc" / value).resolve()))
    return config


def _fault(lines: list[str], *, root: Path, remote: str) -> GovernanceError | None:
    """What DVC's words mean; None where all that is wrong is that the remote does not hold everything."""
    text = "\n".join(lines)
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:") and not _SUMMARY.match(line)]
    said = errors[0].removeprefix("unexpected error - ") if errors else ""
    shown = remote or "(none by default)"
    if match := _UNKNOWN.search(text):
        return UnknownName("DVC remote", match[1], remotes(root), hint="`dvc remote list` shows which there are")
    if _UNSET.search(text):
        return RemoteUnusable(
            shown, "none is set up", hint="`dvc remote add -d NAME URL` sets one up, --remote names one"
        )
    if match := _EXTRA.search(text):
        extra = match[1].removeprefix("dvc-")
        package = '"labeltrail[s3]"' if extra == "s3" else match[1]
        return RemoteUnusable(shown, f"{match[1]} is not installed here", hint=f"pip install {package}")
    if _UNSAVED.search(text):
        names = ", ".join(Path(line).name for line in lines if line.startswith(str(root))) or "files of the project"
        hint = "move them away, or give them up with `dvc checkout --force`"
        return ConfigurationError(f"{names} would be overwritten, and no cache holds what is in them", hint=hint)
    if _FULL.search(text):
        return ConfigurationError("the disk is full: not everything was brought", hint="free some space")
    if _REFUSED.search(said):
        hint = "give them as the remote wants them (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile)"
        return RemoteUnusable(shown, f"credentials are missing or refused ({said})", hint=hint)
    if _NO_PLACE.search(said):
        return RemoteUnusable(shown, f"its bucket is not there ({said})", hint="`dvc remote list` shows its address")
    if _UNREACHED.search(said):
        return RemoteSilent(shown, said, hint="check the network, and its address with `dvc remote list`")
    folder = remotes(root).get(remote, "")
    if folder and "://" not in folder and not (root / ".dvc" / folder).is_dir():
        return RemoteSilent(shown, "its folder is not there", hint="connect it, or `dvc remote modify` its address")
    if said:
        return RemoteUnusable(shown, said, hint="`dvc pull -v` says more")
    return None
