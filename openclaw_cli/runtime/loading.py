"""The handler of an agent, loaded once in its zygote. Standard library only, and little of it.

What a zygote imports each of its instances pays for, in pages that the kernel copies.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from openclaw_cli.runtime.wire import Message

    Handler: TypeAlias = Callable[..., Any]

_BUILT_IN = {
    "chat": "openclaw_cli.handlers.chat:handle",
    "acp": "openclaw_cli.handlers.acp:handle",
}
_CO_COROUTINE = 0x80  # as `inspect` has it, which is large


class Unloadable(Exception):  # noqa: N818  a settings mistake, told in the gateway's words
    """The handler cannot be loaded; the text is ours."""


def refuse_writers(folders: list[str]) -> None:
    """Take code from no folder that others can write into; one that is not there has none.

    Raises `Unloadable`. In a user namespace it could not be told whose a folder is.
    """
    for folder in folders:
        try:
            found = os.stat(folder)
        except OSError:
            continue
        if found.st_uid not in (os.geteuid(), 0):
            raise Unloadable(f"{folder} belongs to another user")
        if found.st_mode & 0o022:
            raise Unloadable(f"others can write {folder}: chmod go-w {folder}")


def load(plan: Message) -> Handler | None:
    """Import an agent's handler, and let it warm up; None for a program."""
    for each in reversed(plan["python_path"]):
        sys.path.insert(0, each)
    if plan["directory"]:
        try:
            os.chdir(plan["directory"])
        except OSError as refused:
            reason = os.strerror(refused.errno or 0).lower()
            raise Unloadable(f"cannot enter {plan['directory']}: {reason}") from None
    if plan["kind"] == "command":
        return None
    named = plan["handler"] or _BUILT_IN[plan["kind"]]
    module_name, _, attribute = named.partition(":")
    module = _imported(module_name, named)
    found = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise Unloadable(f"{named}: the module {module_name} has no {attribute}")
    if not callable(found):
        raise Unloadable(f"{named} cannot be called")
    _warm(module, found)
    return found  # type: ignore[no-any-return]


def _warm(module: Any, handler: Handler) -> None:  # noqa: ANN401  a module
    """Do once, in the zygote, what each instance would do otherwise."""
    if _is_async(handler):
        __import__("asyncio")
    warm = getattr(module, "warmup", None)
    if callable(warm):
        try:
            warm()
        except Exception as broken:  # noqa: BLE001  somebody else's; its text may quote anything
            name = module.__name__
            raise Unloadable(f"{name}: warmup raised {type(broken).__name__}") from None


def _is_async(handler: Handler) -> bool:
    """Tell whether a function, or a turn of a session, is one to be awaited."""
    code = getattr(getattr(handler, "turn", handler), "__code__", None)
    return bool(code and code.co_flags & _CO_COROUTINE)


def _imported(name: str, named: str) -> Any:  # noqa: ANN401  a module
    try:
        __import__(name)  # `importlib` would stay in the memory of each instance
        return sys.modules[name]
    except ModuleNotFoundError as missing:
        raise Unloadable(f"{named}: there is no module {missing.name}") from None
    except Exception as broken:  # noqa: BLE001  somebody else's module; its text may quote anything
        kind = type(broken).__name__
        raise Unloadable(f"{named}: importing it raised {kind}{where(broken)}") from None


def where(broken: BaseException) -> str:
    """Say in which file and line something was raised, of files that are not Python's own if any.

    Of code that is none it is where that is wrong.
    """
    if isinstance(broken, SyntaxError) and broken.filename:
        return f" at {os.path.basename(broken.filename)}:{broken.lineno}"
    place = own = ""
    trace = broken.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        place = f" at {os.path.basename(file)}:{trace.tb_lineno}"
        if not file.startswith(("<", sys.prefix, sys.base_prefix)):
            own = place
        trace = trace.tb_next
    return own or place
