"""Time-outs, redelivery, reconnects and replays on the way from Slack to the app."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.local.slack import World
from bot.local.slack.http_delivery import signature
from tests.local.slack_bed import bolt_app, by_http, by_socket, workspace

WIRES = pytest.mark.parametrize("wire", [by_socket, by_http])


def mention_app(world: World, heard: list[dict[str, Any]]) -> AsyncApp:
    """An app that only hears mentions, and notes each with its headers."""
    world.app.events = ["app_mention"]
    app = bolt_app(world)

    @app.event("app_mention")
    async def mention(body: dict[str, Any]) -> None:
        heard.append(body)

    return app


def deaf_app(world: World) -> AsyncApp:
    app = bolt_app(world)

    @app.command("/orch")
    async def orch() -> None:
        """Never acknowledges."""

    @app.action("approve")
    async def approve() -> None:
        """Never acknowledges."""

    return app


@WIRES
async def test_what_is_not_acknowledged_in_time_fails_and_is_not_repeated(wire: Any) -> None:
    async with workspace() as world, wire(world, deaf_app(world)):
        world.delivery.ack_timeout = 0.1
        delivery = await world.run_command("U0DEV", "C0DEV", "/orch", "list")
        assert (delivery.acked, delivery.attempts, delivery.error) == (False, 1, "operation_timeout")
        [notice] = world.ephemerals("U0DEV", "C0DEV")
        assert notice.text == '/orch failed with the error "operation_timeout"'


async def test_without_a_connection_a_command_fails_and_an_event_waits() -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world:
        app = mention_app(world, heard)
        assert (await world.run_command("U0DEV", "C0DEV", "/orch")).error == "dispatch_failed"
        world.delivery.retry_delays = (0.3,)
        delivery = await world.post_message("U0DEV", "C0DEV", "@orch hello")
        assert (delivery.acked, delivery.attempts) == (False, 1)
        async with by_socket(world, app):
            await world.settled()
    assert (delivery.acked, delivery.attempts, len(heard)) == (True, 2, 1)


@WIRES
async def test_an_event_whose_ack_is_lost_comes_again_with_the_same_id(wire: Any) -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world, wire(world, mention_app(world, heard)):
        world.faults.drop_acks = 2
        delivery = await world.post_message("U0DEV", "C0DEV", "@orch hello")
        await world.settled()
    assert (delivery.acked, delivery.attempts, len(heard)) == (True, 3, 3)
    assert len({body["event_id"] for body in heard}) == 1


async def test_redelivery_gives_up_after_three_and_says_which_it_is() -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world, by_http(world, mention_app(world, heard)):
        world.faults.drop_acks = 9
        delivery = await world.post_message("U0DEV", "C0DEV", "@orch hello")
        await world.settled()
        retries = [request.headers.get("x-slack-retry-num") for request in world.faults.signed_requests]
    assert (delivery.acked, delivery.attempts, retries) == (False, 4, [None, "1", "2", "3"])
    assert world.faults.signed_requests[1].headers["x-slack-retry-reason"] == "http_timeout"


@WIRES
async def test_everything_can_come_twice(wire: Any) -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world, wire(world, mention_app(world, heard)):
        world.faults.duplicate = True
        assert (await world.post_message("U0DEV", "C0DEV", "@orch hello")).acked
        await world.settled()
    assert len(heard) == 2 and heard[0] == heard[1]


@pytest.mark.parametrize("how", ["warning", "refresh_requested", "abort"])
async def test_the_app_reconnects(how: Any) -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world, by_socket(world, mention_app(world, heard), ping_interval=2):
        if how == "abort":
            world.faults.abort()
        else:
            await world.faults.disconnect(how)
        await world.app_connected()
        assert (await world.post_message("U0DEV", "C0DEV", "@orch hello")).acked
    assert len(heard) == 1


async def test_a_second_connection_takes_its_turn() -> None:
    first: list[dict[str, Any]] = []
    second: list[dict[str, Any]] = []
    async with workspace() as world, by_socket(world, mention_app(world, first)):
        async with by_socket(world, mention_app(world, second)):
            for _ in range(4):
                await world.post_message("U0DEV", "C0DEV", "@orch hello")
        await world.post_message("U0DEV", "C0DEV", "@orch hello")
    assert (len(first), len(second)) == (3, 2)


async def test_http_requests_are_signed_verified_and_can_be_replayed() -> None:
    heard: list[dict[str, Any]] = []
    async with workspace() as world, by_http(world, mention_app(world, heard)):
        assert await world.http.verify_url()
        await world.post_message("U0DEV", "C0DEV", "@orch hello")
        request = world.faults.signed_requests[-1]
        assert await world.faults.replay(request) == 200
        assert len(heard) == 2 and heard[0]["event_id"] == heard[1]["event_id"]
        world.app.signing_secret = "another"
        delivery = await world.post_message("U0DEV", "C0DEV", "@orch hello")
        assert (delivery.acked, delivery.error) == (False, "http_error")


def test_the_signature_is_the_one_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected


async def test_closing_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    heard: list[dict[str, Any]] = []
    async with workspace() as world:
        world.delivery.retry_delays = (60.0,)
        async with by_socket(world, mention_app(world, heard)):
            await world.post_message("U0DEV", "C0DEV", "@orch hello")
        await world.post_message("U0DEV", "C0DEV", "@orch anybody there?")
    left = asyncio.all_tasks() - before
    if left:  # the SDK's own, on their way out
        assert not (await asyncio.wait(left, timeout=60))[1]
