"""What is measured, a function a table, and what the design promises of it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from openclaw_cli import assembly
from openclaw_cli.changes import Changes
from openclaw_cli.files import private_directory
from openclaw_cli.home import Home as Place
from openclaw_cli.model import SecretValue
from openclaw_cli.running.masking import Needles
from openclaw_cli.settings import Settings
from tests.bench import brokered, counts, elsewhere, homes, make_trail, masking, rotating, stages
from tests.bench.agents import agents
from tests.bench.homes import Home
from tests.bench.measure import (
    Command,
    Ratio,
    at_once,
    environment,
    memory,
    once,
    paired,
    python,
)
from tests.bench.report import Table, Target

SIZES = (10, 1_000, 10_000)
RATIO = ("", "wall", "quartiles", "best of all", "CPU", "ms", "MiB", "promised", "")


@dataclass
class Bench:
    """Where it is measured and how often; homes are made once."""

    place: Path
    quick: bool = False
    made: dict[tuple[int, bool], Home] = field(default_factory=dict)

    def home(self, count: int, *, settings: bool = True) -> Home:
        """Return the home with that many secrets."""
        key = (count, settings)
        if key not in self.made:
            folder = self.place / f"{count}-{'with' if settings else 'without'}"
            self.made[key] = homes.make(folder, count, settings=settings)
        return self.made[key]

    def times(self, many: int) -> int:
        """Return how often to repeat what is worth repeating that often."""
        return max(3, many // 10) if self.quick else many

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Give a folder for a while."""
        folder = self.place / name
        folder.mkdir(mode=0o700)
        yield folder
        shutil.rmtree(folder)


def get(bench: Bench) -> list[Table]:
    """Measure reading one secret, with its durable record."""
    table = Table("get", RATIO)
    for count, most in zip(SIZES, (1.7, 1.9, 1.9), strict=True):
        for settings in (True, False):
            home = bench.home(count, settings=settings)
            words = f"get of {count:,}{'' if settings else ', no settings file'}"
            _add(bench, table, words, home.get(count // 2), most)
    return [table, _stages(bench)]


def _stages(bench: Bench) -> Table:
    """Measure what a `get` cannot do without, before it has done anything."""
    table = Table("get, what it is made of", RATIO)
    table.note = "Each line does what the one above does, and more."
    for words, command in stages.commands(bench.place):
        _add(bench, table, words, command, None)
    _add(bench, table, "and the work: a whole get of 10", bench.home(10).get(5), None)
    return table


def resolve(bench: Bench) -> list[Table]:
    """Measure answering the gateway."""
    home = bench.home(1_000)
    table = Table("resolve, from 1,000 secrets", RATIO)
    commands = {}
    for count, most in ((1, None), (20, 2.2), (512, None)):
        names = [homes.name(number) for number in range(count)]
        request = json.dumps({"protocolVersion": 1, "provider": "x", "ids": names}).encode()
        commands[count] = home.command("secrets", "resolve", given=request)
        _add(bench, table, f"{count} ids", commands[count], most)
    found = paired(commands[512], bench.times(100), base=commands[1])
    words = "512 ids, against 1 id"
    shown = _shown(found, memory(commands[512], 2))
    table.add(words, *shown, measured=found.median, target=Target(5))
    return [table]


def scan(bench: Bench) -> list[Table]:
    """Measure looking for plain text in a tree of many files."""
    home = bench.home(1_000)
    titles = ("", "MB/s of a processor", "MiB of memory", "promised", "")
    table = Table("scan, with 1,000 values of the store", titles)
    with bench.scratch("tree") as folder:
        size = 0
        text = Path(__file__).with_name("measure.py").read_bytes()
        for number in range(1 + bench.times(200)):
            size += Path(folder, f"{number}.py").write_bytes(text * 256)
        command = home.command("secrets", "scan", str(folder))
        empty = home.command("secrets", "scan", os.devnull)
        cpu = once(command).cpu - once(empty).cpu
        most = memory(command, 1)
    speed = size / 1e6 / cpu
    cells = (f"{speed:.0f}", f"{most:.0f}")
    table.add(f"{size / 1e6:.0f} MB of Python", *cells, measured=most, target=Target(100, "MiB"))
    return [table]


def run(bench: Bench) -> list[Table]:
    """Measure starting a program: until it says that it runs."""
    home = bench.home(1_000)
    note = "Up to the moment `date` tells the time, so the start of `date` is in each figure."
    table = Table("run, to the start of the program", RATIO, note)
    date = shutil.which("date") or "date"
    _add(bench, table, "`date` alone", Command([date, "+%s%N"], started=True), None)
    for count in (1, 100):
        for mask in (True, False):
            flags = [] if mask else ["--no-mask"]
            pairs = [f"--env=K{number}={homes.name(number)}" for number in range(count)]
            line = ["secrets", "run", *pairs, *flags, "--", date, "+%s%N"]
            words = f"{count} secrets, {'masked' if mask else '--no-mask'}"
            _add(bench, table, words, home.command(*line, started=True), 2.2)
    return [table]


def listing(bench: Bench) -> list[Table]:
    """Measure a piped list."""
    table = Table("list, piped", RATIO)
    for count, most in zip(SIZES, (None, 2.5, None), strict=True):
        command = bench.home(count).command("secrets", "list")
        _add(bench, table, f"list of {count:,}", command, most)
    return [table]


def commands(bench: Bench) -> list[Table]:
    """Measure the slow road: what is not asked often."""
    note = "In a home of their own: its trail has the thousand records that its secrets made."
    table = Table("other piped commands, 1,000 secrets", RATIO, note)
    with bench.scratch("commands") as folder:
        _slow_road(bench, table, homes.make(folder / "home", 1_000))
    for count in SIZES:
        command = bench.home(count).command("secrets", "set", homes.name(1), given=b"another one")
        _add(bench, table, f"secrets set, of {count:,}", command, 8)
    return [table]


def _slow_road(bench: Bench, table: Table, home: Home) -> None:
    for line in (
        "--help",
        "--version",
        "status",
        "config show",
        f"secrets status {homes.name(5)}",
        f"secrets history {homes.name(5)}",
        "secrets list --json",
        "secrets audit",
        "secrets audit verify",
        "store slots",
    ):
        _add(bench, table, line, home.command(*line.split()), 8)


def burst(bench: Bench) -> list[Table]:
    """Measure fifty resolves at once, as a gateway that starts asks for its keys."""
    home = bench.home(1_000)
    request = json.dumps({"protocolVersion": 1, "ids": [homes.name(7)]}).encode()
    command = home.command("secrets", "resolve", given=request)
    table = Table("50 at once on two processors", ("", "last done", "worst", "promised", ""))
    for words, each, target in (
        ("python -c pass", python(), None),
        ("resolve of one", command, Target(1, "s")),
    ):
        found = [at_once([each] * 50, cpus=2) for _ in range(bench.times(10))]
        median = statistics.median(found)
        cells = (f"{median:.2f} s", f"{max(found):.2f} s")
        table.add(words, *cells, measured=median, target=target)
    return [table]


def commit(bench: Bench) -> list[Table]:
    """Measure a change in a process that runs already, against a bare durable write."""
    note = (
        "The bare write is: create, write, fsync, rename, fsync of the folder. A whole `set` "
        "also reads the store and makes two records, one of them synced."
    )
    titles = ("", "bare write", "set", "ratio", "quartiles", "promised", "")
    table = Table("set, in one process", titles, note)
    for count in SIZES:
        home = bench.home(count)
        place = Place(str(home.path))
        settings = Settings({}, {})
        changes = assembly.changes(assembly.secrets(place, settings, {}), settings)
        with bench.scratch("bare") as folder:
            pairs = [(_bare_write(folder, home), _change(changes)) for _ in range(bench.times(50))]
        ratios = [mine / bare for bare, mine in pairs]
        lower, median, upper = statistics.quantiles(ratios, n=4)
        bare, mine = (statistics.median(each) * 1000 for each in zip(*pairs, strict=True))
        target = Target(3) if count == 1_000 else None
        cells = (f"{bare:.2f} ms", f"{mine:.2f} ms", f"{median:.2f}x", f"{lower:.2f}-{upper:.2f}")
        table.add(f"of {count:,}", *cells, measured=median, target=target)
    return [table]


_VALUE = SecretValue(b"sk-proj-0123456789012345678901234567890123456789")


def _change(changes: Changes) -> float:
    return _timed(lambda: changes.set(homes.name(3), _VALUE))


def _bare_write(folder: Path, home: Home) -> float:
    data = (home.path / "secrets" / "store.oc").read_bytes()
    opened = private_directory(str(folder))
    try:
        return _timed(lambda: opened.replace("store.oc", [data]))
    finally:
        opened.close()


def rotation(bench: Bench) -> list[Table]:
    """Measure `rotate --due`: with nothing due, and with a thousand generated secrets due."""
    table = Table("rotate --due, nothing due", RATIO)
    for count in SIZES[:2]:
        with bench.scratch(f"idle-{count}") as folder:
            rotating.schedule_all(folder, count)
            home = Home(folder, {})
            _add(bench, table, f"of {count:,}", home.command("secrets", "rotate", "--due"), 3)
    titles = ("", "writing all values", "rotating all", "ratio", "promised", "")
    due = Table("rotate --due of 1,000 generated secrets, in one commit", titles)
    with bench.scratch("due") as folder:
        found = rotating.all_due(folder, 1_000, bench.times(10))
    write, rotate = (statistics.median(each) * 1000 for each in (found.write, found.rotate))
    cells = (f"{write:.0f} ms", f"{rotate:.0f} ms", f"{found.ratio:.2f}x")
    due.add("all due", *cells, measured=found.ratio, target=Target(5))
    return [table, due]


def growth(bench: Bench) -> list[Table]:
    """Measure how get, set and list grow with the store."""
    titles = ("", *(f"{count:,}" for count in SIZES))
    note = "In times of the same command with 10 secrets, measured against it in pairs."
    table = Table("growth", titles, note)
    kinds: Mapping[str, Callable[[Home, int], Command]] = {
        "get": lambda home, count: home.get(count // 2 + 1),
        "set": lambda home, _: home.command("secrets", "set", homes.name(2), given=b"one more"),
        "list": lambda home, _: home.command("secrets", "list"),
    }
    for kind, make in kinds.items():
        first = make(bench.home(SIZES[0]), SIZES[0])
        cells = ["1x"]
        for count in SIZES[1:]:
            found = paired(make(bench.home(count), count), bench.times(60), first)
            cells.append(f"{found.median:.2f}x")
        table.add(kind, *cells)
    return [table]


def audit(bench: Bench) -> list[Table]:
    """Measure questions to the trail of a busy quarter."""
    events = 100_000 if bench.quick else 1_000_000
    table = Table(
        f"audit, {events:,} events over 90 days",
        ("", "median", "worst", "MiB", "promised", ""),
    )
    with bench.scratch("trail") as folder:
        make_trail.make(str(folder), events, 90)
        home = Home(folder, {})
        for line, often, target in (
            ("secrets audit --period 24h", 7, Target(1, "s")),
            ("secrets audit --period 7d", 5, None),
            ("secrets audit --period 24h --json", 5, None),
            ("secrets audit verify", 3, None),
        ):
            command = home.command(*line.split())
            walls = [once(command).wall for _ in range(often)]
            median = statistics.median(walls)
            cells = (f"{median:.2f} s", f"{max(walls):.2f} s", f"{memory(command, 1):.0f}")
            table.add(line, *cells, measured=median, target=target)
    return [table]


def check(bench: Bench) -> list[Table]:
    """Measure verifying every byte of a full store."""
    table = Table("store check", RATIO)
    command = bench.home(10_000).command("store", "check")
    _add(bench, table, "store check of 10,000", command, None)
    return [table]


def mask(bench: Bench) -> list[Table]:
    """Measure how fast a program's output is masked."""
    del bench
    secrets = masking.values(100)
    needles = Needles(secrets)
    note = "In reads of 64 KiB, in millions of bytes a second; the best of three."
    table = Table("masking, 100 secrets", ("", "MB/s", "promised", ""), note)
    for kind, output in masking.outputs(secrets).items():
        rate = max(masking.rate(needles, output, masking.READ) for _ in range(3))
        target = Target(50, "MB/s", at_least=True)
        table.add(kind, f"{rate:.0f}", measured=rate, target=target)
    return [table]


def instructions(bench: Bench) -> list[Table]:
    """Count the instructions of whole processes, which no neighbour changes."""
    if shutil.which("valgrind") is None:
        return [Table("instructions", ("",), "valgrind is missing: scripts/system-packages.sh")]
    table = Table("instructions of whole processes", ("", "ratio", "ceiling"))
    most = counts.ceilings()
    with bench.scratch("counted") as folder:
        found = counts.ratios(folder)
    for name, ratio in found.items():
        line = counts.lines()[name]
        words = f"{' '.join(line.words[:2])}, {line.secrets:,} secrets"
        table.add(words, f"{ratio:.3f}x", f"{most[name]:g}x")
    table.note = f"As ceilings: {counts.as_ceilings(found)}"
    return [table]


def _add(bench: Bench, table: Table, words: str, command: Command, most: float | None) -> None:
    found = paired(command, bench.times(100))
    size = memory(command, 2)
    target = None if most is None else Target(most)
    table.add(words, *_shown(found, size), measured=found.median, target=target)
    if command.argv[1:3] == ["secrets", "get"] and size > _GET_MIB:
        table.missed.append(f"{table.title}, {words}: {size:.1f} MiB, promised ≤ {_GET_MIB} MiB")


_GET_MIB = 22


def _shown(found: Ratio, size: float) -> tuple[str, ...]:
    return (
        f"{found.median:.2f}x",
        f"{found.lower:.2f}-{found.upper:.2f}",
        f"{found.least:.2f}x",
        f"{found.cpu:.2f}x",
        f"{found.seconds * 1000:.1f}",
        f"{size:.1f}",
    )


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


SECTIONS: Mapping[str, Callable[[Bench], list[Table]]] = {
    "get": get,
    "resolve": resolve,
    "run": run,
    "list": listing,
    "commands": commands,
    "burst": burst,
    "commit": commit,
    "rotation": rotation,
    "agents": agents,
    "broker": brokered.section,
    "backends": elsewhere.section,
    "growth": growth,
    "audit": audit,
    "check": check,
    "masking": mask,
    "scan": scan,
    "instructions": instructions,
}


_VERSIONS = """
import importlib.metadata as m
print(", ".join(f"{each} {m.version(each)}" for each in ("typer", "cryptography")))
"""


def machine() -> str:
    """Say on what it was measured, in kinds and versions."""
    model = subprocess.run(
        ["sh", "-c", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    versions = subprocess.run(
        [sys.executable, "-c", _VERSIONS],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    number = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{model or os.uname().machine}, {os.cpu_count()} processors, Linux "
        f"{os.uname().release.partition('-')[0]}, Python {number}, {versions}"
    )
