"""Two agents: one keeps a secret, the other runs whatever it is given to get at it."""

from __future__ import annotations

import ctypes
import io
import os
import socket
import subprocess
import sys
import traceback
from contextlib import redirect_stdout
from typing import Any


class Keeper:
    """A session that holds its secret, in memory and in its environment."""

    def start(self, ctx: Any) -> None:
        """Take the secret."""
        self.kept = ctx.secrets["crown"]

    def turn(self, given: Any, _ctx: Any) -> dict[str, Any]:
        """Say where it is, not what."""
        address = id(self.kept) + str.__basicsize__ - 1
        return {"pid": os.getpid(), "zygote": os.getppid(), "address": address, "given": given}


def try_it(code: str, ctx: Any) -> str:
    """Run code; return what it printed, and how it failed."""
    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    words = {"ctx": ctx, "ctypes": ctypes, "libc": libc, "checked": checked, "socket": socket}
    words |= {"os": os, "sys": sys, "subprocess": subprocess}
    said = io.StringIO()
    with redirect_stdout(said):
        try:
            exec(code, words)  # noqa: S102  that is what it is for
        except BaseException:  # noqa: BLE001
            said.write("FAILED " + traceback.format_exc())
    return said.getvalue()
