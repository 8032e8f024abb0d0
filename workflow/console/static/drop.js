// Files that are dragged onto the page go into the inbox, one after the other.
export function listenToDrops(notice) {
  if (document.body.dataset.role === "view") return;
  const input = document.querySelector("input[type=file][name=files]"); // of the form for those who do not drag
  input?.addEventListener("change", () => input.setCustomValidity([...input.files].map(tooLarge).find(Boolean) ?? ""));
  let depth = 0;
  const veil = document.createElement("div");
  veil.className = "veil";
  veil.hidden = true;
  veil.textContent = "Drop STL files into the inbox";
  document.body.append(veil);
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; veil.hidden = false; } });
  document.addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) { depth = 0; veil.hidden = true; } });
  document.addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  document.addEventListener("drop", async (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    const dropped = filesOf(event.dataTransfer), refused = [];
    let said = "";
    for (const [place, {file, why}] of dropped.entries()) {
      const answer = why ? {why} : await upload(file, notice, dropped.length > 1 ? ` (${place + 1} of ${dropped.length})` : "");
      if (answer.why) refused.push(answer.why);
      else said = answer.said;
    }
    const taken = dropped.length - refused.length;
    if (taken && dropped.length > 1) said = `${taken} of ${dropped.length} files ${taken === 1 ? "is" : "are"} in the inbox.`;
    if (dropped.length) notice([said, ...refused].filter(Boolean).join(" "), refused.length ? "wrong" : "said");
  });
}

// A browser lists a folder among the files, and can't read it as one.
function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const folders = entries.filter((entry) => entry?.isDirectory).map(({name}) => name);
  const files = [...transfer.files].filter((file) => !folders.includes(file.name));
  return [...files.map((file) => ({file, why: tooLarge(file)})), ...folders.map((name) => ({why: `${name} is a folder: drop the files in it.`}))];
}

// Why a file is not even sent; "" if it is. A server that ends the connection may look like a broken network.
function tooLarge({name, size}) {
  const largest = document.body.dataset.largestMb;
  return size > largest * 2 ** 20 ? `${name} is larger than ${largest} MB, the most that is taken.` : "";
}

// Resolves to what the server said, or to why it did not take the file.
function upload(file, notice, place) {
  const form = new FormData(), request = new XMLHttpRequest();
  form.append("csrf", document.body.dataset.csrf);
  form.append("files", file);
  notice(`Uploading ${file.name}${place}`);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) notice(`Uploading ${file.name}${place}: ${Math.floor((100 * event.loaded) / event.total)} %`);
  });
  return new Promise((done) => {
    request.addEventListener("loadend", () => {
      const answer = request.response ?? {};
      if (request.status === 200) done({said: answer.said});
      else done({why: answer.error ?? `${file.name} did not arrive (${request.status || "no answer"}).`});
    });
    request.open("POST", "/drop");
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.send(form);
  });
}
