// Talks with the simulator: what people do goes there, and what changes comes back over a socket.

import { localise, place } from "./morph.js";
import { isPinned, keeping } from "./scroll.js";

const after = [];
let socket = null;
let wait = 250;

export const app = () => document.getElementById("app");
export const known = () => JSON.parse(document.getElementById("known").dataset.known);
export const whenChanged = (then) => after.push(then);

export function toast(text) {
  const note = document.createElement("div");
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

// Somebody does something. Gives what came of it; nothing where it was refused, which is said.
export async function act(what, more = {}) {
  try {
    const answer = await fetch("/page/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ what, user: app().dataset.user, ...more }),
    });
    const said = await answer.json();
    if (answer.ok) {
      if (said.go) go(said.go);
      return said;
    }
    toast(said.error);
  } catch {
    toast("The simulator does not answer.");
  }
  return null;
}

export function say(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

// Looks at something else. The inspector stays open while it does.
export function go(address, { push = true, keeps = true } = {}) {
  const url = new URL(address, location.href);
  if (push && keeps && "inspector" in app().dataset) url.searchParams.set("inspector", "1");
  const to = url.pathname + url.search;
  if (socket?.readyState !== WebSocket.OPEN) {
    location.assign(to);
    return;
  }
  if (push) history.pushState(null, "", to);
  say({ go: to });
}

function take(fragments) {
  const moved = fragments.some(({ id }) => id === "app");
  keeping(() => fragments.forEach(place));
  const logs = [...document.querySelectorAll(".log")];
  if (!moved && logs.some((log) => log.childElementCount > Number(log.dataset.most) && isPinned(log))) say({ go: location.pathname + location.search });
  if (moved) document.title = app().dataset.title;
  after.forEach((then) => then(moved));
}

export function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/page/live`);
  socket.addEventListener("open", () => {
    wait = 250;
    document.getElementById("offline").hidden = true;
    document.body.dataset.live = "";
    say({ go: location.pathname + location.search });
  });
  socket.addEventListener("message", ({ data }) => take(JSON.parse(data)));
  socket.addEventListener("close", () => {
    delete document.body.dataset.live;
    setTimeout(() => (document.getElementById("offline").hidden = socket.readyState === WebSocket.OPEN), 1000);
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 5000);
  });
}

export function begin() {
  localise(document);
  keeping(() => {});
  after.forEach((then) => then(true));
  addEventListener("popstate", () => go(location.href, { push: false }));
  connect();
}
