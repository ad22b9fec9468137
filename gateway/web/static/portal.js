"use strict";
// Two comforts; every page works without them: larger type that is remembered, and
// suggestions while typing.
const root = document.documentElement;
root.classList.add("scripted");

const large = document.querySelector("button.large");
function setLarge(on) {
  root.classList.toggle("large", on);
  large.setAttribute("aria-pressed", String(on));
}
try { setLarge(localStorage.getItem("large") === "1"); } catch { setLarge(false); }
large.addEventListener("click", () => {
  const on = !root.classList.contains("large");
  setLarge(on);
  try { localStorage.setItem("large", on ? "1" : "0"); } catch { /* private mode: only for this page */ }
});

const box = document.getElementById("q"), list = document.getElementById("suggestions");
let wait, asked = "";
async function suggest() {
  const query = box.value.trim();
  if (query.length < 2 || query === asked) return;
  asked = query;
  const response = await fetch("/v1/items:search?pageSize=8&query=" + encodeURIComponent(query), { headers: { Accept: "application/json" } });
  if (!response.ok || box.value.trim() !== query) return;
  const { hits = [] } = await response.json();
  list.replaceChildren(...[...new Set(hits.map((hit) => hit.title))].map((title) => {
    const option = document.createElement("option");
    option.value = title;
    return option;
  }));
}
if (box && list) box.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => suggest().catch(() => {}), 250); });
