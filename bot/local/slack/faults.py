"""What can be made to go wrong between Slack and the app."""

from __future__ import annotations

from dataclasses import dataclass

from bot.local.slack.delivery import Kind
from bot.local.slack.http_delivery import HttpDelivery, SignedRequest
from bot.local.slack.socket_mode import DisconnectReason, Sockets


@dataclass
class ApiFault:
    """An answer put in place of the true one, `times` times. `after_effect`: the call has taken effect."""

    method: str
    error: str
    status: int
    retry_after: int | None
    times: int
    after_effect: bool


class Faults:
    """Switch on what should go wrong; all is well by default."""

    def __init__(self, sockets: Sockets, http: HttpDelivery) -> None:
        self.duplicate = False  # deliver everything twice
        self.drop_acks = 0  # lose that many of the next acknowledgements
        self.drop_acks_of: Kind | None = None  # only of these; None: of any
        self.api_delay = 0.0  # seconds before each answer of the Web API
        self.planned: list[ApiFault] = []
        self._sockets = sockets
        self._http = http

    def fail(
        self,
        method: str,
        error: str = "internal_error",
        *,
        status: int = 200,
        retry_after: int | None = None,
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Answer the next `times` calls of `method` ("*": of any) with `error`.

        `status` 500 is a broken server, 429 with `retry_after` seconds a rate limit. With `after_effect` the
        call is done all the same and only its answer is lost.
        """
        self.planned.append(ApiFault(method, error, status, retry_after, times, after_effect))

    def take(self, method: str) -> ApiFault | None:
        """The fault due for this call, if any; it is used up."""
        for fault in self.planned:
            if fault.method in (method, "*"):
                fault.times -= 1
                if fault.times <= 0:
                    self.planned.remove(fault)
                return fault
        return None

    async def disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Tell the app's sockets to reconnect."""
        await self._sockets.disconnect(reason)

    def abort(self) -> None:
        """Break the app's sockets off."""
        self._sockets.abort()

    @property
    def signed_requests(self) -> list[SignedRequest]:
        """What went out over HTTP, oldest first."""
        return list(self._http.sent)

    async def replay(self, request: SignedRequest) -> int:
        """Send an old request again, as an eavesdropper would; the status of the answer."""
        return await self._http.replay(request)
