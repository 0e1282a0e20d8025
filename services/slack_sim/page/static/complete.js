// A list that completes what is typed: arrows choose, Enter or Tab takes, Escape leaves.

const list = document.getElementById("completion");
let open = null;

export const isOpen = (field) => open !== null && open.field === field;

export function close() {
  if (!open) return;
  open.field.removeAttribute("aria-activedescendant");
  open.field.setAttribute("aria-expanded", "false");
  open = null;
  list.hidden = true;
}

// Shows `options`, each with a `name` and an `about`; `take` is called with the one that is chosen.
export function show(field, options, take) {
  if (!options.length) {
    close();
    return;
  }
  open = { field, options, take, at: 0 };
  list.replaceChildren(...options.map(row));
  list.hidden = false;
  field.setAttribute("aria-controls", "completion");
  field.setAttribute("aria-expanded", "true");
  const box = field.getBoundingClientRect();
  const height = list.offsetHeight;
  const above = box.top > height + 8;
  list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
  list.style.top = above ? `${box.top - height - 6}px` : `${box.bottom + 6}px`;
  (field.closest("dialog") ?? document.body).append(list);
  mark();
}

function row(option, index) {
  const item = document.createElement("li");
  item.id = `option-${index}`;
  item.role = "option";
  const name = document.createElement("b");
  const about = document.createElement("span");
  name.textContent = option.shown ?? option.name;
  about.textContent = option.about ?? "";
  item.append(name, about);
  item.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    chosen(index);
  });
  return item;
}

function mark() {
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === open.at)));
  list.children[open.at].scrollIntoView({ block: "nearest" });
  open.field.setAttribute("aria-activedescendant", `option-${open.at}`);
}

function chosen(index) {
  const { options, take } = open;
  close();
  take(options[index]);
}

// Whether a key was for the list.
export function key(event) {
  if (!isOpen(event.target)) return false;
  const count = open.options.length;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    open.at = (open.at + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
    mark();
  } else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") chosen(open.at);
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
