// Keeps the page up to date: it hears which tasks changed, fetches itself anew, and changes what became different.
// Without it the page is as it was loaded, and every button still works.

const PAUSE_MS = 700;
const NOW_AND_THEN_MS = 20_000;

const main = () => document.getElementById("main");
const localDay = (moment) => moment.toLocaleDateString([], { month: "short", day: "numeric" });

// Times in the reader's own zone; those of another day with their date.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const day = moment.toDateString() === new Date().toDateString() ? "" : `${localDay(moment)}, `;
    const seconds = "precise" in time.dataset ? { second: "2-digit" } : {};
    time.textContent = day + moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...seconds });
    time.title = moment.toLocaleString();
  }
}

// One element becomes like another with as few changes as it takes: the focus, what is open and what was typed stay.
function morph(from, to) {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const named = wanted.id ? document.getElementById(wanted.id) : null;
    const there = named?.parentNode === from ? named : at && !at.id && !wanted.id && at.nodeName === wanted.nodeName ? at : null;
    if (!there) {
      from.insertBefore(wanted, at);
      continue;
    }
    if (there === at) at = at.nextSibling;
    else from.insertBefore(there, at);
    if (there.nodeType === Node.ELEMENT_NODE) morph(there, wanted);
    else if (there.data !== wanted.data) there.data = wanted.data;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// What became of something is said above everything; the focus goes there where what had it is gone.
function tell(...parts) {
  const told = document.getElementById("told");
  told.replaceChildren(...parts);
  told.scrollIntoView({ block: "nearest" });
  if (document.activeElement === document.body) told.focus({ preventScroll: true });
}

function note(text) {
  const made = document.createElement("p");
  made.className = "told";
  made.dataset.level = "warning";
  made.textContent = text;
  return made;
}

function draw(text, { told }) {
  const made = new DOMParser().parseFromString(text, "text/html");
  localise(made);
  if (!made.querySelector("header.top")) {
    if (told) tell(note(made.querySelector("main p")?.textContent ?? text));
    return;
  }
  morph(main(), made.getElementById("main"));
  document.title = made.title;
  if (told) tell(...made.getElementById("told").childNodes);
}

let fetching = false;
let again = false;
async function fetchAnew() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.status === 401) return location.reload();
    if (answer.ok) draw(await answer.text(), { told: false });
    document.getElementById("offline").hidden = answer.status < 500;
  } catch {
    document.getElementById("offline").hidden = false; // the stream says when it is there again
  }
  setTimeout(() => {
    fetching = false;
    if (again) {
      again = false;
      fetchAnew();
    }
  }, PAUSE_MS);
}

// One task's page is about that task and its family; the first page is about all.
function concerns(tasks) {
  if (tasks === null || location.pathname === "/") return true;
  return tasks.some((each) => document.querySelector(`[data-task="${CSS.escape(each)}"]`));
}

let stream = null;
let wait = 500;
let begun = false;
function listen() {
  stream?.close();
  stream = new EventSource("/live");
  stream.addEventListener("open", () => {
    wait = 500;
    document.getElementById("offline").hidden = true;
    document.body.dataset.live = "";
    if (begun) fetchAnew();
    begun = true;
  });
  stream.addEventListener("changed", ({ data }) => concerns(JSON.parse(data)) && fetchAnew());
  stream.addEventListener("error", ({ target }) => {
    delete document.body.dataset.live;
    setTimeout(() => (document.getElementById("offline").hidden = "live" in document.body.dataset || document.hidden), 1500);
    if (target.readyState !== EventSource.CLOSED || target !== stream) return; // else the browser tries again itself
    setTimeout(() => target === stream && !document.hidden && listen(), wait);
    wait = Math.min(wait * 2, 5000);
    fetchAnew();
  });
}

// A page that nobody looks at listens to nothing: a browser has few connections to one place.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return listen();
  stream?.close();
});
setInterval(() => !document.hidden && fetchAnew(), NOW_AND_THEN_MS);

document.addEventListener("submit", async (event) => {
  const { target, submitter } = event;
  if (target.getAttribute("action") === "/out") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(target, submitter));
  const buttons = target.querySelectorAll("button");
  for (const each of buttons) each.disabled = true;
  try {
    const answer = await fetch(target.action, { method: "POST", body });
    if (answer.status === 401) return location.reload();
    draw(await answer.text(), { told: true });
  } catch {
    tell(note("The supervisor does not answer. Whether it heard you shows here when it does; look before you decide anew."));
  }
  for (const each of buttons) each.disabled = false;
});

localise(document);
listen();
