"""The Web API methods, by family."""

from bot.local.slack.calls import Methods
from bot.local.slack.methods import chat, conversations, files, people, views

METHODS: Methods = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **views.METHODS,
}

__all__ = ["METHODS"]
