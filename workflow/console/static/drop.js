// Files that are dragged onto the page go into the inbox, one after the other.
export function listenToDrops(notice) {
  if (document.body.dataset.role === "view") return;
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
    for (const file of event.dataTransfer.files) await upload(file, notice);
  });
}

function upload(file, notice) {
  const form = new FormData(), request = new XMLHttpRequest();
  form.append("csrf", document.body.dataset.csrf);
  form.append("files", file);
  notice(`Uploading ${file.name}`);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) notice(`Uploading ${file.name}: ${Math.floor((100 * event.loaded) / event.total)} %`);
  });
  return new Promise((done) => {
    request.addEventListener("loadend", () => {
      const answer = request.response ?? {};
      if (request.status === 200) notice(answer.said);
      else notice(answer.error ?? `${file.name} did not arrive (${request.status || "no answer"}).`, "wrong");
      done();
    });
    request.open("POST", "/drop");
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.send(form);
  });
}
