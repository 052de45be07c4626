"""What AWS says when it refuses, and what botocore raises: by code and by type, never by text."""

from __future__ import annotations

import re
from typing import Any

from openclaw_cli.errors import ConfigError, DeniedError, OpenclawError, TemporaryError

_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,63}")
_SERVER_ERROR = 500

NOT_FOUND = frozenset(
    (
        "NotFoundException",
        "ParameterNotFound",
        "ParameterVersionNotFound",
        "ResourceNotFoundException",
    )
)
_DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedOperation",
    )
)
EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"))
UNKNOWN_KEY = frozenset(
    (
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)
WRONG_TIME = frozenset(("RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"))
_SLOWER = frozenset(  # nothing was done, so anything can be sent again
    (
        "LimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
    )
)
_AWAY = frozenset(
    (
        "DependencyTimeoutException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalServiceErrorException",
        "KMSInternalException",
        "KeyUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    )
)

# Botocore's exceptions by name, and what they mean; no hint: how to sign in.
MEANINGS: tuple[tuple[tuple[str, ...], type[OpenclawError], str, str], ...] = (
    (
        ("ProfileNotFound",),
        ConfigError,
        "the AWS profile does not exist",
        "aws configure list-profiles",
    ),
    (("NoCredentialsError",), DeniedError, "no AWS credentials were found", ""),
    (
        ("SSOError", "TokenRetrievalError", "UnauthorizedSSOTokenError", "LoginError"),
        DeniedError,
        "the AWS sign-in has ended",
        "",
    ),
    (
        ("CredentialRetrievalError",),
        DeniedError,
        "what the AWS profile names gave no credentials",
        "",
    ),
    (
        ("MetadataRetrievalError", "HTTPClientError"),
        TemporaryError,
        "what gives the AWS credentials cannot be reached",
        "aws sts get-caller-identity",
    ),
    (
        (
            "ConfigNotFound",
            "ConfigParseError",
            "EndpointProviderError",
            "InfiniteLoopConfigError",
            "InvalidConfigError",
            "InvalidRegionError",
            "NoRegionError",
            "PartialCredentialsError",
        ),
        ConfigError,
        "the AWS configuration cannot be used",
        "aws configure list",
    ),
)


class Rejected(Exception):  # noqa: N818 - not an error of ours: who asked knows what it means
    """AWS answered with an error: its code, which is "" when it is not one of Amazon's."""

    def __init__(self, action: str, code: str, status: int, retry_after: float) -> None:
        super().__init__(action, code, status)
        self.action = action
        self.code = code
        self.status = status
        self.retry_after = retry_after

    @property
    def slower(self) -> bool:
        """Whether we are to come back later, and nothing was done."""
        return self.code in _SLOWER or self.status == 429  # noqa: PLR2004

    @property
    def away(self) -> bool:
        """Whether the service itself is in trouble."""
        return self.code in _AWAY or self.status >= _SERVER_ERROR

    @property
    def denied(self) -> bool:
        """Whether a policy forbids it."""
        return self.code in _DENIED or (not self.code and self.status in {401, 403})


def refusal(service: str, refused: Any) -> Rejected:  # noqa: ANN401 - botocore's ClientError
    """Return what a refusal of a service says."""
    answer = refused.response
    code = str(answer.get("Error", {}).get("Code", ""))
    about = answer.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode", 0)
    after = str(about.get("HTTPHeaders", {}).get("retry-after", ""))
    prefix = "sts" if refused.operation_name.startswith("AssumeRole") else service
    return Rejected(
        f"{prefix}:{refused.operation_name}",
        code if _CODE.fullmatch(code) else "",
        status if isinstance(status, int) else 0,
        float(after) if after.isascii() and after.isdigit() else 0,
    )
