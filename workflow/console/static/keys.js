// The keyboard. Single keys work outside of fields, and can be switched off (WCAG 2.1.4).
const STORE = "stlflow-keys";
let current, going = false;
const rows = () => [...document.querySelectorAll("main table tbody tr")];

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current);
  choose(all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))]);
}
function choose(row) {
  current?.classList.remove("current");
  current = row;
  row.classList.add("current");
  row.querySelector("a.file")?.focus({preventScroll: true});
  row.scrollIntoView({block: "nearest"});
}

const HELP = [
  ["j, k", "next and previous row"], ["x", "choose the row"], ["Enter", "open it"], [".", "to its buttons"],
  ["/", "search"], ["r", "refresh"], ["?", "this page"],
];
function help(dialog) {
  const places = [...document.querySelectorAll("[data-shortcut]")].map((link) => [`g ${link.dataset.shortcut}`, link.firstChild.textContent.trim()]);
  const box = document.createElement("div");
  box.className = "padded";
  const title = document.createElement("h2"), list = document.createElement("dl");
  title.textContent = "Keyboard";
  list.className = "facts";
  for (const [keys, text] of [...HELP, ...places]) {
    const name = document.createElement("dt"), what = document.createElement("dd"), key = document.createElement("kbd");
    key.textContent = keys;
    name.append(key);
    what.textContent = text;
    list.append(name, what);
  }
  const label = document.createElement("label"), off = document.createElement("input"), end = document.createElement("button");
  off.type = "checkbox";
  off.checked = localStorage.getItem(STORE) !== "off";
  off.addEventListener("change", () => localStorage.setItem(STORE, off.checked ? "on" : "off"));
  label.className = "check";
  label.append(off, " Single keys are on");
  end.textContent = "Close";
  end.dataset.close = "";
  const actions = document.createElement("div");
  actions.className = "actions end";
  actions.append(end);
  box.append(title, list, label, actions);
  dialog.replaceChildren(box);
  dialog.showModal();
  end.focus();
}

export function listenToKeys(dialog) {
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("main table tbody tr");
    if (row && row !== current) { current?.classList.remove("current"); current = row; row.classList.add("current"); }
  });
  const button = document.querySelector(".keys");
  if (button) button.hidden = false;
  button?.addEventListener("click", () => help(dialog));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key !== "?" && localStorage.getItem(STORE) === "off") return;
    if (going) {
      going = false;
      const link = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.assign(link.href); }
      return;
    }
    const actions = {
      j: () => move(1), k: () => move(-1), g: () => { going = true; setTimeout(() => { going = false; }, 1500); },
      x: () => current?.querySelector("input[type=checkbox]")?.click(),
      ".": () => (current ?? document).querySelector(".actions button, .actions a")?.focus(),
      "/": () => (document.getElementById("q") ? document.getElementById("q").focus() : location.assign("/submissions")),
      r: () => location.reload(), "?": () => help(dialog),
    };
    const action = actions[event.key];
    if (action) { event.preventDefault(); action(); }
  });
}
