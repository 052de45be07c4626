"""What a migration would do: which value goes where, what takes its place, and what is left.

Pure: it takes what `gather.py` read, and keeps values only within `Move.value`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli.errors import OpenclawError
from openclaw_cli.interop.places import Line, Paths, Place
from openclaw_cli.model import SecretValue
from openclaw_cli.names import MAX_LENGTH, check

CONFIG = "configuration"
PROFILES = "auth profiles"
ROW = "auth store"
MODELS = "generated models"
DOTENV = ".env"
OWN = "own settings"

_NOT_FOUND = "the gateway's own program was not found"
_NAME_IT = "openclaw secrets migrate --gateway PROGRAM"
_STRANGE = re.compile(r"[^A-Za-z0-9._:/-]+")
_MODEL_KEY = ("models", "providers", "*", "apiKey")

# Whose key the gateway finds by the variable's name alone, and what it calls the provider.
BY_VARIABLE = {
    "ANTHROPIC_API_KEY": "anthropic",
    "DEEPSEEK_API_KEY": "deepseek",
    "GEMINI_API_KEY": "google",
    "GROQ_API_KEY": "groq",
    "MISTRAL_API_KEY": "mistral",
    "OPENAI_API_KEY": "openai",
    "OPENROUTER_API_KEY": "openrouter",
    "XAI_API_KEY": "xai",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands: the kind of file, its path, the keys there; `table` of a database."""

    kind: str
    path: str
    keys: tuple[str, ...]
    table: str = ""
    agent: str = ""

    @property
    def shown(self) -> str:
        """The place for people."""
        return f"{self.path} {'.'.join(self.keys)}"


@dataclass(slots=True)
class Move:
    """One value on its way into the store: its name there, and every place that it stands in."""

    name: str
    value: SecretValue
    spots: list[Spot] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Left:
    """What stays in plain text, why, and what may be done."""

    place: str
    why: str
    hint: str


@dataclass(slots=True)
class Found:
    """What was read of a gateway's state: the places by file, in the order of their authority.

    With each auth profile comes the provider that it is for; `providers` are those that
    have a key, `configured` those that have it in the configuration; `older` are auth profiles
    that no gateway of today reads.
    `referenced` are secrets that references to us name already, `known` their values: so that a
    migration that was interrupted goes on, and what only repeats such a value is found.
    """

    config: str = ""
    paths: Paths = field(default_factory=Paths)
    places: list[Place] = field(default_factory=list)
    profiles: list[tuple[Spot, Place, str]] = field(default_factory=list)
    models: list[tuple[str, Place]] = field(default_factory=list)
    lines: list[tuple[str, Line]] = field(default_factory=list)
    own: list[tuple[str, Spot, bytes]] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    providers: frozenset[str] = frozenset()
    configured: frozenset[str] = frozenset()
    referenced: frozenset[str] = frozenset()
    known: dict[str, SecretValue] = field(default_factory=dict)
    takes_bare_provider: bool = False
    served: bool = True


@dataclass(slots=True)
class Plan:
    """The moves, what is added to the configuration, what is left, and copies of plain text.

    `dropped` are auth profiles that only repeat the key of the configuration, as the gateway's own
    repair makes them: with a reference in both places, it would say that one is never used.
    """

    moves: list[Move] = field(default_factory=list)
    added: dict[tuple[str, ...], str] = field(default_factory=dict)
    dropped: set[Spot] = field(default_factory=set)
    left: list[Left] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)

    def spots(self, *kinds: str) -> Iterator[tuple[Move, Spot]]:
        """Yield each place of some kinds, of every kind if none is named, with its move."""
        for move in self.moves:
            for spot in move.spots:
                if not kinds or spot.kind in kinds:
                    yield move, spot

    def waits(self) -> bool:
        """Tell whether something is left only because the gateway's program was not found."""
        return any(each.why == _NOT_FOUND for each in self.left)

    def files(self) -> list[str]:
        """Return the paths that would be changed."""
        found = [spot.path for move in self.moves for spot in move.spots]
        return list(dict.fromkeys(found))


def made(found: Found) -> Plan:
    """Return the plan for what was found; equal values become one secret."""
    planner = _Planner(found)
    planner.of_config()
    planner.of_profiles()
    planner.of_dotenv()
    planner.of_models()
    for name, spot, value in found.own:
        planner.move(name, value, spot)
    for path in found.older:
        hint = "the gateway's own: openclaw doctor --fix"
        planner.plan.left.append(Left(path, "only an older gateway reads this file", hint))
    planner.plan.copies = list(found.copies)
    return planner.plan


def secret_name(keys: Iterable[str]) -> str:
    """Return what a credential at these keys is called: `openai-api-key`, `gateway/auth/token`."""
    keys = tuple(keys)
    if len(keys) == len(_MODEL_KEY) and (*keys[:2], keys[3]) == ("models", "providers", "apiKey"):
        keys = (f"{keys[2]}-api-key",)
    parts = [_STRANGE.sub("-", key).strip("-._:/") or "x" for key in keys]
    name = "/".join(parts)[:MAX_LENGTH].rstrip("/.-")
    try:
        return check(name)
    except OpenclawError:
        return f"gateway/{name}"[:MAX_LENGTH]


class _Planner:
    def __init__(self, found: Found) -> None:
        self._found = found
        self._by_value = {
            value.reveal(): Move(name, value) for name, value in sorted(found.known.items())
        }
        self._env = {line.name: line.value for _, line in found.lines}
        self._used: set[str] = set()
        self.plan = Plan()

    def move(self, name: str, value: bytes, spot: Spot) -> None:
        move = self._by_value.get(value)
        if move is None:
            taken = {each.name for each in self.plan.moves}
            move = Move(free(name, taken), SecretValue(value))
            self._by_value[value] = move
        if not move.spots:
            self.plan.moves.append(move)
        move.spots.append(spot)

    def of_config(self) -> None:
        for place in self._found.places:
            spot = Spot(CONFIG, self._found.config, place.keys)
            value = self._env.get(place.variable, b"") if place.variable else place.value
            if place.variable and not value:
                continue  # the environment of the gateway has it, which is not ours to look into
            if not self._found.served:
                self._leave(spot, _NOT_FOUND, _NAME_IT)
            elif self._found.paths.take(place.keys):
                self.move(secret_name(place.keys), value, spot)
                self._used.add(place.variable)
            elif not place.variable:
                self._leave(spot, "the gateway takes no reference there", "it has to stay")

    def of_profiles(self) -> None:
        for spot, place, provider in self._found.profiles:
            if not self._found.served:
                self._leave(spot, _NOT_FOUND, _NAME_IT)
                continue
            if spot.kind == ROW and self._repeats(provider, place.value):
                self.plan.dropped.add(spot)
            agent = () if spot.agent in ("", "main") else (spot.agent,)
            self.move(secret_name(("profiles", *agent, place.keys[1])), place.value, spot)

    def of_dotenv(self) -> None:
        for path, line in self._found.lines:
            spot = Spot(DOTENV, path, (line.name,))
            if line.value in self._by_value:
                self.move("", line.value, spot)
                continue
            provider = BY_VARIABLE.get(line.name, "")
            if provider and self._may_add(provider):
                keys = ("models", "providers", provider, "apiKey")
                self.move(secret_name(keys), line.value, spot)
                self.plan.added[keys] = self._by_value[line.value].name
                continue
            hint = f"openclaw secrets run --env {line.name}=NAME -- openclaw gateway run"
            self._leave(spot, "what uses this variable is not known", hint)

    def of_models(self) -> None:
        for path, place in self._found.models:
            spot = Spot(MODELS, path, place.keys)
            if place.value in self._by_value:
                self.move("", place.value, spot)
            else:
                self._leave(spot, "it is in no configuration", "the gateway writes this file anew")

    def _repeats(self, provider: str, value: bytes) -> bool:
        move = self._by_value.get(value)
        keys = ("models", "providers", provider, "apiKey")
        if move is None:
            return False
        return any(spot.keys == keys for spot in move.spots) or (
            provider in self._found.configured and move.name in self._found.known
        )

    def _may_add(self, provider: str) -> bool:
        return self._found.takes_bare_provider and provider not in self._found.providers

    def _leave(self, spot: Spot, why: str, hint: str) -> None:
        self.plan.left.append(Left(spot.shown, why, hint))


def named_apart(plan: Plan, taken: Iterable[str], same: Callable[[Move, str], bool]) -> list[Move]:
    """Give each move a name that is not taken, or taken by its own value; return the new ones.

    `same` tells whether a move's value is that of a secret.
    """
    used = {*taken}
    new = []
    for move in plan.moves:
        candidate, number = move.name, 1
        while candidate in used and not same(move, candidate):
            number += 1
            candidate = f"{move.name}-{number}"
        if candidate not in used:
            new.append(move)
        renamed = [keys for keys, name in plan.added.items() if name == move.name]
        plan.added.update(dict.fromkeys(renamed, candidate))
        move.name = candidate
        used.add(candidate)
    return new


def free(name: str, taken: Iterable[str]) -> str:
    """Return the name, or with a number behind it where it is taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def plain(plan: Plan) -> dict[str, Any]:
    """Return a plan for `--json`, without its values."""
    return {
        "moves": [
            {
                "name": move.name,
                "places": [{"file": spot.path, "at": ".".join(spot.keys)} for spot in move.spots],
            }
            for move in plan.moves
        ],
        "left": [{"place": each.place, "why": each.why, "hint": each.hint} for each in plan.left],
        "copies": plan.copies,
    }
