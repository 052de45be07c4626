"""What other backends cost beside their own libraries: a real OpenBao server, and moto for AWS."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openclaw_cli.backends.vault import VaultBackend
from tests.bench.measure import Command, Ratio, paired
from tests.bench.report import Table, Target
from tests.integration.moto_server import REGION, Moto, variables
from tests.integration.vault_server import VaultServer

if TYPE_CHECKING:
    from tests.bench.homes import Home
    from tests.bench.sections import Bench

MANY = 100
VALUE = "sk-proj-of-another-backend"
TITLES = ("", "wall", "quartiles", "best of all", "CPU", "promised", "")

_BARE_BOTO3 = """
import boto3, sys
client = boto3.client("secretsmanager")
sys.stdout.write(client.get_secret_value(SecretId="key-0")["SecretString"])
"""


@dataclass(frozen=True)
class Moment:
    """What one call took, in seconds."""

    wall: float
    cpu: float


def section(bench: Bench) -> list[Table]:
    """Measure reading from other backends against what would read from them without us."""
    table = Table("other backends", TITLES)
    home = bench.home(10)
    with VaultServer(bench.place / "vault") as vault:
        for number in range(MANY):
            vault.keep(f"openclaw/key-{number}", {"value": VALUE})
        _in_one_process(bench, table, vault)
        _vault_as_processes(bench, table, home, vault)
    moto = Moto()
    try:
        moto.client("secretsmanager").create_secret(Name="key-0", SecretString=VALUE)
        _aws_as_processes(bench, table, home, moto)
    finally:
        moto.stop()
    return [table]


def _in_one_process(bench: Bench, table: Table, vault: VaultServer) -> None:
    """Compare `get` of a backend that is open with hvac's own client that is."""
    import hvac

    client = hvac.Client(url=vault.address, token=vault.token)
    settings = {"address": vault.address, "token": vault.token}
    ours = VaultBackend(settings)

    def bare() -> str:
        kv = client.secrets.kv.v2
        answer = kv.read_secret_version(path="openclaw/key-0", raise_on_deleted_version=True)
        return str(answer["data"]["data"]["value"])

    def through_us() -> str:
        return ours.get("key-0").value.reveal().decode()

    found = in_turn(through_us, bare, bench.times(1000))
    _add(table, "`get` of Vault in one process, against bare hvac", found, 1.3)


def in_turn(mine: Callable[[], str], theirs: Callable[[], str], pairs: int) -> Ratio:
    """Call both in turn, each first every other time."""
    for act in (mine, theirs):
        assert act() == VALUE
    found = []
    for number in range(pairs):
        if number % 2:
            first = _moment(mine)
            found.append((first, _moment(theirs)))
        else:
            second = _moment(theirs)
            found.append((_moment(mine), second))
    lower, median, upper = statistics.quantiles((a.wall / b.wall for a, b in found), n=4)
    return Ratio(
        lower,
        median,
        upper,
        min(each.wall for each, _ in found) / min(each.wall for _, each in found),
        sum(each.cpu for each, _ in found) / sum(each.cpu for _, each in found),
        statistics.median(each.wall for each, _ in found),
    )


def _moment(act: Callable[[], str]) -> Moment:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Moment(time.perf_counter() - wall, time.process_time() - cpu)


def _vault_as_processes(bench: Bench, table: Table, home: Home, vault: VaultServer) -> None:
    known = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    answer = VALUE.encode()
    copied = _with(home.command("secrets", "get", "vault://key-0", answer=answer), known)
    found = paired(copied, bench.times(200), base=home.get(5))
    _add(table, "`get` of a sealed copy, against a local one", found, 1.1)
    asked = {**known, "OPENCLAW_CACHE_SECONDS": "0"}
    lines = [
        [f"--env=K{number}=vault://key-{number}" for number in range(count)] for count in (1, MANY)
    ]
    one, many = (
        _with(home.command("secrets", "run", *line, "--no-mask", "--", "/bin/true"), asked)
        for line in lines
    )
    found = paired(many, bench.times(50), base=one)
    _add(table, f"`run` with {MANY} secrets of Vault, against 1", found, 4)


def _aws_as_processes(bench: Bench, table: Table, home: Home, moto: Moto) -> None:
    known = {**variables(moto.address), "AWS_DEFAULT_REGION": REGION}
    line = home.command("secrets", "get", "aws-secrets-manager://key-0", answer=VALUE.encode())
    asked = _with(line, {**known, "OPENCLAW_CACHE_SECONDS": "0"})
    bare = Command([sys.executable, "-c", _BARE_BOTO3], answer=VALUE.encode())
    found = paired(asked, bench.times(50), base=_with(bare, known))
    _add(table, "`get` of AWS Secrets Manager, against bare boto3", found, 1.2)


def _with(command: Command, more: dict[str, str]) -> Command:
    return replace(command, env={**command.env, **more})


def _add(table: Table, words: str, found: Ratio, most: float) -> None:
    quartiles = f"{found.lower:.2f} to {found.upper:.2f}"
    cells = (f"{found.median:.2f}x", quartiles, f"{found.least:.2f}x", f"{found.cpu:.2f}x")
    table.add(words, *cells, measured=found.median, target=Target(most))
