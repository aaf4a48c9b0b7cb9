"""The page in a real browser, against a real Bolt app over Socket Mode."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.local.slack import World, views
from tests.browser.conftest import Visit
from tests.browser.standin import CHANNEL, DIFF, card, modal
from tests.local.slack_bed import web_client

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def post_card(world: World) -> str:
    answer = await web_client(world).chat_postMessage(channel=CHANNEL, text="card", blocks=card())
    return str(answer["ts"])


async def type_line(page: Page, text: str, box: str = "main") -> None:
    await page.fill(f"#composer-{box}", text)
    await page.press(f"#composer-{box}", "Enter")


async def test_a_command_posts_a_card_and_its_button_updates_it_in_place(
    world: World, visit: Visit, told: list[dict[str, Any]]
) -> None:
    page = await visit()
    await type_line(page, "/orch assign verify tokens")
    message = page.locator("article.message").last
    await expect(message.get_by_role("heading")).to_have_text("🔒 S1-D1-2 · Verify JWT signatures")
    await expect(message.locator(".badge")).to_have_text("APP")
    await page.fill("#composer-main", "half a thought")
    before = await message.element_handle()
    await message.get_by_role("button", name="Approve merge").click()
    await expect(message.get_by_role("heading")).to_have_text("✅ S1-D1-2 · Verify JWT signatures")
    await expect(message.get_by_role("button", name="Approve merge")).to_have_count(0)
    assert before is not None
    assert await before.evaluate("article => article.isConnected"), "the card was replaced, not updated"
    await expect(page.locator("#composer-main")).to_have_value("half a thought")
    assert told[0]["user"]["id"] == "U0DEV"
    assert told[0]["actions"][0]["value"] == "S1-D1-2"


async def test_an_update_by_somebody_else_leaves_focus_and_scroll_alone(world: World, visit: Visit) -> None:
    for number in range(30):
        await world.post_message("U0LEAD", CHANNEL, f"line {number}")
    ts = await post_card(world)
    page = await visit("U0TWO")
    scroller = page.locator("#main [data-scroller]")
    await scroller.evaluate("s => (s.scrollTop = 100)")
    reject = page.get_by_role("button", name="Reject")
    await reject.focus(timeout=2000)
    await scroller.evaluate("s => (s.scrollTop = 100)")
    await world.add_reaction("U0LEAD", CHANNEL, ts, "tada")
    await world.post_message("U0LEAD", CHANNEL, "the last line")
    await expect(page.locator("#main").get_by_text("the last line")).to_have_count(1)
    await expect(reject).to_be_focused()
    assert await scroller.evaluate("s => s.scrollTop") == 100
    await expect(page.locator("#live")).to_have_text("Lee Lead: the last line")


async def test_selects_menus_and_confirmations_reach_the_app(
    world: World, visit: Visit, told: list[dict[str, Any]]
) -> None:
    await post_card(world)
    page = await visit()
    await page.get_by_label("Reassign to…").select_option("opus")
    await expect(page.locator("#main").get_by_text("noted: rung opus")).to_be_visible()
    await page.locator("summary[aria-label='More actions']").click()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.locator("#main").get_by_text("noted: more takeover")).to_be_visible()
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("dialog", name="Merge S1-D1-2?")).to_contain_text("Commit 4f2c91a goes to main.")
    await page.get_by_role("button", name="Not yet").click()
    await page.get_by_role("button", name="Reject").click()
    await page.get_by_role("button", name="Merge it").click()
    await expect(page.locator("#main").get_by_text("noted: reject")).to_be_visible()
    assert [body["actions"][0]["action_id"] for body in told] == ["rung", "more", "reject"]


async def test_a_modal_is_filled_refused_corrected_and_submitted(
    world: World, visit: Visit, told: list[dict[str, Any]]
) -> None:
    page = await visit()
    await type_line(page, "/orch")
    dialog = page.get_by_role("dialog", name="New task")
    what = dialog.get_by_label("What should be done?")
    await expect(what).to_be_focused()
    await what.fill("Short")
    await dialog.get_by_label("Model").select_option("sonnet")
    await expect(dialog.get_by_text("about $0.004")).to_be_visible()  # the view was updated ...
    await expect(what).to_have_value("Short")  # ... and kept what was typed
    await expect(dialog.get_by_label("Model")).to_have_value("sonnet")
    await dialog.get_by_role("button", name="Assign").click()
    await expect(dialog.get_by_text("at least 10 characters")).to_be_visible()
    await expect(what).to_be_focused()
    await expect(what).to_have_attribute("aria-invalid", "true")
    await what.fill("Long enough to be a task")
    await dialog.get_by_label("Security-critical").check()
    await dialog.get_by_label("Owner").select_option("U0LEAD")
    await dialog.get_by_label("Deadline").fill("2026-02-03T10:30")
    await dialog.get_by_role("button", name="Assign").click()
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("heading", name="S1-D1-2")).to_be_visible()
    values = told[0]["view"]["state"]["values"]
    assert values["what"]["v"]["value"] == "Long enough to be a task"
    assert values["model"]["v"]["selected_option"]["value"] == "sonnet"
    assert values["flags"]["v"]["selected_options"][0]["value"] == "security"
    assert values["owner"]["v"]["selected_user"] == "U0LEAD"
    assert values["by"]["v"]["selected_date_time"] == 1770114600


async def test_escape_closes_a_modal_and_focus_stays_inside_while_it_is_open(world: World, visit: Visit) -> None:
    page = await visit()
    await page.get_by_label("Shortcuts", exact=True).click()
    await page.get_by_role("button", name="New task").click()
    dialog = page.get_by_role("dialog", name="New task")
    await expect(dialog).to_be_visible()
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('#modal')"
        )
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert world.open_view("U0DEV") is None


async def test_a_modal_on_a_modal_keeps_what_lies_below(world: World, visit: Visit) -> None:
    page = await visit()
    await type_line(page, "/orch")
    what = page.get_by_role("dialog").get_by_label("What should be done?")
    await what.fill("typed before the push")
    above = modal("above") | {"title": {"type": "plain_text", "text": "Details"}, "notify_on_close": False}
    views.push(world, "U0DEV", views.checked(above, "modal"))
    await expect(page.locator(".view:not([hidden]) textarea")).to_have_value("above")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="New task")).to_be_visible()
    await expect(what).to_have_value("typed before the push")


async def test_private_answers_are_private_and_can_be_dismissed(visit: Visit) -> None:
    mine, theirs = await visit("U0DEV"), await visit("U0LEAD")
    await type_line(mine, "/orch bananas")
    answer = mine.locator("article.ephemeral")
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer).to_contain_text("I do not know “bananas”.")
    await type_line(mine, "anyone?")
    await expect(theirs.locator("#main").get_by_text("anyone?")).to_be_visible()
    await expect(theirs.locator("article.ephemeral")).to_have_count(0)
    await mine.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)


async def test_a_thread_is_opened_answered_and_closed(world: World, visit: Visit) -> None:
    ts = await post_card(world)
    page = await visit()
    await page.locator("article").last.hover()
    await page.get_by_role("button", name="Reply in thread").last.click()
    await expect(page.locator("#composer-thread")).to_be_focused()
    await type_line(page, "use `timingSafeEqual`", "thread")
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_text("Understood: use")).to_be_visible()
    await expect(thread.get_by_text("2 replies")).to_be_visible()
    await type_line(page, "/orch list", "thread")
    await expect(thread.get_by_text("/orch is not supported in threads. Sorry!")).to_be_visible()
    await web_client(world).files_upload_v2(channel=CHANNEL, thread_ts=ts, content=DIFF, filename="a.diff")
    await expect(thread.locator(".diff-add").first).to_contain_text("+  if (!timingSafeEqual")
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()
    await expect(page.locator(".thread-link")).to_be_focused()


async def test_two_people_and_the_unread_marks(world: World, visit: Visit) -> None:
    page = await visit("U0DEV", "C0RANDOM")
    await page.get_by_label("Viewing as").select_option("U0LEAD")
    await page.wait_for_url("**as=U0LEAD**")
    await page.wait_for_selector("body[data-live]")
    await world.post_message("U0DEV", CHANNEL, "hello @lead")
    entry = page.get_by_role("link", name="granter-dev")
    await expect(entry.locator(".count")).to_have_text("1")
    await entry.click()
    await expect(page.locator("article .mention")).to_have_text("@Lee Lead")
    await expect(entry.locator(".count")).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_role("heading", name="random").first).to_be_visible()


async def test_a_guest_is_not_offered_what_they_cannot_see(visit: Visit) -> None:
    page = await visit("U0OUT", "C0INC")
    await expect(page.get_by_role("heading", name="granter-dev").first).to_be_visible()
    await expect(page.get_by_role("link", name="incidents")).to_have_count(0)


async def test_a_message_becomes_a_task_by_shortcut(world: World, visit: Visit) -> None:
    await world.post_message("U0LEAD", CHANNEL, "the login accepts unsigned tokens")
    page = await visit()
    await page.locator("article").last.hover()
    await page.get_by_label("More message actions").click()
    await page.get_by_role("button", name="Make this a task").click()
    what = page.get_by_role("dialog").get_by_label("What should be done?")
    await expect(what).to_have_value("the login accepts unsigned tokens")


async def test_the_home_tab(visit: Visit) -> None:
    page = await visit()
    await page.get_by_role("link", name="Orch Home").click()
    await expect(page.get_by_text("3,900 of 30,000 tokens today")).to_be_visible()
    await page.get_by_role("tab", name="Messages").click()
    await expect(page.get_by_text("just between you and Orch")).to_be_visible()


async def test_the_composer_offers_commands_people_and_what_was_sent(visit: Visit) -> None:
    page = await visit()
    await page.locator("#composer-main").press_sequentially("/o")
    await expect(page.get_by_role("option", name="/orch")).to_contain_text("assign <what>")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-main")).to_have_value("/orch ")
    await expect(page.locator("#suggest-main")).to_contain_text("status ID | help")
    await type_line(page, "/nope x")
    await expect(page.get_by_text("/nope is not a valid command.")).to_be_visible()
    await page.fill("#composer-main", "")
    await page.locator("#composer-main").press_sequentially("hi @le")
    await expect(page.locator("#suggest-main").get_by_role("option", name="Lee Lead")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two lines")
    await page.keyboard.press("Enter")
    await expect(page.locator("article").last).to_contain_text("hi @Lee Lead\ntwo lines", use_inner_text=True)
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#composer-main")).to_have_value("hi @lead \ntwo lines")


async def test_an_app_that_does_not_answer_is_reported_as_slack_does(world: World, visit: Visit) -> None:
    page = await visit()
    await type_line(page, "/orch silence")
    await expect(page.locator("article.ephemeral")).to_contain_text("failed with the error")
    await page.get_by_role("link", name="Orch Home").click()
    await page.get_by_role("button", name="Refresh").click()  # nobody listens to it
    await expect(page.locator(".toast")).to_contain_text("This didn't work")


async def test_by_keyboard_alone(world: World, visit: Visit) -> None:
    await post_card(world)
    page = await visit()

    async def tab_to(label: str) -> None:
        for _ in range(40):
            await page.keyboard.press("Tab")
            if (
                await page.evaluate(
                    "(e => (e.getAttribute('aria-label') || e.textContent).trim())(document.activeElement)"
                )
                == label
            ):
                return
        raise AssertionError(f"Tab never reaches {label!r}")

    await tab_to("Approve merge")
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await tab_to("More actions")
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#main").get_by_text("noted: more takeover")).to_be_visible()
    await tab_to("Reply in thread")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-thread")).to_be_focused()
    await page.keyboard.type("steer left")
    await page.keyboard.press("Enter")
    await expect(page.locator("#thread").get_by_text("Understood: steer left")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()


async def test_light_and_dark(visit: Visit) -> None:
    page = await visit()
    background = "getComputedStyle(document.querySelector('#main')).backgroundColor"
    assert await page.evaluate(background) == "rgb(255, 255, 255)"
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(background) == "rgb(26, 29, 33)"
    await page.get_by_label("Switch between light and dark").click()
    assert await page.evaluate(background) == "rgb(255, 255, 255)"
    await page.reload()
    assert await page.evaluate(background) == "rgb(255, 255, 255)"


async def test_nothing_anybody_writes_is_run(world: World, visit: Visit) -> None:
    evil = '<img src=x onerror="window.hacked=1"> <javascript:window.hacked=1|x> <@U0X>'
    await world.post_message("U0LEAD", CHANNEL, evil)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": evil}}, {"type": "markdown", "text": evil}]
    await web_client(world).chat_postMessage(channel=CHANNEL, text=evil, blocks=blocks)
    page = await visit()
    await expect(page.locator("article")).to_have_count(2)
    await expect(page.locator("article img")).to_have_count(0)
    assert await page.evaluate("window.hacked") is None
