"""How one signs in to AWS: region, profile and role, by Amazon's own variables and files."""

from __future__ import annotations

import functools
import os
import re
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_cli.errors import ConfigError, DeniedError
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.aws_http import Sender
    from openclaw_cli.backends.connect.timed import Deadline

_LIBRARIES = ("boto3", "botocore", "s3transfer", "urllib3")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


T = TypeVar("T")


def session(
    settings: Mapping[str, str | float | bool],
    key: tuple[str, str] | None,
    sender: Sender,
    written: Callable[[str, str], str],
    deadline: Deadline,
) -> tuple[Any, Any]:
    """Return botocore's session, which sends by `sender`, and the credentials it signs with.

    `key` is used in place of what Amazon's variables and files give; `written` says how a setting
    is written. Raises `ConfigError` and `DeniedError`, and what botocore raises.
    """
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.session import Session

    keep_quiet()
    profile = str(settings["profile"]) or None
    made = Session(profile=profile) if profile else Session()
    sender.session = made
    made.set_default_client_config(
        # The text of a failed validation holds the value; tries are ours to count.
        Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 1})
    )
    made.register_component("data_loader", _loader(made.get_config_variable("data_path")))
    made.register("before-send", sender.send)
    made.set_config_variable("region", _region(settings, made, written))
    resolver = made.get_component("credential_provider")
    if not (settings["instance-role"] or _is_ec2()):
        resolver.remove("iam-role")
    # Else a code would be asked for on the terminal, or read from what is piped to us.
    resolver.get_provider("assume-role")._prompter = _no_code  # noqa: SLF001
    # A profile can name a program that finds them, which may never end.
    found = Credentials(*key, method="a secret") if key else None
    found = found or within(deadline, sender, resolver.load_credentials)
    if found is None:
        raise DeniedError("no AWS credentials were found", hint=again(settings))
    credentials = _in_role(settings, made, found) if settings["role-arn"] else found
    made.register_component("credential_provider", _Found(credentials))
    return made, credentials


def again(settings: Mapping[str, str | float | bool]) -> str:
    """Return what to do where the sign-in has ended."""
    profile = str(settings["profile"]) or os.environ.get("AWS_PROFILE", "")
    chosen = f" --profile {shlex.quote(safe(profile))}" if profile else ""
    return f"aws sso login{chosen}, or give a new key: aws configure{chosen}"


def within(deadline: Deadline, sender: Sender, work: Callable[[], T]) -> T:
    """Return what `work` does on a thread, which is left behind when it takes too long."""
    from openclaw_cli.backends.connect.timed import Late
    from openclaw_cli.within import LateError, awaited

    def do() -> T:
        sender.current.deadline = deadline
        return work()

    try:
        return awaited(deadline.left(), do)
    except LateError:
        raise Late from None


def keep_quiet() -> None:
    """Take the libraries' loggers away: at DEBUG values, in warnings the service's own words.

    Each logger by itself: a level above them can be changed by anybody who wants to see more.
    """
    import logging

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _region(
    settings: Mapping[str, str | float | bool],
    session: Any,  # noqa: ANN401
    written: Callable[[str, str], str],
) -> str:
    region = (
        settings["region"]
        or os.environ.get("AWS_REGION", "")
        or session.get_config_variable("region")
    )
    if not region:
        raise ConfigError(
            "no AWS region is set",
            hint=written("region", '"REGION"'),
        )
    if not _REGION.fullmatch(str(region)):  # it becomes a part of a host's name
        raise ConfigError(f"not an AWS region: {safe(str(region))}")
    return str(region)


def _in_role(
    settings: Mapping[str, str | float | bool],
    session: Any,  # noqa: ANN401
    source: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    asked = {"RoleSessionName": settings["role-session-name"]}
    if settings["external-id"]:
        asked["ExternalId"] = settings["external-id"]
    fetcher = AssumeRoleCredentialFetcher(
        session.create_client, source, settings["role-arn"], extra_args=asked
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


class _Found:
    """What botocore's session asks for its credentials, once they were found."""

    def __init__(self, credentials: Any) -> None:  # noqa: ANN401
        self._credentials = credentials

    def load_credentials(self) -> Any:  # noqa: ANN401
        return self._credentials


@functools.cache
def _loader(folders: str | None) -> Any:  # noqa: ANN401
    """Return what reads botocore's descriptions of services: 50 ms for each, so once for all."""
    from botocore.loaders import create_loader

    return create_loader(folders)


def _no_code(_question: str) -> str:
    raise DeniedError(
        "the AWS profile wants a code from a device, which is not asked for here",
        hint="aws configure export-credentials --format env",
    )


def _is_ec2() -> bool:
    """Tell whether this machine says that Amazon made it; nothing is asked over the network."""
    try:
        with open("/sys/class/dmi/id/sys_vendor", encoding="ascii", errors="replace") as file:
            return file.read(32).startswith("Amazon EC2")
    except OSError:
        return False
