"""Between a running program and the world: its output is masked, signals go through, it is reaped.

One loop waits for everything at once and never in a write: who is slow to read one stream does not
hold up the other, nor a signal.
"""

from __future__ import annotations

import _thread
import errno
import os
import select
import stat
import time

from openclaw_cli.errors import StorageError
from openclaw_cli.running.child import outcome
from openclaw_cli.running.masking import Masker, Needles

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from openclaw_cli.running.child import Channel
    from openclaw_cli.running.terminal import Session
else:
    import _signal as signal

_READ = 65536
# What a pipe that polls as writable takes without waiting; 512 is the least that POSIX allows.
_SURE_WRITE = getattr(select, "PIPE_BUF", 512)
# A beginning of a value that nothing follows for so long is shown, up to three bytes of it.
_IDLE_SECONDS = 0.03
# After the program's end, what it left behind may still write; after so long in silence it may not.
_QUIET_SECONDS = 1.0
# How often a job in the background looks whether it is in the foreground again: nobody tells it.
_FOREGROUND_SECONDS = 0.5
_SIGPIPE_STATUS = 141


class Stream:
    """One direction: read from `source`, mask, write to `sink`."""

    __slots__ = ("_masker", "_pending", "_step", "early_at", "failed", "sink", "source")

    def __init__(self, source: int, sink: int, masker: Masker | None) -> None:
        self.source = source
        self.sink = sink
        self.failed = 0
        self.early_at: float | None = None
        self._masker = masker
        self._pending = memoryview(b"")
        self._step = _READ if stat.S_ISREG(os.fstat(sink).st_mode) else _SURE_WRITE

    @property
    def open(self) -> bool:
        return self.source >= 0

    @property
    def pending(self) -> bool:
        return len(self._pending) > 0

    def fill(self) -> None:
        try:
            chunk = os.read(self.source, _READ)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last program on the other side of a terminal has gone
            chunk = b""
        if chunk:
            self._pending = memoryview(self._masker.feed(chunk) if self._masker else chunk)
        else:
            self._close()
            self._pending = memoryview(self._masker.finish() if self._masker else b"")
        self._settle()

    def idle(self) -> None:
        """Show what is held back, if it is little: nothing follows it."""
        self.early_at = None
        if self._masker is not None:
            self._pending = memoryview(self._masker.idle())

    def drain(self) -> None:
        try:
            self._pending = self._pending[os.write(self.sink, self._pending[: self._step]) :]
        except BlockingIOError:
            pass  # somebody made it so; it will poll as writable
        except OSError as failure:
            # Closed on our side, the program's next write fails as ours did.
            self.failed = failure.errno or errno.EIO
            self._pending = memoryview(b"")
            self._close()
        self._settle()

    def abandon(self) -> None:
        """Write the rest, and read no more."""
        if self.open and self._masker is not None:
            self._pending = memoryview(self._masker.finish())
        self._close()
        while self.pending:
            select.select((), (self.sink,), ())
            self.drain()

    def _settle(self) -> None:
        waiting = self.open and self._masker is not None and self._masker.waiting
        later = time.monotonic() + _IDLE_SECONDS
        self.early_at = later if waiting and not self.pending else None

    def _close(self) -> None:
        if self.open:
            os.close(self.source)
            self.source = -1


def relay(
    pid: int,
    channels: Sequence[Channel],
    values: Mapping[str, bytes],
    watched: Iterable[int],
    session: Session | None,
) -> int:
    """Return the program's status when it has ended and its output is written."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a write must say EPIPE, not end us
    if session is not None:
        session.resume()
    try:
        signals = _listen(watched)
        needles = Needles(values)
        streams = [Stream(channel.source, channel.sink, Masker(needles)) for channel in channels]
        status = _Wait(pid, signals, streams, session).run()
    finally:
        if session is not None:
            session.pause()
    failed = next((stream.failed for stream in streams if stream.failed), 0)
    if status or not failed:
        return status
    if failed == errno.EPIPE:
        return _SIGPIPE_STATUS
    raise StorageError(f"the program's output could not be written: {os.strerror(failed)}")


class _Wait:
    __slots__ = ("_heard", "_input", "_pid", "_session", "_signals", "_status", "_streams")

    def __init__(
        self, pid: int, signals: int, streams: list[Stream], session: Session | None
    ) -> None:
        self._pid = pid
        self._signals = signals
        self._streams = streams
        self._session = session
        self._status: int | None = None
        self._heard = 0.0
        self._input: Stream | None = None
        if session is not None and session.input_end >= 0:
            self._input = Stream(os.dup(0), session.input_end, None)

    def run(self) -> int:
        while True:
            now = time.monotonic()
            for stream in self._streams:
                if stream.early_at is not None and stream.early_at <= now:
                    stream.idle()
            if self._status is not None and self._over(now):
                break
            self._step(now)
        for stream in self._streams:
            stream.abandon()
        return self._status

    def _over(self, now: float) -> bool:
        if any(stream.pending for stream in self._streams):
            return False
        still_open = any(stream.open for stream in self._streams)
        return not still_open or now >= self._heard + _QUIET_SECONDS

    def _step(self, now: float) -> None:
        poller = select.poll()
        actions: dict[int, Callable[[], None]] = {self._signals: self._answer_signals}
        poller.register(self._signals, select.POLLIN)
        for stream in self._flowing():
            fd = stream.sink if stream.pending else stream.source
            actions[fd] = stream.drain if stream.pending else stream.fill
            poller.register(fd, select.POLLOUT if stream.pending else select.POLLIN)
        ready = poller.poll(self._timeout(now))
        if ready and self._status is not None:
            self._heard = time.monotonic()
        for fd, _ in ready:
            actions[fd]()

    def _flowing(self) -> list[Stream]:
        streams = list(self._streams)
        if self._input is not None and self._session is not None and self._session.has_input():
            streams.append(self._input)
        return [stream for stream in streams if stream.pending or stream.open]

    def _timeout(self, now: float) -> float | None:
        moments = [stream.early_at for stream in self._streams if stream.early_at is not None]
        if self._status is not None:
            moments.append(self._heard + _QUIET_SECONDS)
        if self._session is not None and self._session.in_background:
            moments.append(now + _FOREGROUND_SECONDS)
        return max(0.0, min(moments) - now) * 1000 + 1 if moments else None

    def _answer_signals(self) -> None:
        received = os.read(self._signals, 512)
        for at in range(0, len(received), 2):
            self._answer(received[at], by_kernel=bool(received[at + 1]))

    def _answer(self, number: int, *, by_kernel: bool) -> None:
        own_group = self._session is None or not self._session.leads
        if number == signal.SIGCHLD:
            self._reap()
        elif number == signal.SIGWINCH and self._session is not None:
            self._session.resize()
        elif number == signal.SIGCONT:
            if self._session is not None:
                self._session.resume()
            self._kill(number)
        elif not (by_kernel and own_group):
            # What the kernel sent for a key, or for a closed terminal, went to the program as well.
            self._kill(number)
        if number == signal.SIGTSTP and own_group:
            _stop()

    def _kill(self, number: int) -> None:
        if self._status is None:
            os.kill(self._pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self._pid and os.WIFSTOPPED(status):
                self._suspend()
            elif pid == self._pid:
                self._status = outcome(status)
                self._heard = time.monotonic()

    def _suspend(self) -> None:
        """Stop with the program, whose terminal is not the one that our shell watches."""
        if self._session is not None and self._session.leads:
            self._session.pause()
            _stop()
            self._session.resume()
            self._kill(signal.SIGCONT)


def _stop() -> None:
    """Stop this process as Ctrl-Z does: not where there is no shell that could continue it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTSTP,))
    signal.pthread_kill(_thread.get_ident(), signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTSTP,))


def _listen(watched: Iterable[int]) -> int:
    """Return a descriptor that gives two bytes for each signal: its number, and 1 from the kernel.

    A handler is not told who sent the signal, and a second SIGINT ends many a program at once.
    """
    # Elsewhere than on Linux, what is ignored by default is not kept for who waits.
    for number in (signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH):
        if number in watched:
            signal.signal(number, lambda _number, _frame: None)
    source, end = os.pipe()
    _thread.start_new_thread(_pass_on, (frozenset(watched), end))
    return source


def _pass_on(watched: frozenset[int], end: int) -> None:
    from_keys = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP)
    while True:
        if hasattr(signal, "sigwaitinfo"):
            heard = signal.sigwaitinfo(watched)
            number, by_kernel = heard.si_signo, heard.si_code > 0
        else:  # macOS does not say who sent it
            number = signal.sigwait(watched)
            by_kernel = number in from_keys
        os.write(end, bytes((number, by_kernel)))
