// Where people write: it grows, completes mentions and commands, keeps drafts, and sends.

import * as complete from "./complete.js";
import { toEnd } from "./scroll.js";
import { act, app, known, toast, whenChanged } from "./talk.js";

const MOST = 8;
const draftOf = (area) => `draft/${area.dataset.draft}`;
const isComposer = (field) => field?.matches?.(".composer textarea");

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 220)}px`;
}

function put(area, text) {
  area.value = text;
  if (text) sessionStorage.setItem(draftOf(area), text);
  else sessionStorage.removeItem(draftOf(area));
  grow(area);
}

// What is typed before the cursor, if it asks for completion.
function asked(area) {
  const before = area.value.slice(0, area.selectionStart);
  const mention = /(?:^|[\s(])([@#])([^\s@#]*(?: [^\s@#]*)?)$/.exec(before);
  if (mention) return { kind: mention[1], typed: mention[2], from: before.length - mention[2].length - 1 };
  const command = /^\/(\S*)$/.exec(before);
  return command ? { kind: "/", typed: command[1], from: 0 } : null;
}

function offers({ kind, typed }) {
  const { people, channels, commands, shortcuts } = known();
  const wanted = typed.toLowerCase();
  if (kind === "@") {
    const broadcasts = ["here", "channel", "everyone"].map((name) => ({ name, about: "Everybody in here" }));
    const all = [...people.map((each) => ({ ...each, about: each.bot ? "App" : each.about })), ...broadcasts];
    return all.filter(({ name, about }) => name.toLowerCase().startsWith(wanted) || (wanted && name.toLowerCase().includes(` ${wanted}`)) || about.startsWith(wanted || " "));
  }
  if (kind === "#") return channels.filter((name) => name.startsWith(wanted)).map((name) => ({ name, about: "" }));
  return [
    ...commands.map((each) => ({ name: each.name.slice(1), shown: each.name, about: `${each.hint ? `${each.hint} · ` : ""}${each.about || each.app}` })),
    ...shortcuts.filter((each) => each.on === "global").map((each) => ({ ...each, shown: each.name, about: `Shortcut of ${each.by}` })),
  ].filter(({ name }) => name.toLowerCase().startsWith(wanted));
}

function suggest(area) {
  const ask = asked(area);
  if (!ask || (ask.kind === "/" && area.form.dataset.thread)) {
    complete.close();
    return;
  }
  const found = offers(ask);
  if (found.length === 1 && found[0].name === ask.typed) {
    complete.close();
    return;
  }
  complete.show(area, found.slice(0, MOST), (option) => {
    if (option.callback) {
      put(area, "");
      act("shortcut", { app: option.app, callback: option.callback });
      return;
    }
    const end = area.selectionStart;
    const text = `${ask.kind}${option.name} `;
    put(area, area.value.slice(0, ask.from) + text + area.value.slice(end));
    area.selectionStart = area.selectionEnd = ask.from + text.length;
  });
}

async function send(form) {
  const area = form.querySelector("textarea");
  const text = area.value;
  if (!text.trim() || "busy" in form.dataset) return;
  const thread = form.dataset.thread ?? null;
  const command = /^\/[a-z0-9_-]+(\s|$)/.test(text);
  if (command && thread) {
    toast("Slash commands do not work in threads.");
    return;
  }
  form.dataset.busy = "";
  const { channel } = app().dataset;
  const box = form.elements.broadcast;
  const said = command
    ? await act("command", { channel, line: text })
    : await act("say", { channel, text, thread, broadcast: box?.checked ?? false });
  delete form.dataset.busy;
  if (!said) return;
  if (area.value === text) put(area, "");
  if (box) box.checked = false;
  complete.close();
  toEnd(document.getElementById(thread ? "replies" : "messages"));
}

export function prompt(button) {
  const form = button.closest("#thread, #main").querySelector(".composer");
  act("say", { channel: app().dataset.channel, text: button.dataset.text, thread: form?.dataset.thread ?? null });
}

export function begin() {
  document.addEventListener("input", ({ target }) => {
    if (!isComposer(target)) return;
    put(target, target.value);
    suggest(target);
  });
  document.addEventListener("keydown", (event) => {
    if (!isComposer(event.target) || event.isComposing || complete.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send(event.target.form);
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".composer")) return;
    event.preventDefault();
    send(event.target);
  });
  document.addEventListener("focusout", ({ target }) => complete.isOpen(target) && complete.close());
  whenChanged((moved) => {
    if (!moved) return;
    for (const area of document.querySelectorAll(".composer textarea")) {
      const draft = sessionStorage.getItem(draftOf(area)) ?? "";
      if (!area.value && draft) put(area, draft);
    }
  });
}
