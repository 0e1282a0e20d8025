// Buttons, selects and inputs of messages and views; modals; and the question that some ask first.

import * as complete from "./complete.js";
import { act, app, whenChanged } from "./talk.js";

const modal = () => document.getElementById("modal");

// Where something stands: a message, or a view.
function placeOf(control) {
  const place = control.closest("[data-place]");
  if (place?.dataset.place === "view") return { view: place.dataset.view };
  return { channel: app().dataset.channel, ts: place?.dataset.ts };
}

function valueOf(control) {
  const { kind } = control.dataset;
  if (control.matches(".choices")) {
    const ticked = [...control.querySelectorAll("input:checked")].map((box) => box.value);
    return kind === "radio_buttons" ? (ticked[0] ?? null) : ticked;
  }
  if (kind.endsWith("external_select")) {
    const chosen = JSON.parse(control.dataset.value ?? "[]");
    return "many" in control.dataset ? chosen : (chosen[0] ?? null);
  }
  if (kind === "datetimepicker") return control.value ? String(Math.round(new Date(control.value).getTime() / 1000)) : null;
  return control.value || null;
}

export function ask({ title, text, confirm, deny, style }) {
  const dialog = document.getElementById("question");
  const yes = document.getElementById("question-yes");
  const no = document.getElementById("question-no");
  document.getElementById("question-title").textContent = title;
  document.getElementById("question-text").textContent = text;
  yes.textContent = confirm || "Yes";
  no.textContent = deny || "Cancel";
  yes.className = `button ${style === "danger" ? "danger" : "primary"}`;
  return new Promise((resolve) => {
    yes.onclick = () => dialog.close("yes");
    no.onclick = () => dialog.close("no");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "no";
    dialog.showModal();
  });
}

// Everything that stands in a modal.
function valuesIn(form) {
  return [...form.querySelectorAll("[data-action]:not(button, a, .overflow)")].map((control) => ({
    block: control.dataset.block,
    action: control.dataset.action,
    value: valueOf(control),
  }));
}

export async function press(control) {
  const { action, block, confirm } = control.dataset;
  const place = placeOf(control);
  const value = control.matches("button, a") ? control.value || null : valueOf(control);
  if (confirm && !(await ask(JSON.parse(confirm)))) return;
  if (confirm && control.href) open(control.href, "_blank", "noopener");
  const form = control.closest("form[data-view]");
  await act("press", { ...place, action, block: block || null, value, values: form ? valuesIn(form) : [] });
  if (control.matches(".overflow")) control.value = "";
}

function changed(target) {
  const choices = target.closest(".choices");
  const control = choices ?? target.closest("[data-action]");
  if (!control || target.matches("[type=hidden]")) return;
  control.querySelector?.("input")?.setCustomValidity("");
  const folded = control.closest("details.many");
  if (folded) folded.querySelector("summary").textContent = `${control.querySelectorAll("input:checked").length} chosen`;
  if ("told" in control.dataset && !control.dataset.kind.endsWith("external_select")) press(control);
}

function checkRequired(form) {
  for (const choices of form.querySelectorAll(".choices[data-required]")) {
    const box = choices.querySelector("input");
    const missing = box && !choices.querySelector("input:checked");
    box?.setCustomValidity(missing ? "Choose at least one." : "");
    if (missing && choices.closest("details")) choices.closest("details").open = true;
  }
  return form.reportValidity();
}

async function submit(form) {
  if (!checkRequired(form)) return;
  const values = valuesIn(form);
  const button = form.querySelector("footer [type=submit]");
  button.disabled = true;
  if (!(await act("submit", { view: form.dataset.view, values }))) button.disabled = false;
}

// An app completes what is typed into a select of its own.
let typing = 0;
function suggest(field) {
  clearTimeout(typing);
  if (!("many" in field.dataset)) field.dataset.value = "[]";
  const typed = field.value.split(",").at(-1).trim();
  if (typed.length < Number(field.dataset.least)) {
    complete.close();
    return;
  }
  typing = setTimeout(async () => {
    const answer = await act("suggest", { ...placeOf(field), action: field.dataset.action, typed });
    if (!answer || document.activeElement !== field) return;
    const options = answer.options.map(({ value, text }) => ({ name: text, about: "", value }));
    complete.show(field, options, ({ name, value }) => chosen(field, name, value));
  }, 200);
}

function chosen(field, name, value) {
  const many = "many" in field.dataset;
  const before = many ? field.value.split(",").slice(0, -1).map((each) => each.trim()) : [];
  field.dataset.value = JSON.stringify(many ? [...JSON.parse(field.dataset.value), value] : [value]);
  field.value = [...before, name].join(", ") + (many ? ", " : "");
  if ("told" in field.dataset) press(field);
}

export const closeView = () => act("close", { view: modal().dataset.view });

// The dialog is open while there is a view in it.
let shown = null;
function followModal() {
  const dialog = modal();
  const view = dialog.dataset.view ?? null;
  if (view && !dialog.open) dialog.showModal();
  if (!view && dialog.open) dialog.close();
  if (view && view !== shown) (dialog.querySelector(".inner :is(input, select, textarea, summary, button)") ?? dialog.querySelector("footer button"))?.focus();
  if (view && view === shown) dialog.querySelector("[aria-invalid]")?.focus();
  shown = view;
}

export function begin() {
  document.addEventListener("change", ({ target }) => changed(target));
  document.addEventListener("input", ({ target }) => target.dataset?.kind?.endsWith("external_select") && suggest(target));
  document.addEventListener("keydown", (event) => event.target.dataset?.kind && complete.key(event));
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.form !== "view") return;
    event.preventDefault();
    submit(event.target);
  });
  document.addEventListener("cancel", (event) => {
    if (event.target.id !== "modal") return;
    event.preventDefault();
    closeView();
  }, true);
  whenChanged(followModal);
}
