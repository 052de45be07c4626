"""Where everything lies: the state directory and the environment's part of it."""

from __future__ import annotations

import os

from openclaw_cli.errors import ConfigError
from openclaw_cli.names import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT = "default"
"""The word for the environment that has no folder of its own."""

_STORE_ID = (16, 12)
"""Bytes of a store's id, and where it lies in the file; see `store/header.py`."""


class Home:
    """The paths of one environment of one user.

    `root` is the state directory, `base` the environment's part of it: the same for the default
    environment, `environments/NAME` for the others.
    """

    __slots__ = ("base", "environment", "root")

    def __init__(self, root: str, environment: str = "") -> None:
        self.root = root
        self.environment = environment
        self.base = f"{root}/environments/{environment}" if environment else root

    @property
    def secrets(self) -> str:
        """The folder of the store, its lock and its key."""
        return f"{self.base}/secrets"

    @property
    def audit(self) -> str:
        """The folder of the trail."""
        return f"{self.base}/audit"


def find(environ: Mapping[str, str]) -> Home:
    """Return the home that the environment variables name.

    `OPENCLAW_STATE_DIR`, else `~/.openclaw`; the home directory comes from the password database
    when HOME is missing. A bundle needs none: what its readings leave is beside it, or in
    `OPENCLAW_BUNDLE_OUTPUT`. Raises `ConfigError` when there is neither.
    """
    bundle = environ.get("OPENCLAW_BUNDLE")
    if bundle:
        return _of_job(bundle, environ.get("OPENCLAW_BUNDLE_OUTPUT") or f"{bundle}.job")
    root = environ.get("OPENCLAW_STATE_DIR") or f"{user_home(environ)}/.openclaw"
    if not root.startswith("/"):
        root = os.path.abspath(root)
    root = root.rstrip("/") or "/"
    return of(root, environ.get("OPENCLAW_ENVIRONMENT", ""))


def of(root: str, environment: str) -> Home:
    """Return the home of an environment; "default" is the one that needs no name."""
    if environment in ("", DEFAULT):
        return Home(root)
    check(environment, "an environment")
    if "/" in environment:
        raise ConfigError(
            "the name of an environment has no '/'", hint="for example prod, or team-a.staging"
        )
    return Home(root, environment)


def _of_job(bundle: str, output: str) -> Home:
    """Return the home of a job that reads a bundle: a folder for each bundle, named by its id."""
    home = Home(os.path.abspath(output))
    try:
        fd = os.open(bundle, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            home.base = f"{home.root}/{os.pread(fd, *_STORE_ID).hex()}"
        finally:
            os.close(fd)
    except OSError:
        return home  # whoever opens it says why not
    return home


def user_home(environ: Mapping[str, str]) -> str:
    """Return the user's home directory; raises `ConfigError` when there is none."""
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return home.rstrip("/")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir.rstrip("/")
    except KeyError:
        raise ConfigError(
            "no home directory: HOME is not set and the password database has no entry for us",
            hint="export OPENCLAW_STATE_DIR=/path/to/a/private/directory",
        ) from None
