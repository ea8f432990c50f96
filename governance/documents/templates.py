"""Where do templates come from, and what may they do? A folder given by the caller; nothing undefined passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from governance.errors import ConfigurationError

if TYPE_CHECKING:
    from jinja2 import Environment


class Safe(str):
    """Text that is markup already, made by one of our own filters."""

    __slots__ = ()


def environment(folder: Path, *, html: bool, spell: Callable[[object], object]) -> Environment:
    """A sandbox over the templates in `folder`; `spell` sees every printed value. Raises ConfigurationError.

    Escaping is on by force: jinja2's select_autoescape is off for the endings `.html.j2` and `.md.j2`.
    """
    from jinja2 import FileSystemLoader, StrictUndefined, Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder of templates", hint="`labeltrail init` lays down cards/")

    def finalize(value: object) -> object:
        # Printing an undefined value raises jinja2's own error, which names it.
        return str(value) if isinstance(value, Undefined) else spell(value)

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder, encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=html,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )


def render(env: Environment, name: str, **values: object) -> str:
    """The template `name` with `values`. Raises ConfigurationError, which names template and line."""
    from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

    try:
        return env.get_template(name).render(**values)
    except TemplateNotFound as error:
        known = sorted(path for path in env.list_templates() if path.endswith(".j2"))
        shown = ", ".join(known) or "none"
        raise ConfigurationError(f"no template {error.name}", hint=f"the folder of templates holds {shown}") from None
    except TemplateSyntaxError as error:
        raise ConfigurationError(f"template {error.name or name}, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise ConfigurationError(f"template {name}: {error.message}") from None
