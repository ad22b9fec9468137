"use strict";
// Sends a request from the page to this host. The token stays in the input: it is never
// stored, and it goes nowhere but into the Authorization header.
document.documentElement.classList.add("scripted");

function address(form) {
  let path = form.dataset.path;
  for (const input of form.querySelectorAll("[data-path-name]")) {
    path = path.replace("{" + input.dataset.pathName + "}", input.value.trim());
  }
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("[data-query-name]")) {
    if (input.value !== "") query.append(input.dataset.queryName, input.value);
  }
  const text = query.toString();
  return text ? path + "?" + text : path;
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

async function show(response, out) {
  if (!(response.headers.get("Content-Type") || "").includes("ndjson")) {
    out.textContent = pretty(await response.text());
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    out.textContent += value;
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (!form.matches(".try")) return;
  const status = form.querySelector(".status"), out = form.querySelector(".answer");
  const headers = { Accept: "application/json" };
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  const body = form.querySelector("textarea");
  if (body) headers["Content-Type"] = "application/json";
  status.textContent = "…";
  out.textContent = "";
  const started = performance.now();
  try {
    const response = await fetch(address(form), { method: form.dataset.method, headers, body: body ? body.value : undefined, credentials: "omit" });
    status.textContent = response.status + " · " + Math.round(performance.now() - started) + " ms";
    await show(response, out);
  } catch (err) {
    status.textContent = String(err);
  }
});
