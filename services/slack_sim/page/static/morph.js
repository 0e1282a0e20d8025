// Makes one piece of the page like another with as few changes as it takes: what has the focus, is selected or was typed stays.

const OF_SCRIPT = new Set(["open", "data-value", "data-held"]);

export function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const made = template.content.firstElementChild;
  if (made) localise(made);
  return made;
}

// Times in the reader's own zone; those of another day with their date.
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const day = moment.toDateString() === new Date().toDateString() ? "" : moment.toLocaleDateString([], { month: "short", day: "numeric" }) + ", ";
    const fine = "precise" in time.dataset;
    const clock = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...(fine ? { second: "2-digit", hour12: false } : {}) });
    time.textContent = fine ? `${clock}.${String(moment.getMilliseconds()).padStart(3, "0")}` : day + clock;
    time.title = moment.toLocaleString();
  }
  for (const field of root.querySelectorAll("input[data-unix]")) {
    const moment = new Date(Number(field.dataset.unix) * 1000);
    if (Number.isNaN(moment.getTime())) continue;
    moment.setMinutes(moment.getMinutes() - moment.getTimezoneOffset());
    field.setAttribute("value", moment.toISOString().slice(0, 16));
  }
}

export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || (from.id || "") !== (to.id || "")) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if ("own" in to.dataset) return;
  const anew = from.nodeName === "TEXTAREA" && from.dataset.draft !== to.dataset.draft;
  if (anew) {
    from.replaceWith(to);
    return;
  }
  attributes(from, to);
  children(from, to);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !OF_SCRIPT.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !(name === "data-value" && from.hasAttribute(name))) from.setAttribute(name, value);
  }
}

function children(from, to) {
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const named = wanted.id ? document.getElementById(wanted.id) : null;
    if (named && named.parentNode === from) {
      if (named === at) at = at.nextSibling;
      else from.insertBefore(named, at);
      morph(named, wanted);
    } else if (!wanted.id && at && !at.id && at.nodeName === wanted.nodeName) {
      const next = at.nextSibling;
      morph(at, wanted);
      at = next;
    } else {
      from.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// A piece that came from the simulator: in place of what has its id, or in its order among what is there.
export function place({ id, html, into }) {
  const there = document.getElementById(id);
  if (!html) {
    there?.remove();
    return;
  }
  const made = parsed(html);
  if (there) {
    morph(there, made);
    return;
  }
  const among = document.getElementById(into);
  if (!among) return;
  const newest = "newest" in among.dataset;
  const all = among.children;
  let index = newest ? 0 : all.length;
  if (newest) while (index < all.length && all[index].dataset.at > made.dataset.at) index += 1;
  else while (index > 0 && (all[index - 1].dataset.at ?? "") > made.dataset.at) index -= 1;
  among.insertBefore(made, all[index] ?? null);
  const most = Number(among.dataset.most);
  while (newest && most && all.length > most) among.lastElementChild.remove();
}
