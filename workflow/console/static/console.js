// The console in the browser. Without this file every page and every form still works.
import {refresh, showPage, watch} from "./live.js";
import {listenToKeys} from "./keys.js";
import {listenToDrops} from "./drop.js";

const dialog = document.createElement("dialog");
document.body.append(dialog);
dialog.setAttribute("aria-label", "Question");

// A field called "action" or "id" hides the form's own property of that name: attributes are asked for.
const addressOf = (form) => new URL(form.getAttribute("action"), location.href);

// Null, which was said, if nobody answers.
async function pageAt(address, options = {}) {
  try {
    const reply = await fetch(address, {credentials: "same-origin", ...options});
    const text = await reply.text();
    return {ok: reply.ok, page: new DOMParser().parseFromString(text, "text/html")};
  } catch {
    const lost = options.method ? " Load the page again to see whether it was done." : "";
    notice(`The service does not answer.${lost}`, "wrong");
    return null;
  }
}

// A link or form that asks a question first: the page of the question, shown in a dialog.
async function ask(address) {
  const answer = await pageAt(address);
  if (!answer) return;
  showQuestion(answer.page);
}
function showQuestion(page) {
  const form = page.querySelector("#question");
  dialog.replaceChildren(document.importNode(form ?? page.querySelector("main") ?? page.body, true));
  if (!dialog.open) dialog.showModal();
  focusIn(dialog);
}

// The focus goes to the field that is wrong, or else to the first one.
function focusIn(place) {
  const first = place.querySelector("[aria-invalid]") ?? place.querySelector("input:not([type=hidden]), button.primary");
  (first ?? place).focus();
}

// A form that changes something: sent without leaving the page, which then shows what became of it.
async function send(form, button) {
  const fields = new FormData(form, button);
  for (const each of form.querySelectorAll("button")) each.disabled = true;
  const answer = await pageAt(addressOf(form), {method: "POST", body: new URLSearchParams(fields)});
  if (answer?.ok && dialog.open) dialog.close();
  if (answer?.ok) await refresh();
  for (const each of form.querySelectorAll("button")) each.disabled = false;
  if (answer && !answer.ok && dialog.open && answer.page.querySelector("#question")) showQuestion(answer.page);
  else if (!answer?.ok && dialog.open) focusIn(dialog);
  const isTold = dialog.open && dialog.querySelector("[aria-invalid]");
  if (answer && !isTold) say(answer.page, answer.ok);
}

// A preview is shown in its place on the page: the file that was chosen stays chosen.
async function preview(form, button) {
  const place = form.closest("section"), body = new FormData(form, button);
  button.disabled = true;
  const answer = await pageAt(addressOf(form), {method: "POST", body});
  button.disabled = false;
  const made = answer?.page.getElementById(place.id);
  if (made) {
    const fresh = document.importNode(made, true);
    for (const chosen of place.querySelectorAll("[type=file]")) fresh.querySelector(`[name="${chosen.name}"]`).replaceWith(chosen);
    place.replaceChildren(...fresh.childNodes);
  }
  const wrong = place.querySelector("[aria-invalid]");
  (wrong ?? place.querySelector("form button")).focus();
  if (answer && !answer.ok && !wrong) say(answer.page, false);
}

// A refusal before the pages, such as that of a session that has ended, is plain text.
function say(page, ok) {
  const told = ok ? page.querySelector(".said") : page.querySelector(".notice.wrong, #refusal") ?? page.querySelector(".empty p, main p") ?? page.body;
  const text = told?.textContent.trim();
  if (text) notice(text, ok ? "said" : "wrong");
}

function clearNotices(place) {
  for (const older of place.querySelectorAll(":scope > .notice, :scope > .said")) older.remove();
}

export function notice(text, kind = "said") {
  const place = dialog.open ? dialog : document.querySelector("main");
  clearNotices(place);
  const line = document.createElement("p");
  line.className = `notice ${kind}`;
  line.setAttribute("role", kind === "wrong" ? "alert" : "status");
  line.textContent = text;
  place.prepend(line);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") && dialog.open) {
    event.preventDefault();
    dialog.close();
    return;
  }
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    ask(link.href);
    return;
  }
  const more = event.target.closest("a[data-more]");
  if (more) {
    event.preventDefault();
    addRows(more);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-bulk]")) {
    event.preventDefault();
    ask(`${addressOf(form)}?${new URLSearchParams(new FormData(form, event.submitter))}`);
  } else if (form.matches("[data-search]")) {
    event.preventDefault();
    search(form);
  } else if (form.matches("[data-preview]")) {
    event.preventDefault();
    preview(form, event.submitter);
  } else if (["/act", "/bulk-arrival"].includes(addressOf(form).pathname) && form.getAttribute("method") === "post") {
    event.preventDefault();
    send(form, event.submitter);
  }
});

// More rows below those that are there.
async function addRows(link) {
  const answer = await pageAt(link.href);
  if (!answer) return;
  const {page} = answer;
  const body = document.querySelector("[data-paged] tbody");
  const known = new Set([...body.rows].map((row) => row.dataset.key));
  for (const row of page.querySelectorAll("[data-paged] tbody tr")) {
    if (!known.has(row.dataset.key)) body.append(document.importNode(row, true));
  }
  const next = page.querySelector("a[data-more]");
  if (next) link.href = next.href;
  else link.parentElement.remove();
}

// The search shows its rows while one types; the address always says what is shown.
let typing;
async function search(form) {
  const address = `${addressOf(form)}?${new URLSearchParams(new FormData(form))}`;
  const answer = await pageAt(address);
  if (!answer) return;
  const {ok, page} = answer;
  if (!ok) return say(page, ok);
  clearNotices(document.querySelector("main"));
  history.replaceState(null, "", address);
  showPage(page, {whole: true});
}
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-search]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => search(form), 250);
});

// Choosing several rows: all, a range with Shift, and how many are chosen.
let lastChosen;
function boxesOf(form) {
  return [...document.querySelectorAll(`input[type=checkbox][form="${form.getAttribute("id")}"]`)];
}
function countChosen(form) {
  const boxes = boxesOf(form), chosen = boxes.filter((box) => box.checked);
  form.classList.toggle("some", chosen.length > 0);
  const text = form.querySelector("[data-chosen]");
  text.textContent = chosen.length ? `${chosen.length} chosen:` : "Choose rows to decide for several at once:";
  for (const button of form.querySelectorAll("button")) button.disabled = !chosen.length;
  for (const all of allBoxes(form)) {
    all.checked = chosen.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}
function allBoxes(form) {
  return [...form.querySelectorAll("[data-all]"), ...document.querySelectorAll(`[data-all="${form.getAttribute("id")}"]`)];
}
export function prepareBulk() {
  for (const form of document.querySelectorAll("form[data-bulk]")) {
    for (const all of allBoxes(form)) {
      all.hidden = false;
      all.closest("label")?.removeAttribute("hidden");
    }
    countChosen(form);
  }
}
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.("input[type=checkbox]")) return;
  const all = box.matches("[data-all]");
  const form = all ? document.getElementById(box.dataset.all) ?? box.closest("form") : box.form;
  if (!form?.matches("[data-bulk]")) return;
  const boxes = boxesOf(form);
  if (all) for (const each of boxes) each.checked = box.checked;
  if (!all && event.shiftKey && lastChosen?.isConnected) {
    const [from, to] = [boxes.indexOf(lastChosen), boxes.indexOf(box)].sort((one, two) => one - two);
    if (from >= 0) for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
  }
  if (!all) lastChosen = box;
  countChosen(form);
});

// A page that came as the answer to a form has the address of the form: from here on it has its own.
const own = document.body.dataset.address;
if (own && own !== location.pathname + location.search) history.replaceState(null, "", own + location.hash);

document.addEventListener("shown", prepareBulk);
prepareBulk();
watch();
listenToKeys(dialog);
listenToDrops(notice);
document.documentElement.dataset.ready = "yes";
