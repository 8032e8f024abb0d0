// What changes, as it happens. The stream says which submissions changed; the page is asked for again and
// only what differs is replaced, so that focus, choice and place stay.
const SILENCE_MS = 30000, POLL_MS = 5000, GATHER_MS = 300, LEAST_MS = 1000, MINUTE_MS = 60000;
const button = document.getElementById("live");
const PAUSED = "paused";
let event = document.body.dataset.event ?? ""; // the newest one that the page was made with
let source, lastSign = 0, lastLoad = Date.now(), timer, paused = false, crowded = false, lostAt, drawing, extra = new Set();

function say(state, text) {
  if (!button) return;
  button.hidden = false;
  button.dataset.liveState = state;
  button.textContent = text;
  if (!button.type) return; // on the wall it is no button
  button.setAttribute("aria-pressed", String(paused));
  button.title = paused ? "Show changes again as they happen" : "Stop showing changes";
}

function open() {
  close();
  crowded = false;
  source = new EventSource(`/events?since=${event}`);
  lastSign = Date.now();
  source.addEventListener("open", () => { lastSign = Date.now(); alive(); });
  source.addEventListener("beat", () => { lastSign = Date.now(); alive(); });
  source.addEventListener("crowded", () => { close(); crowded = true; refresh(); });
  source.addEventListener("changes", (told) => {
    lastSign = Date.now();
    alive();
    const {changed, waiting} = JSON.parse(told.data);
    const before = showWaiting(waiting);
    if (concerns(changed) || (before !== waiting && document.querySelector("[data-live=attention]"))) {
      for (const number of Object.keys(changed)) extra.add(number);
      later();
      drawing ??= setTimeout(() => { drawing = undefined; later(); }, POLL_MS); // pictures are drawn a little after
    }
  });
}
function close() { source?.close(); source = undefined; }
function alive() { lostAt = undefined; if (!paused) say("live", "Live"); }

function concerns(changed) {
  const numbers = Object.keys(changed);
  if (!numbers.length) return false;
  const only = document.querySelector("[data-only]")?.dataset.only;
  if (only) return numbers.includes(only);
  return document.querySelector("[data-live], [data-live-rows]") !== null;
}

export function showWaiting(count) {
  const badge = document.getElementById("waiting"), before = Number(badge?.textContent ?? 0);
  if (badge && before !== count) { badge.textContent = count; badge.hidden = !count; }
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (count) document.title = `(${count}) ${document.title}`;
  return before;
}

function later() {
  if (timer || document.hidden || paused) return;
  timer = setTimeout(() => { timer = undefined; refresh(); }, Math.max(GATHER_MS, LEAST_MS - (Date.now() - lastLoad)));
}

// Ask for this page again and show what differs.
export async function refresh() {
  lastLoad = Date.now();
  const numbers = [...extra];
  extra = new Set();
  try {
    showPage(await load(location.href));
    await refreshBelow(numbers);
    lostAt = undefined;
    if (!paused && !source) say("live", "Live, every 5 seconds");
  } catch {
    lostAt ??= new Date();
    say("lost", `Not live since ${lostAt.toTimeString().slice(0, 5)}`);
  }
}
async function load(address) {
  const reply = await fetch(address, {credentials: "same-origin", headers: {Accept: "text/html"}});
  if (!reply.ok || reply.redirected) throw new Error(reply.status); // redirected: logged out
  return new DOMParser().parseFromString(await reply.text(), "text/html");
}

// Rows below the first page are asked for by their numbers.
async function refreshBelow(numbers) {
  const body = document.querySelector("[data-live-rows]");
  if (!body) return;
  const below = numbers.filter((number) => body.querySelector(`[data-key="${number}"]`)).slice(0, 200);
  if (!below.length) return;
  const address = new URL(location.href);
  address.searchParams.set("only", below.join(","));
  address.searchParams.delete("after");
  const page = await load(address);
  for (const number of below) {
    const old = body.querySelector(`[data-key="${number}"]`), fresh = page.querySelector(`[data-live-rows] [data-key="${number}"]`);
    if (!fresh) old?.remove();
    else if (old) replace(old, fresh);
  }
}

export function showPage(page, {whole = false} = {}) {
  event = page.body.dataset.event ?? event;
  const waiting = page.getElementById("waiting");
  if (waiting) showWaiting(Number(waiting.textContent));
  for (const block of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${block.dataset.live}"]`);
    if (fresh?.dataset.poll) block.dataset.poll = fresh.dataset.poll;
    if (fresh && plain(block) !== plain(fresh)) patch(block, fresh);
  }
  const body = document.querySelector("[data-live-rows]"), rows = page.querySelector("[data-live-rows]");
  if (body && rows) showRows(body, rows, page, whole);
  document.dispatchEvent(new Event("shown"));
}

// The text of a block without what changes by itself, such as "5 min".
function plain(block) {
  const copy = block.cloneNode(true);
  for (const box of copy.querySelectorAll("[data-chosen]")) box.remove();
  return copy.innerHTML.replace(/ (disabled|hidden)=""/g, "").replace(/ class="changed"/g, "");
}

function patch(block, fresh) {
  const rows = new Map([...block.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
  const chosen = new Set([...block.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
  const mark = markFocus(block);
  const made = document.importNode(fresh, true);
  for (const row of made.querySelectorAll("[data-key]")) {
    const old = rows.get(row.dataset.key);
    if (old && old.dataset.version === row.dataset.version && old.outerHTML === row.outerHTML) row.replaceWith(old);
    else if (old) row.classList.add("changed");
  }
  for (const box of made.querySelectorAll("input[type=checkbox]")) box.checked = chosen.has(box.value);
  for (const opened of block.querySelectorAll("details[open][id]")) {
    const same = made.querySelector(`#${CSS.escape(opened.id)}`);
    if (same) same.open = true;
  }
  block.replaceChildren(...made.childNodes);
  restoreFocus(block, mark);
}

function showRows(body, rows, page, whole) {
  const held = !whole && (body.matches(":hover") || body.contains(document.activeElement) || body.querySelector(":checked"));
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  if (whole) {
    body.replaceChildren(...[...rows.rows].map((row) => document.importNode(row, true)));
    const more = document.querySelector("a[data-more]"), fresh = page.querySelector("a[data-more]");
    if (more && fresh) more.href = fresh.href;
    else if (fresh) document.querySelector("main").append(document.importNode(fresh.parentElement, true));
    else more?.parentElement.remove();
    const empty = document.querySelector(".table-wrap .empty"), nothing = page.querySelector(".table-wrap .empty");
    empty?.remove();
    if (nothing) body.closest(".table-wrap").append(document.importNode(nothing, true));
    return;
  }
  let place = null, waiting = 0;
  for (const row of [...rows.rows].reverse()) {
    const old = known.get(row.dataset.key);
    if (old) { place = replace(old, row); continue; }
    if (held) { waiting += 1; continue; }
    const made = document.importNode(row, true);
    made.classList.add("changed");
    body.insertBefore(made, place ?? body.firstChild);
    place = made;
  }
  document.querySelector(".table-wrap .empty")?.remove();
  if (waiting) offer(body, waiting); else document.getElementById("new-rows")?.remove();
}

// While a row is in use, new ones wait behind a button: nothing jumps away under the hand.
function offer(body, count) {
  let wait = document.getElementById("new-rows");
  if (!wait) {
    wait = document.createElement("button");
    wait.id = "new-rows";
    wait.type = "button";
    wait.addEventListener("click", async () => { wait.remove(); showPage(await load(location.href), {whole: true}); });
    body.closest(".card").before(wait);
  }
  wait.textContent = `${count} new: show`;
}

const pictureOf = (row) => row.querySelector(".thumb")?.getAttribute("src");
function replace(old, row) {
  if (old.dataset.version === row.dataset.version && pictureOf(old) === pictureOf(row)) return old;
  const made = document.importNode(row, true), mark = markFocus(old);
  const box = old.querySelector("input[type=checkbox]"), fresh = made.querySelector("input[type=checkbox]");
  if (box && fresh) fresh.checked = box.checked;
  made.classList.add("changed");
  old.replaceWith(made);
  restoreFocus(made, mark);
  return made;
}

// Where the focus is within a block: by its row and its place among what can be focused there.
const FOCUSABLE = "a[href], button, input, select, textarea, summary";
function markFocus(block) {
  const active = document.activeElement;
  if (!block.contains(active)) return undefined;
  const row = active.closest("[data-key]"), inside = row ?? block;
  return {key: row?.dataset.key, place: [...inside.querySelectorAll(FOCUSABLE)].indexOf(active)};
}
function restoreFocus(block, mark) {
  if (!mark) return;
  const row = mark.key && (block.dataset.key === mark.key ? block : block.querySelector(`[data-key="${mark.key}"]`));
  const inside = row || block, all = inside.querySelectorAll(FOCUSABLE);
  (all[Math.min(mark.place, all.length - 1)] ?? document.getElementById("main")).focus({preventScroll: true});
}

export function watch() {
  if (!document.querySelector("[data-csrf]")) return;
  open();
  button?.addEventListener("click", () => {
    paused = !paused;
    if (paused) { close(); say(PAUSED, "Paused"); } else { open(); refresh(); alive(); }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!paused) { open(); refresh(); }
  });
  setInterval(() => {
    if (document.hidden || paused) return;
    const silent = Date.now() - lastSign > SILENCE_MS;
    if (silent && source) close();
    if (!source || source.readyState === EventSource.CLOSED) {
      if (Date.now() - lastLoad > POLL_MS - 500) refresh();
      if (!crowded && Date.now() - lastSign > 2 * SILENCE_MS) open();
    } else if (Date.now() - lastLoad > Number(document.querySelector("[data-poll]")?.dataset.poll ?? 60) * 1000) refresh();
    if (source?.readyState === EventSource.CONNECTING && Date.now() - lastSign > POLL_MS) {
      lostAt ??= new Date(lastSign);
      say("lost", `Not live since ${lostAt.toTimeString().slice(0, 5)}`);
    }
  }, POLL_MS);
}
