"""The reference pages and the manual pages, from the command tree and the tables of the program."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from openclaw_cli import errors
from openclaw_cli.options import SETTINGS
from scripts.tree import COMMON, Command, Option

_MADE = "<!-- Written by scripts/generate.py: `make docs`. -->\n"

_OTHERS = {
    0: "Done.",
    125: "`secrets run`: it failed before the program started; with `--json`, our own status.",
    126: "`secrets run`: the program cannot be executed.",
    127: "`secrets run`: there is no such program.",
    "128+n": "`secrets run`: the program was ended by signal n.",
    130: "Ended by Ctrl-C (SIGINT).",
    141: "The reader of the output went away (SIGPIPE).",
    143: "Ended by SIGTERM.",
}
_VARIABLES = {
    "OPENCLAW_STATE_DIR": "The state directory; ~/.openclaw if not set.",
    "OPENCLAW_CONFIG_PATH": "The openclaw.json or .yaml that is read; never written.",
    "OPENCLAW_ENVIRONMENT": "The environment, each with a store of its own.",
    "OPENCLAW_STORE_KEY_FILE": "Where the key file of the store is.",
    "OPENCLAW_NO_HOT": "Set: answer every command by the slow road.",
    "OPENCLAW_DEBUG": "Set: show a traceback where the program has a bug. It can quote values.",
    "NO_COLOR": "Set: no colours.",
}
_FILES = {
    "~/.openclaw/secrets/store.oc": "The encrypted store.",
    "~/.openclaw/secrets/key": "The key file, where the store has such a key slot.",
    "~/.openclaw/audit/trail.jsonl": "The trail.",
    "~/.openclaw/settings.toml": "The settings, written by `openclaw config set`.",
}


def reference(root: Command) -> str:
    """Return docs/reference/cli.md."""
    parts = [
        "# The command line",
        "",
        _MADE,
        *_paragraphs(root),
        "Every command has these options:",
        "",
        *_options([each for each in root.options if each.names[0] in COMMON]),
        "A secret is named by its position or by `--name`; both always work.",
        "",
    ]
    for command in root.walk()[1:]:
        parts += _section(command)
    return "\n".join(parts).rstrip() + "\n"


def settings() -> str:
    """Return docs/reference/settings.md."""
    parts = [
        "# Settings",
        "",
        _MADE,
        "`openclaw config set NAME VALUE` writes them to `settings.toml` in the state directory:",
        "",
        "```toml",
        "[unlock]",
        'seconds = "4h"',
        "```",
        "",
        "Options of a command win over the environment, that over a",
        "[project's own file](../how-to/use-a-project-file.md) where one is trusted, that over",
        "`settings.toml`, that over `openclaw.json`, that over the default; `openclaw config show",
        "--origin` says which.",
        "kebab-case, camelCase and snake_case are the same key.",
        "",
        "`openclaw.json` is read as JSON with comments, `openclaw.yaml` as YAML. It belongs to the",
        "OpenClaw gateway: it is never written, its own keys are passed over, and ours may be in",
        "an object `openclaw`. What articles write there of secrets is understood, too: see",
        "[Use a configuration that you have](../how-to/use-an-existing-configuration.md).",
        "In `settings.toml` a key that is not known is a mistake (status 78, with its line), and a",
        "file that others can write is refused (status 6). `openclaw config check` finds both.",
        "",
        "| Setting | Default | Takes | Meaning | Variable |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in SETTINGS:
        default = f"`{each!s}`" if each.default != "" else "none"
        parts.append(
            f"| `{each.name}` | {default} | {each.takes} | {each.meaning} | `{each.variable}` |"
        )
    return "\n".join(parts) + "\n"


def statuses() -> str:
    """Return docs/reference/statuses.md."""
    parts = [
        "# Exit statuses",
        "",
        _MADE,
        "A number never gets another meaning. With `--json` an error is a line on standard error,",
        '`{"error": {"code": 3, "kind": "not_found", "message": "...", "hint": "..."}}`; the kind',
        "is as stable as the number, and the trail uses it as the outcome.",
        "",
        "| Status | Kind | Meaning |",
        "| --- | --- | --- |",
    ]
    parts += [f"| {number} | {kind} | {text} |" for number, kind, text in _statuses()]
    return "\n".join(parts) + "\n"


def manual(root: Command) -> dict[str, str]:
    """Return the manual pages by file name: the program, and each of its groups and commands."""
    pages = {"openclaw.1": _page(root, [])}
    for each in root.commands:
        pages[f"openclaw-{each.path[-1]}.1"] = _page(each, each.walk()[1:])
    return pages


def _statuses() -> list[tuple[str, str, str]]:
    kinds: list[type[errors.OpenclawError]] = [
        errors.OpenclawError,
        *errors.OpenclawError.__subclasses__(),
    ]
    found = {
        each.status: (f"`{each.kind}`", (inspect.getdoc(each) or "").partition("\n")[0])
        for each in kinds
        if each.__module__ == errors.__name__
    }
    found[1] = ("`internal`", "A bug in openclaw.")
    rows = [(number, str(number), *text) for number, text in found.items()]
    for number, text in _OTHERS.items():
        at = number if isinstance(number, int) else 128
        rows.append((at, str(number), "", text))
    return [row[1:] for row in sorted(rows)]


def _section(command: Command) -> list[str]:
    level = "##" if len(command.path) == 1 else "###"
    parts = [f"{level} {command.full}", "", command.summary, "", f"    {command.usage}", ""]
    parts += _paragraphs(command)
    if command.commands:
        parts += ["| Command | |", "| --- | --- |"]
        parts += [f"| `{each.full}` | {_cell(each.summary)} |" for each in command.commands]
        parts.append("")
    if command.arguments:
        parts += ["| Argument | |", "| --- | --- |"]
        parts += [f"| `{_cell(each.shown)}` | {_cell(each.text)} |" for each in command.arguments]
        parts.append("")
    return parts + _options(command.own)


def _options(options: Iterable[Option]) -> list[str]:
    rows = [f"| `{_cell(_shown(each))}` | {_cell(each.text)} |" for each in options]
    return ["| Option | |", "| --- | --- |", *rows, ""] if rows else []


def _paragraphs(command: Command) -> list[str]:
    parts = []
    for example, text in command.paragraphs():
        parts += [f"```sh\n{text}\n```" if example else text, ""]
    return parts


def _shown(option: Option) -> str:
    return f"{', '.join(option.names)} {option.value}".strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(command: Command, below: list[Command]) -> str:
    title = "-".join(["openclaw", *command.path])
    parts = [
        '.\\" Written by scripts/generate.py.',
        f'.TH "{title.upper()}" "1" "" "openclaw-cli" "openclaw"',
        ".SH NAME",
        f"{_roff(title)} \\- {_roff(command.summary.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_roff(command.usage)}",
        ".SH DESCRIPTION",
        _roff(command.summary),
        *_roff_text(command),
    ]
    if command.commands:
        parts.append(".SH COMMANDS")
        if not below:
            for each in command.commands:
                page = f"openclaw-{each.path[-1]}"
                parts += _item(each.full, f"{each.summary} See {page}(1).")
        for each in below:
            parts += [f'.SS "{_roff(each.usage)}"', _roff(each.summary), *_roff_text(each)]
            for argument in each.arguments:
                parts += _item(argument.shown, argument.text)
            for option in each.own:
                parts += _item(_shown(option), option.text)
    for argument in command.arguments:
        parts += _item(argument.shown, argument.text)
    parts.append(".SH OPTIONS")
    for option in command.options:
        parts += _item(_shown(option), option.text)
    if not command.path:
        parts += _tables()
    parts += [".SH SEE ALSO", _see_also(command)]
    return "\n".join(parts) + "\n"


def _tables() -> list[str]:
    parts = [".SH EXIT STATUS"]
    for number, _, text in _statuses():
        parts += _item(number, text)
    parts.append(".SH ENVIRONMENT")
    for name, text in _VARIABLES.items():
        parts += _item(name, text)
    for each in SETTINGS:
        parts += _item(each.variable, f"The setting {each.name}. {each.meaning}")
    parts.append(".SH FILES")
    for name, text in _FILES.items():
        parts += _item(name, text)
    return parts


def _see_also(command: Command) -> str:
    if command.path:
        return ".BR openclaw (1)"
    return ",\n".join(f".BR openclaw\\-{_roff(each.path[-1])} (1)" for each in command.commands)


def _roff_text(command: Command) -> list[str]:
    parts: list[str] = []
    for example, text in command.paragraphs():
        if example:
            lines = [_roff(line) for line in text.splitlines()]
            parts += [".PP", ".RS 4", ".nf", *lines, ".fi", ".RE"]
        else:
            parts += [".PP", _roff(text)]
    return parts


def _item(term: str, text: str) -> list[str]:
    return [".TP", f".B {_roff(term)}", _roff(text)]


def _roff(text: str) -> str:
    """Write text so that roff prints it as it stands."""
    written = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\`")
    written = written.replace("'", "\\(aq").replace('"', "\\(dq")
    return f"\\&{written}" if written.startswith((".", "\\(aq")) else written
