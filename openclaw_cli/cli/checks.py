"""The checks of `openclaw doctor`: each looks at one thing of a home and says how it is.

A check never raises, never changes anything and reads no value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from openclaw_cli import assembly, config, health
from openclaw_cli.backends.protocols import Checkable
from openclaw_cli.cli import machine
from openclaw_cli.cli.render import counted
from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.health.check import ATTENTION, BAD, OK, Check
from openclaw_cli.home import find
from openclaw_cli.interop.wiring import unfit
from openclaw_cli.service import LOCAL
from openclaw_cli.settings import Settings, sources
from openclaw_cli.store.keys import file as key_file

if TYPE_CHECKING:
    from openclaw_cli.elsewhere import Elsewhere
    from openclaw_cli.health import Look
    from openclaw_cli.home import Home


def all_of_them(environ: Mapping[str, str], now: float) -> Iterator[Check]:
    """Make every check, one after another; `now` in seconds since 1970."""
    yield machine.python()
    yield machine.cryptography()
    yield from machine.commands(environ)
    try:
        home = find(environ)
    except OpenclawError as refused:
        yield Check("state directory", BAD, refused.message, refused.hint)
        return
    yield settings(home, environ)
    yield machine.state_directory(home)
    yield port(home, environ)
    yield from served(home)
    known = _settings(home, environ)
    seen = health.look(home, assembly.secrets(home, known, environ))
    yield from of_findings(seen, home, known, now)
    yield key(home, seen)
    yield store(seen)
    yield trail(seen)
    yield machine.clock(seen, now)
    yield machine.core_files()
    yield from machine.person(environ)
    yield machine.keyring(environ, seen)
    yield from backends(home, known)


def backends(home: Home, settings: Settings) -> Iterator[Check]:
    """Ask each backend that is set, all at once, whether it answers and to whom."""
    from concurrent.futures import ThreadPoolExecutor

    from openclaw_cli.elsewhere import Elsewhere

    every = dict.fromkeys([*settings.backends(), *settings.led_to()])
    names = [name for name in every if name != LOCAL]
    if not names:
        return
    elsewhere = Elsewhere(home, settings)
    with ThreadPoolExecutor(len(names)) as pool:
        for found in pool.map(lambda name: _backend(elsewhere, name), names):
            yield from found


def _backend(elsewhere: Elsewhere, name: str) -> list[Check]:
    try:
        opened = elsewhere.backend(name)
        if not isinstance(opened, Checkable):
            return [Check(name, OK, "it is set, and cannot be asked how it is")]
        health = opened.check()
    except OpenclawError as refused:
        return [Check(name, BAD, refused.message, refused.hint)]
    words = ", ".join(word for word in (health.identity, health.detail) if word)
    state = OK if health.reachable else BAD
    said = words or ("it answers" if health.reachable else "it does not answer")
    found = [] if health.problems and not health.reachable else [Check(name, state, said)]
    worse = ATTENTION if health.reachable else BAD
    return found + [Check(name, worse, problem, mend) for problem, mend in health.problems]


def served(home: Home) -> Iterator[Check]:
    """Look whether the OpenClaw gateway that was set up can start what its file names of us."""
    from openclaw_cli.interop import config_file
    from openclaw_cli.interop.gateway import remembered
    from openclaw_cli.interop.wiring import wired

    gateway = remembered(home)
    if gateway is None:
        return
    try:
        file = config_file.read(gateway.config)
        named = wired(file.root() if file else None)
    except OpenclawError as refused:
        yield Check("gateway", ATTENTION, refused.message, refused.hint)
        return
    if not named:
        what = f"{gateway.config} has no provider of ours"
        yield Check("gateway", ATTENTION, what, "openclaw interop setup")
    for name, path in named.items():
        trouble = unfit(path)
        if trouble:
            what = f"the OpenClaw gateway cannot start {path} for {name}: {trouble[0]}"
            hint = trouble[1] if trouble[1].startswith("chmod") else "openclaw interop setup"
            yield Check("gateway", BAD, what, hint)
        else:
            yield Check("gateway", OK, f"{gateway.shown} gets its secrets by {name}")


def settings(home: Home, environ: Mapping[str, str]) -> Check:
    """Read every source of settings."""
    try:
        count = len(config.load(home, environ).origin)
    except OpenclawError as refused:
        hint = "openclaw config check" if isinstance(refused, ConfigError) else refused.hint
        return Check("settings", BAD, refused.message, hint)
    there = [path for path in sources(home, environ) if os.path.lexists(path)]
    where = f" ({', '.join(there)})" if there else ""
    return Check("settings", OK, f"{count} set{where}" if count else f"all by default{where}")


def port(home: Home, environ: Mapping[str, str]) -> Check:
    """Look whether our gateway could listen where the settings say, or does already."""
    from openclaw_cli.agents.loading import load
    from openclaw_cli.gateway import listening, talk

    name, state = "port", OK
    try:
        found = load(home, environ)
        state = ATTENTION if found.agents else OK  # without agents nothing of ours would listen
        if talk.running(home) is not None:
            return Check(name, OK, f"our gateway listens on {found.gateway.port}")
        listening.bind_tcp(found.gateway.host, found.gateway.port).close()
    except OpenclawError as refused:
        return Check(name, state, refused.message, refused.hint)
    return Check(name, OK, f"{found.gateway.port} is free for our gateway")


def of_findings(seen: Look, home: Home, settings: Settings, now: float) -> Iterator[Check]:
    """Take over all that `status` finds, with its severity, and say what it found nothing of."""
    found = health.findings(seen, home, settings, now)
    about = {each.where if each.what != "permissions" else each.what for each in found}
    if "permissions" not in about:
        yield Check("permissions", OK, "nobody else can open what is ours")
    if "rotation" not in about and seen.there and not (seen.locked or seen.trouble):
        yield Check("rotation", OK, "none has failed, none is overdue")
    for each in found:
        yield Check(each.what.replace("-", " "), each.severity, each.why, each.hint)


def key(home: Home, seen: Look) -> Check:
    """Say where the key file is, when the store has one."""
    path = key_file.path(home)
    kinds = [slot.kind for slot in seen.header.slots] if seen.header else []
    if key_file.KIND not in kinds:
        return Check("key file", OK, "none is used")
    if key_file.source() != key_file.KIND:
        return Check("key file", OK, f"none is read: the key came by {key_file.source()}")
    if not os.path.lexists(path):
        what = f"{path} is not there"
        return Check("key file", ATTENTION, what, f"put it back, or export {key_file.VARIABLE}=...")
    return Check("key file", OK, path)


def store(seen: Look) -> Check:
    """Say whether the store opens and is the one the trail knows."""
    if seen.trouble:
        return Check("store", BAD, seen.trouble.message, seen.trouble.hint)
    if not seen.there:
        return Check("store", OK, "none yet; openclaw secrets create NAME makes it")
    if seen.locked:
        return Check("store", OK, f"{seen.store} is locked", seen.locked)
    return Check("store", OK, f"{seen.store} opens, {counted(len(seen.alive), 'secret')}")


def trail(seen: Look) -> Check:
    """Say whether the end of the trail is what it was."""
    if seen.trouble:
        return Check("trail", BAD, "not verified", seen.trouble.hint)
    if not seen.there:
        return Check("trail", OK, "none yet")
    if seen.head is None:
        return Check("trail", OK, "not verified, for its key is in the store", seen.locked)
    if not seen.verified:
        what = f"{seen.trail} cannot be written: nothing can be read or changed"
        return Check("trail", BAD, what, f"ls -ld {seen.trail}")
    what = f"{seen.head.seq} records, the end verified"
    return Check("trail", OK, what, "openclaw secrets audit verify, for all of it")


def _settings(home: Home, environ: Mapping[str, str]) -> Settings:
    """Return the settings, all by default where they cannot be read: the rest is looked at yet."""
    try:
        return config.load(home, environ)
    except OpenclawError:
        return Settings({}, {})
