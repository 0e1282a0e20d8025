// Keeps a reader who is at the end at the end, and everybody else where they are.

const NEAR = 48;
const pinned = new WeakMap();
const watched = new WeakMap();

const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
const boxes = () => document.querySelectorAll("[data-pin]");

export const isPinned = (box) => pinned.get(box) ?? true;

export function toEnd(box) {
  if (!box) return;
  pinned.set(box, true);
  box.scrollTop = box.scrollHeight;
}

// Does something to the page, and puts every box back to where its reader was.
export function keeping(change) {
  const before = new Map([...boxes()].map((box) => [box, { first: firstOf(box), end: isPinned(box), key: keyOf(box) }]));
  change();
  for (const box of boxes()) {
    const was = before.get(box);
    if (!was || was.key !== keyOf(box) || was.end) toEnd(box);
    else if (was.first.there?.isConnected) box.scrollTop += was.first.there.getBoundingClientRect().top - was.first.top;
    watch(box);
  }
}

// The first thing that is in sight: it is to stay where it is.
function firstOf(box) {
  const top = box.getBoundingClientRect().top;
  for (const there of box.children) {
    const place = there.getBoundingClientRect();
    if (place.bottom > top && there.id) return { there, top: place.top };
  }
  return {};
}

const keyOf = (box) => {
  const { channel, thread, user } = document.getElementById("app").dataset;
  return `${user}/${channel}/${box.id === "replies" ? thread : ""}`;
};

function watch(box) {
  if (watched.has(box)) return;
  watched.set(box, true);
  pinned.set(box, isAtEnd(box));
  box.addEventListener("scroll", () => pinned.set(box, isAtEnd(box)), { passive: true });
  new ResizeObserver(() => pinned.get(box) && toEnd(box)).observe(box);
}
