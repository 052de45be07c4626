"""Having `rotate --due` run by itself: a line of the user's crontab, or a timer of systemd's user.

Only what stands between our own two marker lines of a crontab is ever changed, and only files of
ours in the user's unit directory. Cron gives a program next to no environment, so the line names
everything by its absolute path.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping

from openclaw_cli import systemd
from openclaw_cli.errors import ConfigError, NotFoundError, RefusedError, UsageError
from openclaw_cli.home import Home
from openclaw_cli.rotation import programs
from openclaw_cli.which import which

UNIT = "openclaw-rotate"

_HOURLY = "{minute} * * * *"
_SECONDS = 30.0
_VARIABLES = ("OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_ENVIRONMENT")

SERVICE = """\
[Unit]
Description=Rotate the secrets that are due
Documentation=man:openclaw-secrets(1)

[Service]
Type=oneshot
{environment}ExecStart={command}
# 10: a person must renew something; it is told, and is no failure of the unit.
SuccessExitStatus=10
UMask=0077
NoNewPrivileges=true
TimeoutStartSec=15min
"""

TIMER = """\
[Unit]
Description=Rotate the secrets that are due, every hour

[Timer]
OnCalendar=hourly
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
"""


def environment(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the scheduled command needs: where everything is."""
    found = {name: environ[name] for name in _VARIABLES if environ.get(name)}
    found["OPENCLAW_STATE_DIR"] = os.path.abspath(home.root)
    if home.environment:
        found["OPENCLAW_ENVIRONMENT"] = home.environment
    for name, text in found.items():
        if not text.isprintable():
            raise ConfigError(f"{name} has characters that a crontab cannot hold")
    return found


def command(notify: str = "") -> list[str]:
    """Return the words of the scheduled command."""
    words = [programs.ours(), "secrets", "rotate", "--due"]
    return [*words, "--notify", notify] if notify else words


def markers(environment: str = "") -> tuple[str, str]:
    """Return the lines that our part of a crontab begins and ends with, for one environment."""
    which = f" of {environment}" if environment else ""
    begin = f"# openclaw-cli{which}: begin (openclaw secrets schedule uninstall takes this away)"
    return begin, f"# openclaw-cli{which}: end"


def unit_names(environment: str = "") -> tuple[str, str]:
    """Return the names of our timer and of the service that it starts."""
    name = f"{UNIT}-{environment}" if environment else UNIT
    return f"{name}.timer", f"{name}.service"


def cron_lines(variables: Mapping[str, str], words: list[str], lock: str, minute: int) -> list[str]:
    """Return our part of a crontab, the markers included."""
    settings = [f"{name}={shlex.quote(text)}" for name, text in sorted(variables.items())]
    flock = which("flock")
    guard = [flock, "-n", "-E", "0", lock] if flock else []
    line = " ".join(["env", *settings, *map(shlex.quote, [*guard, *words])])
    # cron takes a bare % for the end of the line.
    when = _HOURLY.format(minute=minute)
    begin, end = markers(variables.get("OPENCLAW_ENVIRONMENT", ""))
    return [begin, f"{when} {line}".replace("%", "\\%"), end]


def with_ours(crontab: str, ours: list[str], environment: str = "") -> str:
    """Return a crontab with our part in its place, or without it; the rest as it is.

    Raises `ConfigError` where somebody cut our markers.
    """
    begin, end = markers(environment)
    lines = crontab.splitlines(keepends=True)
    begins = [at for at, line in enumerate(lines) if line.strip() == begin]
    ends = [at for at, line in enumerate(lines) if line.strip() == end]
    if len(begins) > 1 or len(begins) != len(ends) or (begins and ends[0] < begins[0]):
        raise ConfigError(
            "the crontab has one of our marker lines and not the other", hint="crontab -e"
        )
    new = [f"{line}\n" for line in ours]
    if begins:
        return "".join(lines[: begins[0]] + new + lines[ends[0] + 1 :])
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join(lines + new)


def ours_in(crontab: str, environment: str = "") -> str:
    """Return the command line of our part of a crontab, or ""."""
    begin, end = markers(environment)
    lines = [line.strip() for line in crontab.splitlines()]
    if begin not in lines:
        return ""
    return next((line for line in lines[lines.index(begin) + 1 :] if line != end), "")


def read_crontab() -> str:
    """Return the user's crontab, empty where there is none."""
    done = _run([_crontab(), "-l"])
    return done.stdout if done.returncode == 0 else ""


def write_crontab(text: str) -> None:
    """Put a crontab in the place of the user's; an empty one is taken away."""
    program = _crontab()
    done = _run([program, "-"], text) if text.strip() else _run([program, "-r"])
    if done.returncode and text.strip():
        raise RefusedError("crontab refused what it was given", hint="crontab -l")


def units(variables: Mapping[str, str], words: list[str]) -> dict[str, str]:
    """Return the unit files by name."""
    lines = [
        f'Environment="{systemd.escaped(f"{name}={text}")}"\n'
        for name, text in sorted(variables.items())
    ]
    line = " ".join(map(systemd.quoted, words))
    service = SERVICE.format(environment="".join(lines), command=line)
    timer_name, service_name = unit_names(variables.get("OPENCLAW_ENVIRONMENT", ""))
    return {service_name: service, timer_name: TIMER}


def _crontab() -> str:
    found = which("crontab")
    if not found:
        raise NotFoundError(
            "there is no crontab program here", hint="openclaw secrets schedule install --systemd"
        )
    return found


def _run(words: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - fixed programs
            words,
            input=given,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        raise RefusedError(f"{words[0]} could not be asked") from None


def check_notify(text: str) -> str:
    """Return a `--notify` command as it was given; raises `UsageError` for what cannot be one."""
    try:
        words = programs.words(text, "--notify")
        programs.trusted(words[0])
    except ConfigError as wrong:
        raise UsageError(wrong.message, hint=wrong.hint) from None
    return text
