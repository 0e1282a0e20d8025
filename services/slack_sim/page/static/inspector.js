// The inspector: what it lists, what it shows whole, and what it copies.

import { toast, whenChanged } from "./talk.js";

const records = () => [...document.querySelectorAll("#records > li")];
let open = null;

function sift() {
  const field = document.getElementById("record-filter");
  if (!field) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = document.getElementById("record-kind").value;
  for (const record of records()) {
    const fits = !kind || record.dataset.kind === kind || (kind === "wrong" && "wrong" in record.dataset);
    const hidden = !fits || !words.every((word) => record.dataset.found.includes(word));
    if (record.hidden !== hidden) record.hidden = hidden;
    record.classList.toggle("open", record.id === open);
  }
}

async function fetched(ids) {
  const answer = await fetch(`/page/records?of=${ids.join(",")}`);
  return answer.text();
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast("The browser does not let the page copy.");
  }
}

export async function show(button) {
  const { id } = button.closest("li");
  const panel = document.getElementById("record");
  open = open === id ? null : id;
  sift();
  panel.hidden = open === null;
  if (open === null) return;
  const text = await fetched([id]);
  const pre = document.createElement("pre");
  const bar = document.createElement("div");
  const copying = document.createElement("button");
  const closing = document.createElement("button");
  pre.textContent = text;
  pre.tabIndex = 0;
  bar.className = "bar";
  copying.className = closing.className = "button";
  copying.textContent = "Copy";
  closing.textContent = "Close";
  copying.addEventListener("click", () => copy(text));
  closing.addEventListener("click", () => {
    show(button);
    button.focus();
  });
  bar.append(copying, closing);
  panel.replaceChildren(bar, pre);
}

export async function copyShown() {
  const ids = records().filter((record) => !record.hidden).map((record) => record.id);
  if (ids.length) await copy(await fetched(ids));
}

export function begin() {
  document.addEventListener("input", ({ target }) => target.closest("#inspector .filters") && sift());
  whenChanged(() => {
    if (!document.getElementById("records")) open = null;
    sift();
  });
}
