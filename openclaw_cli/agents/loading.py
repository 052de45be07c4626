"""Read what all sources of the settings say of agents and the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli import config
from openclaw_cli.agents.building import build, problems
from openclaw_cli.agents.spec import Configuration
from openclaw_cli.errors import ConfigError
from openclaw_cli.home import Home
from openclaw_cli.settings import check_root, sources


def load(home: Home, environ: Mapping[str, str]) -> Configuration:
    """Return the configuration of agents and the gateway.

    Raises `ConfigError` for the first mistake, `DeniedError` for a source that others can write.
    """
    check_root(home.root)
    said, origin = [], {}
    for path in reversed(sources(home, environ)):
        found = config.read(path)
        if found is None:
            continue
        if found.mistakes_of_agents:
            raise found.mistakes_of_agents[0].error(len(found.mistakes_of_agents) - 1)
        said.append(found.believed().agents)
        origin.update({name: f"{path}:{line}" for name, line in found.places.items()})
    built = build(said, origin)
    for name, wrong in problems(built).items():
        raise ConfigError(f"{origin[name]}: {wrong.message}", hint=wrong.hint)
    return built
