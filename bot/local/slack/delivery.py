"""Brings what happens in the workspace to the app: in time or not, once or again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.local.slack.records import Delivery, Json

if TYPE_CHECKING:
    from bot.local.slack.faults import Faults

Kind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True)
class Envelope:
    """One thing to deliver. `attempt` counts from 0; `reason` says why the attempt before failed."""

    kind: Kind
    payload: Json
    accepts_response: bool = False
    attempt: int = 0
    reason: str = ""


class NotDelivered(Exception):
    """The app was not reached or did not acknowledge. `retry` False: it asked not to be told again."""

    def __init__(self, reason: str, *, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


class Transport(Protocol):
    async def send(self, envelope: Envelope) -> Json | None:
        """Deliver, and wait for the acknowledgement; the answer that came with it. Raises NotDelivered."""


class Dispatcher:
    """Events are sent again after each of `retry_delays`; the rest never."""

    def __init__(self, transport: Callable[[], Transport], faults: Faults) -> None:
        self.transport = transport
        self.faults = faults
        self.ack_timeout = 3.0  # seconds
        self.retry_delays: tuple[float, ...] = (1.0, 60.0, 300.0)  # seconds
        self._tasks: set[asyncio.Task[Any]] = set()

    async def interact(self, envelope: Envelope) -> Delivery:
        """Deliver a command or an interaction, once."""
        delivery = Delivery()
        await self._attempt(envelope, delivery)
        return delivery

    async def tell(self, payload: Json) -> Delivery:
        """Deliver an event. Returns after the first attempt; further ones go on in the background."""
        delivery = Delivery()
        envelope = Envelope("events_api", payload)
        failure = await self._attempt(envelope, delivery)
        if failure and failure.retry:
            self.background(self._redeliver(envelope, delivery, failure))
        return delivery

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait for all that goes on in the background."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _redeliver(self, envelope: Envelope, delivery: Delivery, failure: NotDelivered) -> None:
        for attempt, delay in enumerate(self.retry_delays, start=1):
            await asyncio.sleep(delay)
            again = replace(envelope, attempt=attempt, reason=failure.reason)
            next_failure = await self._attempt(again, delivery)
            if next_failure is None or not next_failure.retry:
                return
            failure = next_failure

    async def _attempt(self, envelope: Envelope, delivery: Delivery) -> NotDelivered | None:
        """Try once, and note the outcome in `delivery`."""
        delivery.attempts += 1
        failure: NotDelivered | None = None
        try:
            async with asyncio.timeout(self.ack_timeout):
                delivery.payload = await self._send(envelope)
        except NotDelivered as refused:
            failure = refused
        except TimeoutError:
            failure = NotDelivered("http_timeout")
        delivery.acked = failure is None
        delivery.error = failure.reason if failure else None
        return failure

    async def _send(self, envelope: Envelope) -> Json | None:
        copies = 2 if self.faults.duplicate else 1
        transport = self.transport()
        answers = await asyncio.gather(*(transport.send(envelope) for _ in range(copies)), return_exceptions=True)
        if isinstance(answers[0], BaseException):
            raise answers[0]
        if self.faults.drop_acks and self.faults.drop_acks_of in (None, envelope.kind):
            self.faults.drop_acks -= 1
            raise NotDelivered("http_timeout")
        return answers[0]
