// Changes a part of the page into new HTML while leaving alone whatever need not change: focus, scroll,
// open menus and everything typed survive an update. Nodes are matched by data-key, else by place and tag.
"use strict";

const Morph = (() => {
  const OWN = new Set(["open", "data-dirty", "aria-busy", "aria-invalid", "style", "data-up", "data-left"]);

  function into(root, html) {
    const wanted = document.createElement("template");
    wanted.innerHTML = html;
    children(root, wanted.content);
  }

  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || "" : "");

  function children(from, to) {
    const wantedKeys = new Set([...to.childNodes].map(keyOf));
    const keyed = new Map();
    for (const child of [...from.childNodes]) {
      const key = keyOf(child);
      if (key && !wantedKeys.has(key)) child.remove();
      else if (key) keyed.set(key, child);
    }
    let cursor = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const key = keyOf(wanted);
      let match = key ? keyed.get(key) : unkeyed(cursor, wanted);
      if (match && match.nodeName !== wanted.nodeName) match = null;
      if (!match) {
        from.insertBefore(document.importNode(wanted, true), cursor);
        continue;
      }
      if (match === cursor) cursor = cursor.nextSibling;
      else from.insertBefore(match, cursor);
      node(match, wanted);
    }
    while (cursor) {
      const next = cursor.nextSibling;
      cursor.remove();
      cursor = next;
    }
  }

  // The next node without a key and of the same kind; the ones passed over are removed at the end.
  function unkeyed(cursor, wanted) {
    for (let node = cursor; node && !keyOf(node); node = node.nextSibling) {
      if (node.nodeName === wanted.nodeName) return node;
    }
    return null;
  }

  function node(from, to) {
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (to.dataset.keep !== undefined) {
      if (to.dataset.keep === from.dataset.keep) return;
      if (!from.dataset.dirty) {
        from.replaceWith(document.importNode(to, true));
        return;
      }
    }
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value && name !== "open") from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !OWN.has(name)) from.removeAttribute(name);
    }
    if (from.nodeName !== "TEXTAREA") children(from, to);
  }

  return { into };
})();
