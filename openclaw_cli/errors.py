"""What can go wrong, and the exit status each kind keeps for ever.

A message says what and where, in lower case, without a full stop, and never holds a value nor the
text of a library's own exception. A hint says what to do next; it is a command when it can be.
`docs/reference/statuses.md` is the table for readers.
"""

from __future__ import annotations


class OpenclawError(Exception):
    """The root of every error that is meant for a person.

    `status` is the number of the kind, `kind` the stable word for machines and for the trail;
    `exit_status` is the same number, except where a command promises another.
    """

    status = 1
    kind = "internal"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_status = self.status


class UsageError(OpenclawError):
    """The command line cannot be understood."""

    status = 2
    kind = "usage"


class NotFoundError(OpenclawError):
    """The secret, version or file asked for does not exist."""

    status = 3
    kind = "not_found"


class IntegrityError(OpenclawError):
    """Stored bytes are not what was written: damage, tampering or an old copy put back."""

    status = 4
    kind = "integrity"


class LockedError(OpenclawError):
    """The store cannot be opened: its key is missing, wrong or needs a passphrase."""

    status = 5
    kind = "locked"


class DeniedError(OpenclawError):
    """A permission or a grant forbids it."""

    status = 6
    kind = "denied"


class RefusedError(OpenclawError):
    """A backend or provider said no, and would say no again."""

    status = 7
    kind = "refused"


class PartialError(OpenclawError):
    """Some of several things failed; the message says which."""

    status = 8
    kind = "partial"


class UnrecordedError(OpenclawError):
    """The trail could not be written, so nothing was given."""

    status = 9
    kind = "unrecorded"


class FindingsError(OpenclawError):
    """A check ran and found something."""

    status = 10
    kind = "findings"


class ConflictError(OpenclawError):
    """It exists already, or somebody else changed it first."""

    status = 11
    kind = "conflict"


class StorageError(OpenclawError):
    """Input or output failed; the message says whether the change was committed."""

    status = 74
    kind = "io"


class TemporaryError(OpenclawError):
    """It may work later: a lock, a time limit, a throttle."""

    status = 75
    kind = "temporary"


class ConfigError(OpenclawError):
    """A setting is wrong, or the library it needs is not installed."""

    status = 78
    kind = "config"
