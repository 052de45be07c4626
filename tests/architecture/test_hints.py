"""Whoever makes a mistake at the command line is told what to do next."""

from __future__ import annotations

import ast

from openclaw_cli import errors
from tests.architecture.tree import PACKAGE, inside, modules

KINDS = {name for name in vars(errors) if name.endswith("Error")}
# A "no" to a question of ours is no mistake; and what somebody else's error said, as it said it.
WITHOUT = {
    "UsageError('nothing was done')",
    "OpenclawError(f'{said}; {error.hint}' if error.hint else said)",
}


def without_hint() -> set[str]:
    """Return the errors that the modules of the command line make without one."""
    return {
        ast.unparse(node)
        for path in modules()
        if PACKAGE / "cli" in path.parents
        or inside(path) in ("openclaw_cli/names.py", "openclaw_cli/formats/rules.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in KINDS
        and "hint" not in {each.arg for each in node.keywords}
    }


def test_every_error_of_the_command_line_has_a_hint() -> None:
    assert without_hint() == WITHOUT
