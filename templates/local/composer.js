// The message box: commands and mentions offered while typing, history, formatting, sending.
"use strict";

const Composer = ((data) => {
  const history = []; // what was sent from this tab, oldest first
  let recalled = null; // how far back the up arrow has gone
  const drafts = new Map(); // place -> text not yet sent

  const formOf = (element) => element.closest("[data-composer]");
  const areaOf = (form) => form.querySelector("textarea");
  const listOf = (form) => form.querySelector(".suggest");
  const isThread = (form) => form.dataset.composer === "thread";

  function grow(area) {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
    formOf(area).classList.toggle("has-text", area.value.trim() !== "");
  }

  function set(area, text) {
    area.value = text;
    area.setSelectionRange(text.length, text.length);
    grow(area);
  }

  function note(form, text) {
    form.querySelector(".composer-note").textContent = text || "";
  }

  // --- suggestions ---

  function offers(form) {
    const area = areaOf(form);
    const before = area.value.slice(0, area.selectionStart);
    const command = !isThread(form) && /^\/\S*$/.exec(before);
    if (command) {
      return data.commands
        .filter((c) => c.name.startsWith(command[0].toLowerCase()))
        .map((c) => ({ kind: "command", insert: `${c.name} `, from: 0, ...c }));
    }
    const running = !isThread(form) && data.commands.find((c) => area.value.startsWith(`${c.name} `));
    const mention = /(?:^|[\s(])@([\w.-]*)$/.exec(before);
    if (mention) {
      const typed = mention[1].toLowerCase();
      return data.users
        .filter((u) => u.name.startsWith(typed) || u.real.toLowerCase().split(" ").some((w) => w.startsWith(typed)))
        .slice(0, 8)
        .map((u) => ({ kind: "user", insert: `@${u.name} `, from: before.length - mention[1].length - 1, ...u }));
    }
    return running && running.usage_hint ? [{ kind: "hint", ...running }] : [];
  }

  function suggest(form) {
    const list = listOf(form);
    const area = areaOf(form);
    const found = offers(form);
    list.replaceChildren(...found.map((offer, index) => row(form, offer, index)));
    list.hidden = found.length === 0;
    list.classList.toggle("is-hint", found.length === 1 && found[0].kind === "hint");
    area.setAttribute("aria-expanded", String(found.length > 0));
    mark(form, 0);
  }

  function row(form, offer, index) {
    const item = document.createElement("div");
    item.id = `${listOf(form).id}-${index}`;
    item.className = `offer offer-${offer.kind}`;
    item.offer = offer;
    const strong = document.createElement("b");
    strong.textContent = offer.kind === "user" ? offer.real : offer.name;
    const hint = document.createElement("span");
    hint.className = "offer-hint";
    hint.textContent = offer.kind === "user" ? `@${offer.name}${offer.bot ? " · app" : ""}` : offer.usage_hint;
    item.append(strong, hint);
    if (offer.kind !== "user" && offer.description) {
      const about = document.createElement("span");
      about.className = "offer-about";
      about.textContent = `${offer.description} · ${offer.app}`;
      item.append(about);
    }
    item.setAttribute("role", "option");
    if (offer.kind !== "hint") {
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        choose(form, offer);
      });
    }
    return item;
  }

  const choices = (form) => [...listOf(form).children].filter((item) => item.offer.kind !== "hint");

  function mark(form, index) {
    const items = choices(form);
    const chosen = items[(index + items.length) % (items.length || 1)];
    for (const item of items) item.setAttribute("aria-selected", String(item === chosen));
    if (chosen) areaOf(form).setAttribute("aria-activedescendant", chosen.id);
    else areaOf(form).removeAttribute("aria-activedescendant");
  }

  const marked = (form) => choices(form).findIndex((item) => item.getAttribute("aria-selected") === "true");

  function choose(form, offer) {
    const area = areaOf(form);
    const after = area.value.slice(area.selectionStart);
    const text = area.value.slice(0, offer.from) + offer.insert;
    area.value = text + after;
    area.setSelectionRange(text.length, text.length);
    grow(area);
    suggest(form);
    area.focus();
  }

  function hide(form) {
    listOf(form).replaceChildren();
    listOf(form).hidden = true;
    areaOf(form).setAttribute("aria-expanded", "false");
    areaOf(form).removeAttribute("aria-activedescendant");
  }

  // --- keys ---

  function onKey(event) {
    const area = event.target;
    const form = formOf(area);
    const at = marked(form);
    const exact = at >= 0 && choices(form)[at].offer.insert.trim() === area.value.trim();
    if (at >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      mark(form, at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (at >= 0 && (event.key === "Tab" || (event.key === "Enter" && !exact)) && !event.shiftKey) {
      event.preventDefault();
      choose(form, choices(form)[at].offer);
    } else if (event.key === "Escape" && !listOf(form).hidden) {
      event.preventDefault();
      event.stopPropagation();
      hide(form);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "ArrowUp" && (area.value === "" || recalled !== null)) {
      recall(event, area, 1);
    } else if (event.key === "ArrowDown" && recalled !== null) {
      recall(event, area, -1);
    }
  }

  function recall(event, area, step) {
    const back = Math.min((recalled || 0) + step, history.length);
    event.preventDefault();
    recalled = back > 0 ? back : null;
    set(area, recalled === null ? "" : history[history.length - recalled]);
  }

  function wrap(form, mark) {
    const area = areaOf(form);
    const { selectionStart: start, selectionEnd: end, value } = area;
    area.setRangeText(mark + value.slice(start, end) + mark, start, end, "end");
    if (start === end) area.setSelectionRange(start + 1, start + 1);
    area.focus();
    grow(area);
  }

  function startLine(form, mark) {
    const area = areaOf(form);
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    area.setRangeText(mark, start, start, "end");
    area.focus();
    grow(area);
  }

  function type(form, text) {
    const area = areaOf(form);
    area.focus();
    if (text === "/" ? area.value !== "" : /\S$/.test(area.value)) text = ` ${text}`;
    set(area, area.value + text);
    suggest(form);
  }

  // --- sending ---

  // `send(kind, body)` answers {ok, shown}; what could not be sent comes back into the box.
  async function submit(form, place, send) {
    const area = areaOf(form);
    const text = area.value;
    if (!text.trim()) return;
    const command = /^(\/\S+)\s*([^]*)$/.exec(text);
    if (command && isThread(form)) {
      note(form, `${command[1]} is not supported in threads. Sorry!`);
      return;
    }
    if (command && !data.commands.some((c) => c.name === command[1])) {
      note(form, `${command[1]} is not a valid command. To send it as a message, put a space before the “/”.`);
      return;
    }
    history.push(text);
    recalled = null;
    note(form, "");
    set(area, "");
    hide(form);
    const body = { channel: place.channel, thread: isThread(form) ? place.thread : "" };
    const answer = command
      ? await send("command", { ...body, command: command[1], text: command[2] })
      : await send("post", { ...body, text: text.trim() });
    if (answer.refused) {
      if (area.isConnected && area.value === "") set(area, text);
      note(form, answer.shown);
    }
  }

  function keepDraft(key) {
    const area = document.getElementById("composer-main");
    if (area) drafts.set(key, area.value);
  }

  function restoreDraft(key) {
    const area = document.getElementById("composer-main");
    if (area && area.value === "" && drafts.get(key)) set(area, drafts.get(key));
  }

  document.addEventListener("input", (event) => {
    const form = formOf(event.target);
    if (!form) return;
    recalled = null;
    note(form, "");
    grow(event.target);
    suggest(form);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("[data-composer] textarea")) onKey(event);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-composer] textarea")) hide(formOf(event.target));
  });
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest(".format button")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wrap], [data-line], [data-type]");
    const form = button && formOf(button);
    if (!form) return;
    if (button.dataset.wrap) wrap(form, button.dataset.wrap);
    else if (button.dataset.line) startLine(form, button.dataset.line);
    else type(form, button.dataset.type);
  });

  return { submit, keepDraft, restoreDraft };
})(JSON.parse(document.getElementById("page-data").textContent));
