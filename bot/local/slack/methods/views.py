"""views.*"""

from __future__ import annotations

from bot.local.slack import views
from bot.local.slack.calls import Call, Method, Methods
from bot.local.slack.payloads import view_json
from bot.local.slack.records import Json, View
from bot.local.slack.refusal import Refusal


def open_view(call: Call) -> Json:
    body = views.checked(call.args.get("view"), "modal")
    trigger = call.world.triggers.exchange(call.text("trigger_id"))
    return _told(call, views.open_modal(call.world, trigger.user, body))


def push(call: Call) -> Json:
    body = views.checked(call.args.get("view"), "modal")
    trigger = call.world.triggers.exchange(call.text("trigger_id"))
    return _told(call, views.push(call.world, trigger.user, body))


def update(call: Call) -> Json:
    body = views.checked(call.args.get("view"), "modal")
    wanted, external_id = call.args.get("view_id"), call.args.get("external_id")
    modals = [view for view in call.world.views.values() if view.kind == "modal"]
    found = [view for view in modals if view.id == wanted or (external_id and view.external_id == external_id)]
    if not found:
        raise Refusal("not_found")
    return _told(call, views.update(call.world, found[0], body, call.args.get("hash")))


def publish(call: Call) -> Json:
    body = views.checked(call.args.get("view"), "home")
    user = call.user("user_id")
    return _told(call, views.publish(call.world, user.id, body, call.args.get("hash")))


def _told(call: Call, view: View) -> Json:
    return {"view": view_json(call.world, view)}


METHODS: Methods = {
    "views.open": Method(open_view, tier=4),
    "views.push": Method(push, tier=4),
    "views.update": Method(update, tier=4),
    "views.publish": Method(publish, tier=4),
}
