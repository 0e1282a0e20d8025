// What a message's buttons open: emoji to react with, and everything else that can be done with it.

import { ask } from "./controls.js";
import { act, app, known } from "./talk.js";

const menu = document.getElementById("menu");
const editing = document.getElementById("editing");
let from = null;

const channel = () => app().dataset.channel;
const tsOf = (part) => part.closest("[data-ts]").dataset.ts;

export function close({ focus = false } = {}) {
  if (menu.hidden) return;
  menu.hidden = true;
  if (focus) from?.focus();
  from?.closest("article")?.removeAttribute("data-held");
  from = null;
}

export const react = (button) => act("react", { channel: channel(), ts: tsOf(button), name: button.dataset.name });

function button(text, then, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.role = "menuitem";
  made.textContent = text;
  if (label) made.ariaLabel = label;
  made.addEventListener("click", () => {
    close({ focus: true });
    then();
  });
  return made;
}

function reacting(ts) {
  const put = (name) => act("react", { channel: channel(), ts, name });
  const palette = known().palette.map(([name, sign]) => button(sign, () => put(name), name));
  const field = document.createElement("input");
  field.placeholder = "or its name";
  field.ariaLabel = "Emoji's name";
  field.addEventListener("keydown", (event) => {
    const name = field.value.trim().replaceAll(":", "").toLowerCase();
    if (event.key !== "Enter" || !name) return;
    event.preventDefault();
    close({ focus: true });
    put(name);
  });
  menu.className = "palette";
  return [...palette, field];
}

function doing(ts, { text, deletes }) {
  menu.className = "";
  const shortcuts = known().shortcuts.filter((each) => each.on === "message");
  const items = shortcuts.map((each) => button(`${each.name} (${each.by})`, () => act("shortcut", { app: each.app, callback: each.callback, channel: channel(), ts })));
  if (text !== undefined) items.push(button("Edit", () => edit(ts, text)));
  if (deletes !== undefined) items.push(button("Delete", () => remove(ts)));
  items.push(button("Copy its link", () => navigator.clipboard?.writeText(`${location.origin}/archives/${channel()}/p${ts.replace(".", "")}`)));
  items.push(button("Copy its ts", () => navigator.clipboard?.writeText(ts)));
  return items;
}

export function open(opener) {
  const again = from === opener;
  close();
  if (again) return;
  from = opener;
  from.closest("article").dataset.held = "";
  menu.replaceChildren(...(opener.dataset.menu === "react" ? reacting(tsOf(opener)) : doing(tsOf(opener), opener.dataset)));
  menu.hidden = false;
  const box = opener.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  const below = box.bottom + menu.offsetHeight + 12 < innerHeight;
  menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
  menu.querySelector("button").focus();
}

function edit(ts, text) {
  const area = editing.querySelector("textarea");
  area.value = text;
  editing.dataset.ts = ts;
  editing.showModal();
  area.focus();
}

async function remove(ts) {
  if (await ask({ title: "Delete the message?", text: "It goes for everybody.", confirm: "Delete", style: "danger" })) act("delete", { channel: channel(), ts });
}

export const stopEditing = () => editing.close();

export function begin() {
  editing.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act("edit", { channel: channel(), ts: editing.dataset.ts, text: editing.querySelector("textarea").value })) editing.close();
  });
  editing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
      event.preventDefault();
      editing.querySelector("form").requestSubmit();
    }
  });
  document.addEventListener("pointerdown", ({ target }) => !menu.contains(target) && !from?.contains(target) && close());
  // What people scroll closes it; an answer that grows below it scrolls, too, and does not.
  for (const moved of ["wheel", "touchmove"]) document.addEventListener(moved, ({ target }) => !menu.contains(target) && close(), { passive: true });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button, input")];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close({ focus: true });
    } else if (step && !event.target.matches("input")) {
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    }
  });
}
