"""Who may import what, and what a start must not load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.architecture.tree import PACKAGE, ROOT, imported, inside, modules

# Of cryptography the one C module that the ciphers need is cheap; everything else of it is not.
HEAVY = (
    "boto3",
    "botocore",
    "cryptography.hazmat.primitives",
    "cryptography.x509",
    "hvac",
    "keyring",
    "pydantic",
    "requests",
    "rich",
    "yaml",
)
NETWORK = ("socket", "ssl", "http", "urllib.request", "requests", "hvac", "boto3", "botocore")
# Who may reach another machine: a backend or a rotator, once a command is given one.
# And a chat its model, with the model's own key; a sink of the trail, where the settings say. The
# gateway's sockets are this machine's.
MAY_REACH = (
    *("backends/", "gateway/", "runtime/", "rotation/rotators/", "handlers/endpoint.py"),
    "rotation/http.py",
    "rotation/mysql.py",
    "audit/sinks/",
)


# What each fork of a zygote would copy the tables of; decision 17.
NOT_FORKED = (
    *("base64", "collections", "contextlib", "enum", "functools", "importlib", "json", "re"),
    *("selectors", "signal", "socket", "typing"),
)
# What a zygote does before it forks, for an agent that may start programs.
_CONFINED = """\
from openclaw_cli.agents import landlock
nothing = ("programs", "refused", "visible", "keys", "code", "guarded", "readable", "ports")
plan = dict.fromkeys(nothing, ())
plan |= {"verbs": ["exec", "read"], "strict": True, "root": "", "entry": ["sh"]}"""
# What the gateway starts without.
LATER = ("aiohttp.client", "aiohttp.web", "prometheus_client", "psutil", "yaml")


def loaded(statement: str, heavy: Sequence[str] = HEAVY) -> set[str]:
    """Return those of the heavy libraries that a fresh interpreter has after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split()).intersection(heavy)


def test_only_the_command_line_knows_typer_and_rich() -> None:
    knowing = {
        inside(path)
        for path in modules()
        if {"typer", "rich"} & {name.partition(".")[0] for name in imported(path)}
    }
    assert knowing
    assert not [path for path in knowing if not path.startswith("openclaw_cli/cli/")]


def test_the_command_tree_loads_no_heavy_library() -> None:
    assert not loaded("import openclaw_cli.cli.app")


def test_every_module_of_the_command_line_can_be_imported_without_one() -> None:
    names = [
        inside(path)[:-3].replace("/", ".").removesuffix(".__init__")
        for path in modules()
        if PACKAGE / "cli" in path.parents
    ]
    assert not loaded("import " + ", ".join(names))


def test_a_zygote_has_little_in_its_memory() -> None:
    assert not loaded("import openclaw_cli.runtime.zygote", NOT_FORKED)
    assert not loaded(f"{_CONFINED}\nassert landlock.confine(plan)", NOT_FORKED)
    assert loaded("import signal", NOT_FORKED)


def test_the_gateway_starts_without_what_it_needs_later() -> None:
    started = "from openclaw_cli.gateway import __main__, door, lifecycle"
    assert not loaded(started, LATER)
    assert loaded(f"{started}\nimport aiohttp\naiohttp.ClientSession", LATER) == {"aiohttp.client"}


def test_the_test_of_loaded_modules_can_fail() -> None:
    assert loaded("import yaml") == {"yaml"}


def test_nothing_but_a_backend_can_reach_another_machine() -> None:
    reaching = {
        inside(path)
        for path in modules()
        if not str(path.relative_to(PACKAGE)).startswith(MAY_REACH)
        and any(name in NETWORK or name.partition(".")[0] in NETWORK for name in imported(path))
    }
    assert not reaching


def test_the_test_of_the_network_knows_one_that_reaches() -> None:
    assert set(imported(ROOT / "tests" / "unit" / "test_harness.py")).intersection(NETWORK)
