"""A forked process that cannot be put apart answers nothing."""

from __future__ import annotations

import os
import socket

from openclaw_cli.agents import landlock
from openclaw_cli.runtime import birth
from openclaw_cli.runtime.worker import Worker


def ended(domain: landlock.Rules | None, group: tuple[int, ...] = ()) -> tuple[int, bytes]:
    """Return how an instance ends to which nobody sends anything, and what it prints."""
    plan = {"owner": 0, "zygote": os.getpid(), "memory": 0, "kind": "python", "keeps": False}
    ours, theirs = socket.socketpair()
    printed, output = os.pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        worker = Worker(plan, lambda given, _context: given)
        ends = (theirs.fileno(), output, *group)
        birth.begin(worker, ends, domain=domain, threaded=False)
    theirs.close()
    os.close(output)
    ours.close()
    with open(printed, "rb") as source:
        said = source.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def test_one_that_the_kernel_does_not_put_apart_ends_before_it_is_asked() -> None:
    rules = landlock.domain()
    assert rules is not None
    os.close(rules.fd)
    status, _ = ended(rules)
    assert status == 70


def test_one_that_it_puts_apart_waits_for_its_request() -> None:
    rules = landlock.domain()
    assert ended(rules) == (0, b"")


def test_one_that_cannot_enter_its_group_ends_before_it_is_asked() -> None:
    told, closed = os.pipe()
    os.close(closed)
    status, _ = ended(landlock.domain(), (told, told))  # nothing can be written there
    os.close(told)
    assert status == 70
