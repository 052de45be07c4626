"""Terminals: a program whose output goes to one still finds one, though its output is masked.

Two ways. *In the foreground, at the keyboard*: the program gets a session of its own on a new
terminal, and ours is made raw, so every key, size and mode reaches the new one and what it does
(Ctrl-C, job control, full screens, password prompts) happens there, once. *Anything else* (input is
a pipe, we are in the background or part of a pipeline): only the output is a new terminal, and the
program stays in our session and process group, where the keyboard's signals reach it as always.
"""

from __future__ import annotations

import fcntl
import os
import termios
import tty

from openclaw_cli.running.child import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from typing import NoReturn

    from openclaw_cli.running.child import Channel
else:
    import _signal as signal

_OUTPUT_MODES = 1


def prepare(channels: Sequence[Channel]) -> Session:
    """Give each channel that is a terminal a new one of the same size."""
    first = next(channel for channel in channels if channel.terminal)
    session = Session(channels)
    session.leads = first.fds[0] == 1 and _same(0, 1) and _in_foreground()
    for channel in channels:
        if channel.terminal:
            channel.source, channel.program_end = os.openpty()
            modes = termios.tcgetattr(channel.sink)
            if not session.leads or channel is not first:
                modes[_OUTPUT_MODES] &= ~termios.OPOST  # the real one does it
            termios.tcsetattr(channel.program_end, termios.TCSANOW, modes)
            _copy_size(channel.sink, channel.program_end)
    if session.leads:
        session.slave = first.program_end
        session.input_end = os.dup(first.source)
        os.set_blocking(session.input_end, False)  # a program that does not read must not stop us
        first.fds.append(0)
    return session


class Session:
    """The terminals of one run; where the program `leads`, it is in the first of the two ways."""

    __slots__ = ("_channels", "_modes", "_raw", "input_end", "leads", "slave")

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = [channel for channel in channels if channel.terminal]
        self._modes = termios.tcgetattr(self._channels[0].sink)
        self._raw = False
        self.leads = False
        self.slave = self.input_end = -1

    def lead(self, ours: set[int], watched: set[int]) -> None:
        """In the new process: where the program leads, fork once more, and wait for it there.

        A program whose parent is in its own session can be stopped by Ctrl-Z; any other cannot.
        Returns in the program's process only; the descriptors that are `ours` are closed in the
        one that waits.
        """
        if not self.leads:
            return
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            _give(self.slave, os.getpid())
            return
        for fd in (ours | {self.input_end}) - {self.slave}:
            os.close(fd)
        _wait(pid, self.slave, watched)

    def resume(self) -> None:
        """Take the keyboard, if the program leads and it is ours to take."""
        if self.leads and _in_foreground():
            tty.setraw(0, termios.TCSANOW)
            self._raw = True
        self.resize()

    def pause(self) -> None:
        """Give the terminal back as it was."""
        if self._raw:
            self._raw = False
            try:
                termios.tcsetattr(0, termios.TCSANOW, self._modes)
            except termios.error:
                return  # it has gone

    def resize(self) -> None:
        """Give the new terminals the real one's size, and tell the program if that changed it."""
        changed = [_copy_size(channel.sink, channel.source) for channel in self._channels]
        if any(changed) and not self.leads:
            # The kernel told everyone before the new size could be read.
            os.killpg(os.getpgrp(), signal.SIGWINCH)

    @property
    def in_background(self) -> bool:
        return self.leads and not self._raw

    def has_input(self) -> bool:
        """Whether the keyboard is ours to read: a job that `fg` brought back is not told so."""
        if self.in_background and _in_foreground():
            self.resume()
        return self._raw


def _wait(pid: int, slave: int, watched: set[int]) -> NoReturn:
    """Pass signals on to the program, stop when it stops, end as it ends."""
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            os.kill(pid, number)
            continue
        ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if ended and os.WIFSTOPPED(status):
            os.kill(os.getpid(), signal.SIGSTOP)
            os.killpg(pid, signal.SIGCONT)
        elif ended:
            # What the program left running would else be hung up together with the terminal.
            _give(slave, os.getpid())
            os._exit(outcome(status))


def _give(slave: int, group: int) -> None:
    """Make the process group the terminal's foreground."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
    try:
        os.tcsetpgrp(slave, group)
    except OSError:
        return  # hung up
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _same(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # no terminal, or not the one of our session
        return False


def _copy_size(source: int, target: int) -> bool:
    try:
        size = termios.tcgetwinsize(source)
        changed = termios.tcgetwinsize(target) != size
        if changed:
            termios.tcsetwinsize(target, size)
    except (OSError, ValueError, termios.error):
        return False  # one of them has gone
    return changed
