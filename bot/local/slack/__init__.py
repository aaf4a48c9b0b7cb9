"""An emulated Slack workspace: Web API, Socket Mode, signed HTTP delivery, limits and faults.

Not emulated: OAuth, several apps or workspaces, Enterprise Grid, group direct messages, user groups, scheduled
messages, unfurling, legacy attachments' actions, external selects' options, broadcast replies.
"""

from bot.local.slack.records import (
    AppConfig,
    Change,
    Channel,
    Command,
    Delivery,
    File,
    Message,
    Shortcut,
    User,
    View,
)
from bot.local.slack.seed import Seed
from bot.local.slack.server import SlackServer
from bot.local.slack.world import World

__all__ = [
    "AppConfig",
    "Change",
    "Channel",
    "Command",
    "Delivery",
    "File",
    "Message",
    "Seed",
    "Shortcut",
    "SlackServer",
    "User",
    "View",
    "World",
]
