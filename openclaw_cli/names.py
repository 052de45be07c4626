"""What a secret may be called, and how a place is written: `backend://path?version=N#field`."""

from __future__ import annotations

from openclaw_cli.errors import UsageError

MAX_LENGTH = 256

_FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = _FIRST + "._:/-"
_EMPTY = frozenset(("", ".", ".."))
_FORMS = "for example openai-api-key, openai-api-key?version=2, or vault://team/db#password"

# A gateway written in JavaScript tests `id in errors`: these would always be found there.
_PROTOTYPE = frozenset(
    (
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    ),
)

_OTHER_TOOLS = {
    "op": "1Password",
    "bw": "Bitwarden",
    "ref+vault": "vals",
    "awssm": "another tool",
}


class Reference:
    """A place where a value lives.

    `backend` is empty for a bare name, whose backend is looked up; `version` is the word the
    backend uses for one of its versions, or None for the current one; `field` picks one field of
    a value that is an object.
    """

    __slots__ = ("backend", "field", "path", "version")

    def __init__(
        self, path: str, *, backend: str = "", version: str | None = None, field: str = ""
    ) -> None:
        self.backend = backend
        self.path = path
        self.version = version
        self.field = field

    def __str__(self) -> str:
        """Write it so that `parse` reads the same again."""
        text = f"{self.backend}://{self.path}" if self.backend else self.path
        if self.version is not None:
            text += f"?version={self.version}"
        return f"{text}#{self.field}" if self.field else text

    def __eq__(self, other: object) -> bool:
        """Two references are the same when they are written the same."""
        return isinstance(other, Reference) and str(self) == str(other)

    def __hash__(self) -> int:
        """Agree with `__eq__`."""
        return hash(str(self))


def check(name: str, what: str = "a secret") -> str:
    """Return the name, or raise `UsageError` saying which rule it breaks."""
    broken = _broken_rule(name)
    if broken:
        raise UsageError(
            f"not a name for {what}: {broken}",
            hint="use letters, digits and . _ : / - , starting with a letter or digit",
        )
    return name


def _broken_rule(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if name[0] not in _FIRST:
        return f"it starts with {name[0]!a}"
    strange = name.strip(_LETTERS)
    if strange:
        return f"it contains {strange[0]!a}"
    if not _EMPTY.isdisjoint(name.split("/")):
        return "it has an empty, '.' or '..' segment"
    if name in _PROTOTYPE:
        return f"{name} is a reserved word"
    return ""


def parse(text: str) -> Reference:
    """Read a reference or a bare name; raise `UsageError` when it is neither."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    elif not scheme or scheme.strip("abcdefghijklmnopqrstuvwxyz0123456789-+"):
        raise UsageError(
            "not a reference: the part before :// is not the name of a backend", hint=_FORMS
        )
    _refuse_other_tools(scheme)
    rest, _, field = rest.partition("#")
    path, _, query = rest.partition("?")
    if not field.isprintable():
        raise UsageError("not a reference: its field has control characters", hint=_FORMS)
    reference = Reference(path, backend=scheme, version=_version(query), field=field)
    return _settled(reference)


def _refuse_other_tools(scheme: str) -> None:
    if scheme in _OTHER_TOOLS:
        raise UsageError(
            f"{scheme}:// is a reference of {_OTHER_TOOLS[scheme]}, which is not a backend here",
            hint="copy the value over once: openclaw secrets create NAME",
        )


def _version(query: str) -> str | None:
    if not query:
        return None
    key, _, version = query.partition("=")
    if key != "version" or not version or not version.isascii() or not version.isprintable():
        raise UsageError("not a reference: after ? only version=N is understood", hint=_FORMS)
    return version


def _settled(reference: Reference) -> Reference:
    """Give the published forms their meaning: `vault://local/x` is the local store's x."""
    if reference.backend == "vault" and reference.path.startswith("local/"):
        reference.backend, reference.path = "local", reference.path[len("local/") :]
    elif reference.backend == "openclaw":
        reference.backend = ""
    if reference.backend in ("", "local"):
        check(reference.path)
    else:
        _check_path(reference.path)
    return reference


def _check_path(path: str) -> None:
    """Refuse what a backend's library would quietly fold into another path."""
    if not path or not path.isprintable() or path.split("/").count(".."):
        raise UsageError(
            "not a reference: its path is empty, has '..' or control characters", hint=_FORMS
        )
