"""Delivery over Socket Mode: the WebSocket side of apps.connections.open."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from contextlib import suppress
from typing import Literal

from aiohttp import WSCloseCode, WSMsgType, web

from bot.local.slack.delivery import Envelope, NotDelivered
from bot.local.slack.limits import SOCKETS
from bot.local.slack.records import AppConfig, Json

DisconnectReason = Literal["warning", "refresh_requested", "too_many_websockets"]


class Connection:
    """One WebSocket of the app, with the envelopes that it has yet to acknowledge."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.retiring = False  # told to go: used only when there is no other
        self.awaited: dict[str, asyncio.Future[Json | None]] = {}

    async def send(self, envelope: Envelope) -> Json | None:
        envelope_id = str(uuid.uuid4())
        acked: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self.awaited[envelope_id] = acked
        frame: Json = {
            "envelope_id": envelope_id,
            "payload": envelope.payload,
            "type": envelope.kind,
            "accepts_response_payload": envelope.accepts_response,
        }
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": envelope.attempt, "retry_reason": envelope.reason}
        try:
            await self.socket.send_json(frame)
            return await acked
        except ConnectionError as error:
            raise NotDelivered("connection_failed") from error
        finally:
            del self.awaited[envelope_id]

    async def listen(self) -> None:
        """Take acknowledgements until the socket closes; what is unacknowledged then has failed."""
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                ack = json.loads(message.data)
                awaited = self.awaited.get(ack.get("envelope_id"))
                if awaited is not None and not awaited.done():
                    awaited.set_result(ack.get("payload") or None)
        for awaited in self.awaited.values():
            if not awaited.done():
                awaited.set_exception(NotDelivered("connection_failed"))


class Sockets:
    """A Transport over the app's open connections, which take turns."""

    def __init__(self, app: AppConfig) -> None:
        self.app = app
        self.connections: list[Connection] = []
        self._tickets: set[str] = set()
        self._arrived = asyncio.Event()

    def ticket(self) -> str:
        """What one connection is opened with, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def connected(self) -> None:
        """Wait until the app has a connection that was not told to go."""
        await self._arrived.wait()

    async def send(self, envelope: Envelope) -> Json | None:
        choice = next(iter(self._fresh() or self.connections), None)
        if choice is None:
            raise NotDelivered("connection_failed")
        self.connections.remove(choice)
        self.connections.append(choice)
        return await choice.send(envelope)

    async def accept(self, request: web.Request) -> web.WebSocketResponse:
        """The handler of the WebSocket URL."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPUnauthorized(text="the ticket is unknown or was used")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=1.0)  # seconds to wait for the goodbye
        await socket.prepare(request)
        if len(self.connections) >= SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = Connection(socket, request)
        self.connections.append(connection)
        try:
            await socket.send_json(self._hello())
            self._arrived.set()
            await connection.listen()
        finally:
            self.connections.remove(connection)
            if not self._fresh():
                self._arrived.clear()
        return socket

    async def disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Ask the app to reconnect, as Slack does every few hours. It may use the old connections meanwhile."""
        for connection in self._retire():
            with suppress(ConnectionError):
                await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    def abort(self) -> None:
        """Cut every connection without a word, as a broken network does."""
        for connection in self._retire():
            transport = connection.request.transport
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        for connection in list(self.connections):
            with suppress(ConnectionError):
                await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    def _fresh(self) -> list[Connection]:
        return [connection for connection in self.connections if not connection.retiring]

    def _retire(self) -> list[Connection]:
        self._arrived.clear()
        for connection in self.connections:
            connection.retiring = True
        return list(self.connections)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.app.app_id},
        }
