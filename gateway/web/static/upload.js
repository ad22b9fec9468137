"use strict";
// Sends a file in parts, so that a phone that loses its connection goes on where it was. The
// form works without this script; where the file goes to another address, it is left to it.
const form = document.getElementById("upload"), input = document.getElementById("file"), bar = document.getElementById("bar");
const state = document.getElementById("upload-state"), button = form.querySelector("button");
// A part is what a lost connection costs; one that stands still for so long is lost.
const part = 1 << 20, patience = 30000;
const megabytes = (n) => Math.ceil((n / (1 << 20)) * 10) / 10 + " MB";
const pause = (ms) => new Promise((go) => {
  const timer = setTimeout(go, ms);
  addEventListener("online", () => { clearTimeout(timer); go(); }, { once: true });
});
// A UUID by hand: randomUUID is only there where there is TLS.
const newID = () => {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
  return [...b].map((n, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + n.toString(16).padStart(2, "0")).join("");
};
// Refusal is what another attempt would not change.
class Refusal extends Error {}

function say(text, wrong) {
  state.textContent = text;
  state.className = wrong ? "error" : "facts";
  input.toggleAttribute("aria-invalid", Boolean(wrong));
}
function show(sent, size) {
  bar.hidden = false;
  bar.value = size ? sent / size : 0;
  bar.textContent = Math.floor(bar.value * 100) + "%";
}

async function ask(path, values) {
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, ...values });
  const response = await fetch("/my/uploads" + path, { method: "POST", body, cache: "no-store" });
  const answer = response.headers.get("Content-Type") === "application/json" ? await response.json() : {};
  if (response.ok) return answer;
  if (response.status === 401 || response.status === 403) throw new Refusal("登录已到期，请刷新本页重新登录，再选同一个文件即可接着上传。");
  const again = response.status >= 500 || response.status === 429 || response.status === 408;
  throw new (again ? Error : Refusal)(answer.message || "上传失败（" + response.status + "）。");
}

// sendPart sends what stands at an offset, and gives the offset after it.
const sendPart = (file, link, offset) => new Promise((done, fail) => {
  const request = new XMLHttpRequest();
  let timer;
  const alive = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), patience); };
  request.open("PATCH", link);
  request.setRequestHeader("Content-Type", "application/offset+octet-stream");
  request.setRequestHeader("Upload-Offset", String(offset));
  request.setRequestHeader("Tus-Resumable", "1.0.0");
  request.upload.onprogress = (event) => { alive(); show(offset + event.loaded, file.size); };
  request.onloadend = () => {
    clearTimeout(timer);
    const at = Number(request.getResponseHeader("Upload-Offset"));
    if (request.status === 204 && at > offset) done(at);
    else fail(new Error(String(request.status)));
  };
  alive();
  request.send(file.slice(offset, offset + part));
});

// untilItGoes tries again what a lost connection made fail.
async function untilItGoes(what) {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
    try {
      return await what();
    } catch (problem) {
      if (problem instanceof Refusal) throw problem;
      say("连接中断，恢复后自动从断点继续，请不要关闭本页……");
      await pause(wait);
    }
  }
}

// begin goes on with an upload that this tab began before it was loaded again, or begins one.
async function begin(file, key) {
  const known = sessionStorage.getItem(key);
  if (known) {
    try {
      return await untilItGoes(() => ask("/" + known + "/link", {}));
    } catch { sessionStorage.removeItem(key); /* it is over; a new one then */ }
  }
  const request = { request_id: newID(), file_name: file.name, size: file.size, media_type: file.type };
  const up = await untilItGoes(() => ask("", request));
  sessionStorage.setItem(key, up.name.slice("uploads/".length));
  return up;
}

async function send(file) {
  const key = "upload:" + file.lastModified + ":" + file.size + ":" + file.name;
  const sending = () => say("正在上传 " + file.name + "（" + megabytes(file.size) + "）……");
  sending();
  show(0, file.size);
  let up = await begin(file, key), lost = false;
  if (new URL(up.link, location.href).origin !== location.origin) { form.submit(); return; }
  const id = up.name.slice("uploads/".length);
  while (up.offset < file.size) {
    up = await untilItGoes(async () => {
      // After a break only the other side knows how much arrived.
      if (lost) { up = await ask("/" + id + "/link", {}); sending(); show(up.offset, file.size); }
      lost = true;
      const offset = up.offset < file.size ? await sendPart(file, up.link, up.offset) : up.offset;
      lost = false;
      return { ...up, offset };
    });
  }
  say("正在检查文件……");
  const request = { request_id: newID() };
  sessionStorage.removeItem(key);
  await untilItGoes(() => ask("/" + id + "/complete", request));
  location.assign("/my/materials?done=material");
}

// wrong is what can be told about a file before it is sent.
function wrong(file) {
  const kinds = input.accept.split(","), max = Number(input.dataset.max);
  if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) return "不能上传这种文件（" + file.name + "），请选择 " + kinds.map((k) => k.slice(1)).join("、") + "。";
  if (file.size > max) return "文件有 " + megabytes(file.size) + "，不能超过 " + megabytes(max) + "。";
  return file.size ? "" : "文件是空的。";
}
input.addEventListener("change", () => {
  const told = input.files[0] ? wrong(input.files[0]) : "";
  say(told, told);
});
form.addEventListener("submit", async (event) => {
  const file = input.files[0];
  if (!file) return;
  event.preventDefault();
  const told = wrong(file);
  if (told) { say(told, true); input.focus(); return; }
  button.disabled = input.disabled = true;
  try {
    await send(file);
  } catch (problem) {
    bar.hidden = true;
    button.disabled = input.disabled = false;
    say(problem.message, true);
    input.focus();
  }
});
