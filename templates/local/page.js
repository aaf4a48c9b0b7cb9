// The page's behaviour: live updates, clicks on blocks, modals, menus, moving between channels and threads.
"use strict";

const data = JSON.parse(document.getElementById("page-data").textContent);
const place = { as: data.as, channel: data.channel, thread: data.thread };
const $ = (id) => document.getElementById(id);

// --- talking to the server ---

async function send(what, body, source) {
  if (source) source.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/page/do/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ as: place.as, ...body }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return await answer.json();
  } catch (error) {
    return { ok: false, refused: true, shown: "The emulated Slack does not answer. Is it still running?", errors: {} };
  } finally {
    if (source) source.removeAttribute("aria-busy");
  }
}

// Sends, and says what went wrong in a toast.
async function act(what, body, source) {
  const answer = await send(what, body, source);
  if (!answer.ok && answer.shown) toast(answer.shown);
  return answer;
}

// --- panes ---

const wanted = new Set();
let fetching = null;

// Fetch and show the named panes. Calls while one is under way are one more round after it.
function refresh(...panes) {
  for (const pane of panes) wanted.add(pane);
  fetching = fetching || rounds().finally(() => (fetching = null));
  return fetching;
}

async function rounds() {
  await new Promise((done) => setTimeout(done, 15));
  while (wanted.size) {
    const want = [...wanted].join(",");
    const asked = { ...place };
    wanted.clear();
    const query = new URLSearchParams({ as: asked.as, c: asked.channel, t: asked.thread, want });
    const answer = await fetch(`/page/panes?${query}`).then((r) => r.json()).catch(() => null);
    if (!answer) {
      for (const pane of want.split(",")) wanted.add(pane);
      $("connection").textContent = "Connecting…";
      await new Promise((done) => setTimeout(done, 1000));
      continue;
    }
    $("connection").textContent = "";
    if (asked.channel !== place.channel || asked.thread !== place.thread) continue; // moved on meanwhile
    place.channel = answer.channel;
    show(answer.panes);
  }
}

function show(panes) {
  const focused = document.activeElement;
  const surface = focused.closest("[data-surface]");
  const atEnd = new Map([...document.querySelectorAll("[data-scroller]")].map((s) => [s, isAtEnd(s)]));
  for (const [name, html] of Object.entries(panes)) {
    if (name === "title") document.title = html;
    else if (name === "modal") Morph.into($("modal-stack"), html);
    else Morph.into($(name), html);
  }
  if (panes.thread !== undefined) $("thread").hidden = panes.thread.trim() === "";
  if (panes.modal !== undefined) showModal();
  settle(atEnd);
  if (!focused.isConnected && surface?.isConnected && !$("modal").open) surface.focus({ preventScroll: true });
}

// After any change of the page: chips drawn, followed conversations at their end.
function settle(atEnd = new Map()) {
  for (const multi of document.querySelectorAll(".multi")) drawChips(multi);
  for (const scroller of document.querySelectorAll("[data-scroller]")) {
    if (atEnd.get(scroller) !== false) scroller.scrollTop = scroller.scrollHeight;
  }
}

const isAtEnd = (scroller) => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;

// --- where we are ---

async function go(channel, thread = "", { push = true } = {}) {
  const moved = channel !== place.channel;
  if (!thread) $("thread").hidden = true;
  if (moved) Composer.keepDraft(place.channel);
  Object.assign(place, { channel, thread });
  await refresh("main", "thread", "sidebar", "modal");
  if (push) window.history.pushState(null, "", `?${new URLSearchParams({ as: place.as, c: place.channel, ...(thread && { t: thread }) })}`);
  if (moved) {
    Composer.restoreDraft(place.channel);
    tellHome();
  }
  (thread ? $("composer-thread") : $("composer-main"))?.focus();
}

function tellHome() {
  if (place.channel === "home") send("home", {});
  else if (place.channel.startsWith("D")) send("home", { messages: true });
}

// --- modals ---

let topView = null;

function showModal() {
  const dialog = $("modal");
  const views = dialog.querySelectorAll(".view");
  const top = views[views.length - 1];
  if (!top) {
    if (dialog.open) dialog.close();
  } else {
    if (!dialog.open) dialog.showModal();
    if (top.dataset.view !== topView) {
      const first = top.querySelector("[data-focus], .modal-body :is(input, textarea, select, summary, button)");
      (first || top.querySelector(".modal-foot button:last-child")).focus();
    }
  }
  topView = top ? top.dataset.view : null;
}

function showErrors(view, answer) {
  view.querySelector(".modal-error").textContent = answer.ok ? "" : answer.shown || "";
  let first = null;
  for (const field of view.querySelectorAll("[data-field]")) {
    const text = answer.errors[field.dataset.field] || "";
    const input = field.querySelector("[data-input]");
    field.classList.toggle("has-error", text !== "");
    field.querySelector(".error").textContent = text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    if (text) first = first || input;
  }
  first?.focus();
}

async function submitView(view) {
  const answer = await send("submit", { view: view.dataset.view, values: valuesOf(view) }, view.querySelector("[type=submit]"));
  if (view.isConnected) showErrors(view, answer);
}

function closeView(clear) {
  const views = document.querySelectorAll("#modal .view");
  if (views.length) act("close-view", { view: views[views.length - 1].dataset.view, clear });
}

function confirmed(source) {
  if (!source.dataset.confirm) return Promise.resolve(true);
  const asked = JSON.parse(source.dataset.confirm);
  const dialog = $("confirm");
  $("confirm-title").textContent = asked.title;
  $("confirm-text").innerHTML = asked.text; // escaped by the server, as all mrkdwn
  $("confirm-yes").textContent = asked.confirm || "Yes";
  $("confirm-deny").textContent = asked.deny || "Cancel";
  $("confirm-yes").className = `btn btn-${asked.style}`;
  dialog.returnValue = "no";
  dialog.showModal();
  $("confirm-yes").focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

// --- blocks ---

function valueOf(control) {
  const checked = () => [...control.querySelectorAll("input:checked")].map((input) => input.value);
  const kind = control.dataset.input;
  if (kind === "radio_buttons") return checked()[0] || "";
  if (kind === "checkboxes" || kind.startsWith("multi_")) return checked();
  return control.value;
}

function valuesOf(surface) {
  return [...surface.querySelectorAll("[data-input]")].map((control) => ({
    block: control.dataset.block,
    action: control.dataset.action,
    kind: control.dataset.input,
    value: valueOf(control),
  }));
}

// A click on a button or menu item, or a change of a control, told to the app.
async function interact(source, extra) {
  if (source.getAttribute("aria-busy") || !(await confirmed(source))) return;
  const surface = source.closest("[data-surface]");
  const where =
    surface.dataset.surface === "view"
      ? { view: surface.dataset.view, values: valuesOf(surface) }
      : { channel: surface.dataset.channel, ts: surface.dataset.ts };
  act("click", { ...where, block: source.dataset.block, action: source.dataset.action, ...extra }, source);
}

function drawChips(multi) {
  const chips = multi.querySelector(".chips");
  const chosen = [...multi.querySelectorAll("input:checked")].map((input) => input.nextElementSibling.textContent);
  if (multi.drawn === chosen.join("\n")) return;
  multi.drawn = chosen.join("\n");
  chips.replaceChildren(
    ...(chosen.length ? chosen : [chips.dataset.placeholder]).map((text) => {
      const chip = document.createElement("span");
      chip.className = chosen.length ? "chip" : "hint";
      chip.textContent = text;
      return chip;
    }),
  );
  const most = Number(multi.dataset.max);
  for (const input of multi.querySelectorAll("input:not(:checked)")) input.disabled = most > 0 && chosen.length >= most;
}

function changed(event) {
  const control = event.target.closest("[data-input]");
  if (!control) return;
  const wrapper = control.closest(".control");
  if (wrapper) wrapper.dataset.dirty = "1";
  if (control.matches(".multi")) {
    drawChips(control);
    control.touched = true;
  } else if (control.dataset.dispatch && event.type === "change") {
    interact(control, { kind: control.dataset.input, value: valueOf(control) });
  }
}

// --- small things ---

function toast(text) {
  const item = document.createElement("div");
  item.className = "toast";
  item.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-bare";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "✕";
  close.addEventListener("click", () => item.remove());
  item.append(close);
  ($("modal").open ? $("modal") : document.body).append($("toasts"));
  $("toasts").append(item);
  setTimeout(() => item.remove(), 9000);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except && !menu.contains(except)) menu.open = false;
  }
}

function onMenuKey(event, menu) {
  const items = [...menu.querySelectorAll(".menu-items :is(button, input)")];
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const at = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    items[(at + items.length) % items.length]?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

const CLICKS = {
  click: (button) => interact(button, button.dataset.value === undefined ? {} : { value: button.dataset.value }),
  react: (button, on) => act("react", { ...on, name: button.dataset.name }),
  thread: (button) => go(place.channel, button.dataset.thread),
  "close-thread": () => closeThread(),
  dismiss: (button, on) => act("dismiss", on).then(() => refresh("main", "thread")),
  "message-shortcut": (button, on) => act("message-shortcut", { ...on, callback: button.dataset.callback }),
  "global-shortcut": (button) => act("global-shortcut", { callback: button.dataset.callback }),
  "close-view": (button) => closeView(button.dataset.clear === "1"),
};

async function closeThread() {
  const parent = place.thread;
  await go(place.channel);
  document.querySelector(`#main [data-ts="${CSS.escape(parent)}"] .thread-link`)?.focus();
}

// --- events of the person ---

document.addEventListener("click", (event) => {
  const menu = event.target.closest("details.menu");
  closeMenus(menu);
  const link = event.target.closest("a[data-go], a[data-channel]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    go(link.dataset.go || link.dataset.channel);
    return;
  }
  const button = event.target.closest("[data-do]");
  if (!button) return;
  const surface = button.closest("[data-surface]");
  const on = surface ? { channel: surface.dataset.channel, ts: surface.dataset.ts } : {};
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus({ preventScroll: true });
  }
  CLICKS[button.dataset.do](button, on);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-composer]")) {
    event.preventDefault();
    Composer.submit(event.target, place, send);
  } else if (event.target.matches(".view")) {
    event.preventDefault();
    submitView(event.target);
  }
});

document.addEventListener("change", changed);
document.addEventListener("input", changed);

document.addEventListener("keydown", (event) => {
  const menu = document.activeElement.closest("details.menu[open]");
  if (menu) onMenuKey(event, menu);
  else if (event.key === "Escape" && place.thread && !document.querySelector("dialog[open]")) closeThread();
});

// A menu opens to where there is room; a multi select tells the app when it is closed.
document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.menu")) return;
    if (menu.open) {
      const at = menu.getBoundingClientRect();
      const room = (menu.closest("[data-scroller]") || document.body).getBoundingClientRect();
      const items = menu.querySelector(".menu-items");
      const needed = items.offsetHeight + 12;
      menu.toggleAttribute("data-up", room.bottom - at.bottom < needed && at.top - room.top > needed);
      menu.toggleAttribute("data-left", at.left + items.offsetWidth > room.right - 12);
    } else if (menu.touched && menu.dataset.dispatch) {
      menu.touched = false;
      interact(menu, { kind: menu.dataset.input, value: valueOf(menu) });
    }
  },
  true,
);

$("modal").addEventListener("cancel", (event) => {
  if (event.target !== $("modal")) return;
  event.preventDefault();
  closeView(false);
});
$("switch").addEventListener("change", (event) => {
  window.location.search = new URLSearchParams({ as: event.target.value, c: place.channel.startsWith("D") ? "dm" : place.channel });
});
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
window.addEventListener("popstate", () => {
  const query = new URLSearchParams(window.location.search);
  go(query.get("c") || "", query.get("t") || "", { push: false });
});

// --- events of the world ---

function heard(note) {
  if (note.say && (note.channel === place.channel || note.kind === "ephemeral_posted")) $("live").textContent = note.say;
  if (note.kind.startsWith("view_")) refresh("modal");
  else if (note.kind === "home_published") place.channel === "home" && refresh("main");
  else if (note.kind === "channel_changed") refresh("main", "sidebar");
  else if (note.channel !== place.channel) refresh("sidebar");
  else if (place.thread && (note.thread === place.thread || note.ts === place.thread)) refresh("main", "thread");
  else refresh("main");
}

function listen() {
  const stream = new EventSource(`/page/events?as=${encodeURIComponent(place.as)}`);
  stream.onmessage = (event) => heard(JSON.parse(event.data));
  stream.onerror = () => ($("connection").textContent = "Connecting…");
  stream.onopen = () => {
    $("connection").textContent = "";
    document.body.dataset.live = "1";
    refresh("main", "thread", "sidebar", "modal"); // what was missed while nobody listened
  };
}

settle();
showModal();
listen();
tellHome();
