// Puts the page to work: what each button does, and what the keyboard does everywhere.

import * as composer from "./composer.js";
import * as controls from "./controls.js";
import * as inspector from "./inspector.js";
import * as menus from "./menus.js";
import { act, app, begin, go, say, whenChanged } from "./talk.js";

const DOES = {
  open: ({ dataset }) => act("open", { app: dataset.app ?? null, person: dataset.person ?? null, tab: dataset.tab ?? "messages" }),
  assistant: ({ dataset }) => act("assistant", { app: dataset.app }),
  join: () => act("join", { channel: app().dataset.channel }),
  stop: ({ dataset }) => act("stop", { channel: dataset.channel, thread: dataset.thread, app: dataset.app }),
  earlier: () => say({ more: true }),
  press: controls.press,
  prompt: composer.prompt,
  react: menus.react,
  menu: menus.open,
  record: inspector.show,
  "close-view": controls.closeView,
  "stop-editing": menus.stopEditing,
  "copy-shown": inspector.copyShown,
};

function clicked(event) {
  const part = event.target.closest("[data-do]");
  if (!part || part.matches("select")) return;
  if (part.dataset.do === "go") {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(part.getAttribute("href"), { keeps: part.id !== "inspector-toggle" && !part.closest("#inspector") });
    return;
  }
  if (part.dataset.confirm) event.preventDefault();
  DOES[part.dataset.do]?.(part);
}

// Arrows go from message to message.
function walk(event) {
  const log = event.target.closest?.(".log");
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!log || !step || event.target.closest("input, select, textarea")) return;
  const all = [...log.querySelectorAll("article")];
  const here = all.indexOf(event.target.closest("article"));
  const next = here < 0 ? all.at(-1) : all[here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function filterRows(field) {
  const wanted = field.value.trim().toLowerCase();
  for (const item of document.querySelectorAll("#sidebar li")) item.hidden = !item.textContent.toLowerCase().includes(wanted);
}

function keyInFilter(event) {
  const rows = [...document.querySelectorAll("#sidebar li:not([hidden]) .row")];
  const here = rows.indexOf(document.activeElement);
  const inFilter = event.target.id === "filter";
  if (!inFilter && here < 0) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    (rows[next] ?? (next < 0 ? document.getElementById("filter") : null))?.focus();
  } else if (inFilter && event.key === "Enter") {
    event.preventDefault();
    event.target.value = "";
    rows[0]?.click();
    filterRows(event.target);
  } else if (inFilter && event.key === "Escape") {
    event.target.value = "";
    filterRows(event.target);
  }
}

function keyed(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    document.getElementById("filter").focus();
    return;
  }
  walk(event);
  keyInFilter(event);
  const closes = event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]");
  if (closes && event.target.closest("#thread")) document.querySelector("#thread header [data-do=go]").click();
}

// Whoever looks elsewhere can write there at once; where the screen is touched, the keyboard would be in the way.
let place = null;
function follow(moved) {
  filterRows(document.getElementById("filter"));
  if (!moved) return;
  const { channel, thread, user } = app().dataset;
  const now = `${user}/${channel}/${thread ?? ""}`;
  const before = place;
  place = now;
  if (before === null || before === now || matchMedia("(pointer: coarse)").matches) return;
  const name = thread && !before.endsWith(`/${thread}`) ? "#thread" : "#main";
  document.querySelector(`${name} .composer textarea`)?.focus({ preventScroll: true });
}

for (const part of [composer, controls, inspector, menus]) part.begin();
document.addEventListener("click", clicked);
document.addEventListener("keydown", keyed);
document.addEventListener("input", ({ target }) => target.id === "filter" && filterRows(target));
document.addEventListener("change", ({ target }) => target.dataset.do === "switch" && go(target.value));
whenChanged(follow);
begin();
