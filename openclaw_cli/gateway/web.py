"""aiohttp's server, without its client, which takes longer to load than all of the gateway.

`import aiohttp` runs the package, and that is its client: two TLS contexts are made and the
certificates of the machine read. No module of the server needs it. So the package is put in its
place without being run; it is run when somebody asks it for what only that gives.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_VERSION = "__version__ = "


class _NotRun(ModuleType):
    """The package before it is run; afterwards it is like any other."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever it has by that name
        spec = self.__spec__
        private = name.startswith("__") and name != "__all__"
        if private or spec is None or spec.loader is None or find_spec(f"aiohttp.{name}"):
            raise AttributeError(name)  # one of its modules is imported then
        self.__class__ = ModuleType  # type: ignore[assignment]
        spec.loader.exec_module(self)
        return getattr(self, name)


def _place() -> None:
    """Put the package in its place, unless it is there."""
    spec = find_spec("aiohttp") if "aiohttp" not in sys.modules else None
    if spec is None or spec.origin is None:
        return
    package = module_from_spec(spec)
    with open(spec.origin, encoding="utf-8") as source:
        first = source.readline()
    if not first.startswith(_VERSION):
        return
    package.__version__ = first.removeprefix(_VERSION).strip().strip('"')  # type: ignore[attr-defined]
    package.__class__ = _NotRun
    sys.modules["aiohttp"] = package


_place()

from aiohttp.web_exceptions import HTTPRequestEntityTooLarge  # noqa: E402
from aiohttp.web_protocol import RequestHandler  # noqa: E402
from aiohttp.web_request import BaseRequest  # noqa: E402
from aiohttp.web_response import Response, StreamResponse  # noqa: E402
from aiohttp.web_server import Server  # noqa: E402

__all__ = (
    "BaseRequest",
    "HTTPRequestEntityTooLarge",
    "RequestHandler",
    "Response",
    "Server",
    "StreamResponse",
)
