"""What a failed model call means for the ledger, decided once for every provider (DESIGN, "At most once").

The question is only: can the provider have done the work, and so bill it?

    never sent       cannot connect, TLS, proxy, no free connection     ModelRefusedCall, retryable
    4xx              refused before any work                            ModelRefusedCall; 408 409 425 429 retryable
    499              the provider saw us hang up: it may have worked    ModelOutcomeUnknown
    529, and 503 with the provider's own error body: load shedding      ModelRefusedCall, retryable
    other 5xx        a gateway's or the model's failure, maybe midway   ModelOutcomeUnknown, retryable
    3xx              not the API at all                                 ModelRefusedCall
    sent, no answer  time-out, cut connection, unreadable answer        ModelOutcomeUnknown, retryable
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any
from urllib.parse import urlsplit

from bot.errors import ConfigError, ModelError, ModelOutcomeUnknown, ModelRefusedCall

CONNECT_SECONDS = 10.0
RETRYABLE = frozenset({408, 409, 425, 429})
#: Names of httpx2's errors that are raised before a request's first byte is sent.
NEVER_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Provider:
    """What the texts need to name: `Anthropic`, the setting of its key and of its address, and that key
    (never shown: it is cut out of what the provider says)."""

    name: str
    key_setting: str
    url_setting: str
    key: str

    def status(
        self, code: int, message: str, *, model: str, own_body: bool, retry_after: float | None = None
    ) -> ModelError:
        """The error for an answer with an HTTP status other than 200. `own_body`: the answer is in the
        provider's own error form, so it comes from the provider and not from a gateway before it."""
        said = self._said(message)
        if code == 499 or (500 <= code < 600 and code != 529 and not (code == 503 and own_body)):
            return ModelOutcomeUnknown(
                f"{self.name} failed with HTTP {code}{said}. The call may have been billed, so it is counted "
                "in full. Trying again later may work.",
                retryable=True,
                retry_after_seconds=retry_after,
            )
        retryable = code in RETRYABLE or code >= 500
        return ModelRefusedCall(
            f"{self._refusal(code, model)}{said}. Nothing is owed for this call.",
            retryable=retryable,
            retry_after_seconds=retry_after if retryable else None,
        )

    def transport(self, cause: BaseException) -> ModelError:
        """The error for a call that got no answer, by the HTTP library's exception."""
        kind = type(cause).__name__
        if kind in NEVER_SENT:
            return ModelRefusedCall(
                f"{self.name} could not be reached ({kind}). Nothing was sent, and nothing is owed. Check the "
                f"network, and {self.url_setting} if it is set.",
                retryable=True,
            )
        return self.no_answer(kind)

    def no_answer(self, why: str) -> ModelOutcomeUnknown:
        """The error for a call that was sent, but whose answer never came or cannot be read."""
        return ModelOutcomeUnknown(
            f"{self.name} was asked, but its answer did not arrive or cannot be read ({why}). The call may have "
            "been billed, so it is counted in full. Trying again later may work.",
            retryable=True,
        )

    def not_set_up(self, error: Exception) -> ModelRefusedCall:
        """The error for a client that its SDK refuses to make: an address that is none, say."""
        return ModelRefusedCall(
            f"The client for {self.name} could not be made ({type(error).__name__}). Nothing was sent, and nothing "
            f"is owed. Check {self.url_setting} and the SDK's own environment variables, and restart Orch.",
            retryable=False,
        )

    def _refusal(self, code: int, model: str) -> str:
        match code:
            case 401:
                return f"{self.name} refused the key in {self.key_setting}. Put a valid key there and restart Orch"
            case 402:
                return f"{self.name} wants payment first. Add credit to the account of {self.key_setting}"
            case 403:
                return f"The key in {self.key_setting} may not use {model or 'this'} at {self.name}"
            case 404:
                return (
                    f"{self.name} does not know the model {model}. Set models.<rung>.id to one that `orch doctor` lists"
                )
            case 413:
                return f"The request is too large for {self.name}. Split the task or declare fewer files"
            case 429:
                return f"{self.name} is limiting the rate of calls. Orch waits and tries again"
            case 503 | 529:
                return f"{self.name} is overloaded. Orch waits and tries again"
            case _ if 300 <= code < 400:
                return (
                    f"{self.name} answered with a redirect (HTTP {code}), which is not followed. "
                    f"Check {self.url_setting}"
                )
            case _:
                return f"{self.name} refused the call (HTTP {code})"

    def _said(self, message: str) -> str:
        """What the provider said, on one line, at most 300 characters, without the key."""
        line = " ".join(message.split()).replace(self.key, "[key]").rstrip(". ")
        if not line:
            return ""
        return f' (it said: "{line if len(line) <= 300 else line[:297] + "..."}")'


def checked_key(key: str, setting: str) -> str:
    """The key without surrounding blanks. Raises ConfigError where no header could carry it."""
    key = key.strip()
    if not key or not all("!" <= char <= "~" for char in key):
        raise ConfigError(f"{setting} does not hold a key: it is empty, or has blanks or characters that no key has.")
    return key


def retry_after_seconds(headers: Any) -> float | None:
    """Seconds to wait, of `retry-after-ms` or `retry-after` (seconds or a date); None if neither is there."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (TypeError, ValueError):
        return None


def trusts_environment(base_url: str | None) -> bool:
    """Whether proxies of the environment apply: not to an address on this very machine."""
    return base_url is None or urlsplit(base_url).hostname not in LOOPBACK


def text_of(value: object) -> str:
    """A string of the wire, or "" for anything else."""
    return value if isinstance(value, str) else ""


def tokens_of(fields: Any, name: str, *, required: bool = False) -> int:
    """A count of tokens of the wire; missing or null is 0. Raises ValueError for what is no count, or for a
    missing one that is required: then nobody knows what the call used."""
    value = fields.get(name)
    if value is None and not required:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is not a count")
    return value
