"""users.*, bots.*, team.*, auth.* and api.*"""

from __future__ import annotations

from bot.local.slack.calls import Call, Method, Methods
from bot.local.slack.payloads import bot_json, user_json
from bot.local.slack.records import Json
from bot.local.slack.refusal import Refusal


def api_test(call: Call) -> Json:
    if "error" in call.args:
        raise Refusal(str(call.args["error"]), {"args": call.args})
    return {"args": call.args}


def auth_test(call: Call) -> Json:
    world = call.world
    return {
        "url": f"{world.base_url}/",
        "team": world.team.name,
        "user": world.bot.name,
        "team_id": world.team.id,
        "user_id": world.bot.id,
        "bot_id": world.app.bot_id,
        "is_enterprise_install": False,
    }


def users_info(call: Call) -> Json:
    return {"user": user_json(call.user())}


def users_list(call: Call) -> Json:
    page, cursor = call.page(list(call.world.users.values()), 1000)
    told = [user_json(user) for user in page]
    return {"members": told, "cache_ts": int(call.world.clock()), "response_metadata": cursor}


def bots_info(call: Call) -> Json:
    if call.args.get("bot", call.world.app.bot_id) != call.world.app.bot_id:
        raise Refusal("bot_not_found")
    return {"bot": bot_json(call.world)}


def team_info(call: Call) -> Json:
    team = call.world.team
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": ""}}


def connections_open(call: Call) -> Json:
    socket = call.world.base_url.replace("http", "ws", 1)
    return {"url": f"{socket}/link/?ticket={call.world.sockets.ticket()}&app_id={call.world.app.app_id}"}


METHODS: Methods = {
    "api.test": Method(api_test, tier=4),
    "auth.test": Method(auth_test, tier=4),
    "users.info": Method(users_info, ("users:read",), tier=4),
    "users.list": Method(users_list, ("users:read",), tier=2),
    "bots.info": Method(bots_info, ("users:read",), tier=3),
    "team.info": Method(team_info, ("team:read",), tier=3),
    "apps.connections.open": Method(connections_open, tier=4),
}
