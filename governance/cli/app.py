"""Which verbs are there? Each asks the project's method of the same name; the logic is there."""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from governance.cli import challenge, counterfactual, drill, ingest, key, replay, run, source, subject
from governance.cli.options import Force, Json, Markdown, answer, project_of
from governance.cli.tell import say, tell_error
from governance.errors import ExitCode, GovernanceError

app = typer.Typer(
    name="labeltrail",
    help="The audit trail for weak labels: what voted, what came of it, and how an outsider can tell.",
    epilog="Exit codes: 0 fine · 1 findings, a failed stage, something not up to date · 2 usage or configuration · "
    "3 integrity broken · 4 evidence missing or unknown · 5 busy or locked",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_HERE = Path()


def _version(wanted: bool) -> None:
    if wanted:
        from governance import __version__

        print(f"labeltrail {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="Work on the project in DIR.", file_okay=False)
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version.")
    ] = False,
) -> None:
    del version
    context.obj = folder


@app.command(rich_help_panel="a project")
def init(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="What to call the project; by default its folder's name.")] = None,
    reference: Annotated[
        bool | None,
        typer.Option("--reference/--bare", help="Lay down the reference project, or labeltrail.toml alone."),
    ] = None,
    key: Annotated[bool, typer.Option("--key/--no-key", help="Make a signing key where there is none.")] = True,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Make a folder a governed project; an empty one gets the reference project.

    Example: mkdir sentiment && labeltrail -C sentiment init
    """
    from governance.project import Project

    answer(Project.init(context.obj, name=name, reference=reference, key=key), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="a project")
def repro(
    context: typer.Context,
    stages: Annotated[
        list[str] | None,
        typer.Argument(help="Stages to bring up to date, with the stages before them; by default all."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            "-f",
            help="Run stages again that have not changed; beside STAGES also those before them, as DVC does.",
        ),
    ] = False,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="How long to wait for another repro.")] = 0.0,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request there, also on failure.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML there: a case a stage, a case a finding.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Run what has to run and record how every stage ended. Exit 1 where a stage failed, or the code of its own error
    where it is one of ours; findings alone change no exit code: `labeltrail status` lists them.

    Example: labeltrail repro --wait 60
    """
    report = project_of(context).repro(
        targets=stages or (), force=force, wait_seconds=wait, summary=summary, junit=junit, say=say
    )
    answer(report, as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="a project")
def sync(
    context: typer.Context,
    pull: Annotated[bool, typer.Option("--pull", help="Let DVC bring what its remote holds first.")] = False,
    remote: Annotated[
        str | None, typer.Option(metavar="NAME", help="Pull from this remote, not from the default one.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Take the runs that lie in the project into the trail, without running anything. What contradicts its run is
    refused, exit 3; what is not here is named, exit 4.

    Example: labeltrail sync
    """
    answer(project_of(context).sync(pull=pull, remote=remote, say=say), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="a project")
def status(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """How every stage stands, what was found, and the next command. Exit 1 where something is not up to date.

    Example: labeltrail status --json
    """
    answer(project_of(context).status(), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="a project")
def doctor(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Project the tables anew from the log.")] = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Look at the machine, the tools, the key and the project.

    Example: labeltrail doctor
    """
    from governance.project import Project

    answer(Project.doctor(context.obj, rebuild=rebuild), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="reading the trail")
def log(
    context: typer.Context,
    last: Annotated[int, typer.Option("-n", "--last", min=1, help="How many entries.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Every entry.")] = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """The newest entries of the log, and its newest checkpoint.

    Example: labeltrail log -n 5
    """
    answer(project_of(context).log(last=None if everything else last), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="reading the trail")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A record's name, a shortened name, a title, or a kind.")],
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """One record, every field that has a value, and what it hangs on.

    Example: labeltrail show vader
    """
    answer(project_of(context).show(name), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="reading the trail")
def trace(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A record's name, a title, or a kind such as `model`.")],
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what came of it.")] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The N nearest each way; by default all.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Everything that led to a record, and everything that came of it or of a run that used it, whatever part it had.

    In which rows a source had a part, `blast` says.

    Example: labeltrail trace vader --down
    """
    directions = tuple(way for way, chosen in (("up", up), ("down", down)) if chosen) or ("up", "down")
    answer(project_of(context).trace(name, directions=directions, limit=limit), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="reading the trail")
def diff(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [RUN] or LABELS [LABELS]",
            help="A stage, a result's name, or beside either a commit; or a label set: `labels`, `labels~1`, a name, a "
            "title, a file. One alone is held against the one before it.",
        ),
    ],
    rows: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Of label sets: show N rows of each cause.")
    ] = None,
    cause: Annotated[
        str | None, typer.Option(metavar="CAUSE", help='Of label sets: show rows of one cause, such as "refit".')
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Of label sets: write every changed row there.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Of label sets: write every changed row there.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What differs between two runs of a stage: where it began, rows, parameters, code, environment, and what that did.
    Of two label sets: every changed row with one cause, and how many rows each cause changed.

    Exit 4 where a part of the answer is unknown. Example: labeltrail diff labels~1 labels
    """
    report = project_of(context).diff(*runs, rows=rows, cause=cause, csv=csv, parquet=parquet)
    answer(report, as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="reading the trail")
def why(
    context: typer.Context,
    example: Annotated[str, typer.Argument(help="An example's id.")],
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Why an example has its label: votes, what each added, prediction, runs, commitment.

    Example: labeltrail why tweets/1
    """
    answer(project_of(context).why(example), as_json=as_json, as_md=as_md)


app.command(rich_help_panel="reading the trail")(counterfactual.whatif)
app.command(rich_help_panel="reading the trail")(counterfactual.blast)


@app.command(rich_help_panel="telling")
def card(
    context: typer.Context,
    which: Annotated[str, typer.Argument(help="dataset or model")] = "model",
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """The dataset card or the model card, from what the trail holds.

    Example: labeltrail card dataset > DATASET_CARD.md
    """
    answer(project_of(context).card(which), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="telling")
def audit(
    context: typer.Context,
    framework: Annotated[str, typer.Option(help="Whose questions.")] = "nist_ai_rmf",
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Judge expiry on this day; by default today.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What a framework asks, answered by the records: the gaps first.

    Example: labeltrail audit --as-of 2026-12-31
    """
    report = project_of(context).audit(framework=framework, as_of=as_of or _today())
    answer(report, as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="deciding")
def attest(
    context: typer.Context,
    control: Annotated[str, typer.Argument(help='The control, such as "GOVERN 1.2".')],
    statement: Annotated[str, typer.Option(help="What you state.")],
    by: Annotated[str, typer.Option(help="Who states it.")],
    role: Annotated[str, typer.Option(help="In which role.")],
    expires: Annotated[str, typer.Option(metavar="DATE", help="Until when it holds, YYYY-MM-DD.")],
    framework: Annotated[str, typer.Option(help="Whose control.")] = "nist_ai_rmf",
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier statement.")] = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """State what only a person can state; the next audit reads it.

    Example: labeltrail attest "GOVERN 1.2" --statement "Policy 7 applies" --by "A. Ode" --role CISO --expires 2027-06-30
    """
    report = project_of(context).attest(
        control,
        statement=statement,
        by=by,
        role=role,
        made=_today(),
        expires=expires,
        framework=framework,
        replace=replace,
    )
    answer(report, as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="proving")
def verify(
    context: typer.Context,
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE.zip]",
            help="A bundle, a challenge, or a folder of tiles; by default the project around here.",
        ),
    ] = None,
    since: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="A checkpoint that the log has to have grown from.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The public key that has to have signed it, in hex.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The seed that has to have drawn a challenge's rows.")
    ] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Only the log: entries, tree and checkpoints; no tables, files or rows.")
    ] = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Hash everything again: log, tables, outputs, DVC's lock and cache, rows. Exit 3 names what was changed.

    Of a bundle or a folder of tiles: its form, log, checkpoint and documents; exit 4 where nobody you trust vouches for it.

    Example: labeltrail verify
    """
    from governance.errors import ConfigurationError
    from governance.project import Project

    if bundle is not None and log:
        raise ConfigurationError(
            "--log is for a project: a bundle holds a log and is checked whole", hint="leave it out"
        )
    if bundle is not None:
        answer(Project.verify_bundle(bundle, since=since, key=key, seed=seed), as_json=as_json, as_md=as_md)
    if seed is not None:
        raise ConfigurationError(
            "--seed is for a challenge: no seed draws from a whole project", hint="give its file too"
        )
    if key is not None:
        raise ConfigurationError(
            "--key is for bundles and folders of tiles: a project's log names its key itself",
            hint="name FILE.zip or the folder as well, or leave --key out",
        )
    answer(project_of(context).verify(since=since, log=log), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="proving")
def checkpoint(
    context: typer.Context,
    tiles: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Publish the log there as C2SP tiles, for any static file server."),
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Write the log's newest checkpoint to checkpoints/, for git and other people to keep.

    Exit 3 where FOLDER holds another log, or a later state of this one; then nothing is written there.

    Example: labeltrail checkpoint
    """
    answer(project_of(context).checkpoint(tiles=tiles), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="proving")
def bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="Where to write it.")],
    verifier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write verify.py there, which checks it without LabelTrail.")
    ] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE", help="Hand out these rows too: dataset, votes, labels or predictions."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why rows are handed out; the log keeps it.")] = "",
    force: Force = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Hand out the log, its checkpoint and the current documents as one file that anybody can check offline.

    It holds no row of any table unless --rows names one; the log says who decided that, and why.

    Example: labeltrail bundle evidence.zip --verifier verify.py
    """
    report = project_of(context).bundle(file, verifier=verifier, rows=rows or (), reason=reason, force=force)
    answer(report, as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="proving")
def adopt(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """Vouch, with the log's own key, for entries that were recorded without it; look at them first.

    Example: labeltrail adopt
    """
    answer(project_of(context).adopt(), as_json=as_json, as_md=as_md)


@app.command(rich_help_panel="proving")
def reproduce(
    context: typer.Context,
    run: Annotated[
        str | None, typer.Argument(help="A result's name or a stage; by default every current result.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Run a recorded recipe again in a scratch folder and compare. Exit 3 where something came out otherwise.

    Example: labeltrail reproduce combine
    """
    answer(project_of(context).reproduce(run, say=say), as_json=as_json, as_md=as_md)


app.command(rich_help_panel="what voted", context_settings=run.TAKES_A_COMMAND)(run.run)
app.command(rich_help_panel="proving")(challenge.challenge)
app.command(rich_help_panel="what voted")(ingest.ingest)
app.command(rich_help_panel="proving")(replay.replay)
app.add_typer(drill.app, name="drill", rich_help_panel="proving")
app.add_typer(key.app, name="key", rich_help_panel="proving")
app.add_typer(source.app, name="source", rich_help_panel="what voted")
app.add_typer(subject.app, name="subject", rich_help_panel="people in the data")


def _today() -> str:
    import datetime as dt

    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _verb() -> str:
    """What was asked for, as answers call it: the words of the command line that are commands."""
    found: list[str] = []
    here: Any = typer.main.get_command(app)
    words = iter(sys.argv[1:])
    for word in words:
        if word == "-C":
            next(words, None)
        elif word in getattr(here, "commands", {}):
            found.append(word)
            here = here.commands[word]
        elif not word.startswith("-"):
            break
    return " ".join(found)


def main() -> None:
    """Runs the command line; an error of the library is one sentence, its way out, and its exit code."""
    # A reader that has heard enough ends us quietly, as it ends any other command in a pipe.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        app()
    except GovernanceError as error:
        tell_error(error, as_json="--json" in sys.argv, verb=_verb())
        raise SystemExit(int(error.exit_code)) from None
    except OSError as error:
        from governance.errors import ConfigurationError

        named = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        tell_error(
            ConfigurationError(
                named, hint="free some space" if full else "check that it is there, and its owner and rights"
            ),
            as_json="--json" in sys.argv,
            verb=_verb(),
        )
        raise SystemExit(int(ExitCode.USAGE)) from None
    except KeyboardInterrupt:
        print("interrupted: nothing of this run was recorded; `labeltrail repro` goes on", file=sys.stderr)
        raise SystemExit(130) from None
