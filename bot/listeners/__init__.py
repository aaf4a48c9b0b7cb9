"""Inbound Slack: parse, authorise, ack in milliseconds, then do the work or write a fact. `register` wires it all."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.listeners import (
    actions,
    budgets,
    commands,
    home,
    lists,
    messages,
    own_settings,
    people_standup,
    plans,
    quotes,
    shortcuts,
    threads,
    unknown,
    views,
    welcome,
)
from bot.listeners.desk import Desk
from bot.workflows.office import Office


def register(app: AsyncApp, office: Office) -> Desk:
    """Attach every listener to the Bolt app; returns the desk, which works off what a crash left over."""
    desk = Desk(office)
    for room in (
        commands,
        actions,
        lists,
        budgets,
        quotes,
        plans,
        views,
        messages,
        threads,
        shortcuts,
        home,
        own_settings,
        welcome,
        people_standup,
        unknown,
    ):
        room.register(app, desk)
    return desk
