"use strict";
// The wall: one stream, read line by line. Who asks is told by the session's cookie, which no
// script reads; after a break the stream goes on from the last resume token.
const $ = (id) => document.getElementById(id);
const shown = 50, stages = {
  submitted: "待受理", supplementing: "补正中", accepted: "已受理", examining: "审批中", suspended: "特别程序中", decided: "已决定", finished: "办结",
  collected: "已领取", withdrawn: "撤回", lapsed: "补正逾期", refused: "不予受理", not_accepted: "不受理", voided: "作废", revoked: "撤销",
};
const levels = { CARD_LEVEL_RED: ["红牌", "red"], CARD_LEVEL_YELLOW: ["黄牌", "yellow"], CARD_LEVEL_WARNING: ["预警", "warning"] };
const states = { CARD_STATE_PENDING: "待确认", CARD_STATE_REVOKED: "已撤销", CARD_STATE_CANCELLED: "已取消", CARD_STATE_UNDER_ORDER: "督办中" };
const dayNames = { "-1": "已超期", 0: "今日到期", 6: "五日以上", 7: "暂停未定" };
const last = (name = "") => name.slice(name.lastIndexOf("/") + 1);
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const when = (time) => (time ? clock.format(new Date(time)) : "");

function row(key, cells, mark) {
  const tr = document.createElement("tr");
  tr.dataset.key = key;
  if (mark) tr.className = mark;
  tr.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return tr;
}
// put shows a row at the top; one of the same thing gives way to it.
function put(body, tr) {
  for (const old of body.children) if (old.dataset.key === tr.dataset.key) { old.remove(); break; }
  body.prepend(tr);
  while (body.children.length > shown) body.lastChild.remove();
}
const cardRow = (c) => {
  const [name, mark] = levels[c.level] || ["", ""];
  return row(c.name, [when(c.asOf), name + (states[c.state] ? "（" + states[c.state] + "）" : ""), last(c.department), c.itemTitle || "", c.ground || ""], mark);
};
const caseRow = (c) => row(c.case, [when(c.eventTime), last(c.case), last(c.department), c.itemTitle || "", stages[c.stage] || c.stage || "",
  c.open && c.dueDate ? c.dueDate + "（" + (c.daysLeft < 0 ? "超" + -c.daysLeft : "余" + (c.daysLeft || 0)) + "日）" : ""], c.open && c.daysLeft < 0 ? "red" : "");

function bars(list, pairs) {
  const most = Math.max(1, ...pairs.map(([, n]) => n));
  list.replaceChildren(...pairs.flatMap(([name, n]) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd"), bar = document.createElement("meter");
    dt.textContent = name;
    Object.assign(bar, { min: 0, max: most, value: n, textContent: String(n) });
    dd.append(bar, " " + n);
    return [dt, dd];
  }));
}
function figures(f) {
  const days = Object.fromEntries((f.days || []).map((d) => [d.daysLeft || 0, Number(d.cases || 0)]));
  const sum = (level) => (f.cards || []).filter((c) => c.level === level).reduce((n, c) => n + Number(c.valid || 0), 0);
  const set = (id, n) => { $(id).textContent = Number(n || 0).toLocaleString("zh-CN"); };
  set("open", f.open); set("valid", f.valid); set("pending", f.pending);
  set("late", days[-1]); set("soon", (days[0] || 0) + (days[1] || 0) + (days[2] || 0));
  set("red", sum("CARD_LEVEL_RED")); set("yellow", sum("CARD_LEVEL_YELLOW")); set("warning", sum("CARD_LEVEL_WARNING"));
  bars($("days"), [-1, 0, 1, 2, 3, 4, 5, 6, 7].map((d) => [dayNames[d] || d + "日", days[d] || 0]));
  const by = new Map(), departments = new Map();
  const of = (name) => departments.get(name) || departments.set(name, { open: 0 }).get(name);
  for (const s of f.stages || []) {
    by.set(s.stage, (by.get(s.stage) || 0) + Number(s.cases || 0));
    of(s.department).open += Number(s.cases || 0);
  }
  for (const c of f.cards || []) of(c.department)[c.level] = Number(c.valid || 0);
  bars($("stages"), [...by].sort((a, b) => b[1] - a[1]).map(([stage, n]) => [stages[stage] || stage || "未知", n]));
  $("departments").replaceChildren(...[...departments].sort((a, b) => b[1].open - a[1].open).slice(0, shown).map(([name, d]) =>
    row(name, [name.split("/")[1] + " " + last(name), d.open, d.CARD_LEVEL_RED || 0, d.CARD_LEVEL_YELLOW || 0, d.CARD_LEVEL_WARNING || 0])));
}
function take(m) {
  if (m.snapshot) {
    $("cards").replaceChildren(...(m.snapshot.cards || []).map(cardRow));
    $("cases").replaceChildren(...(m.snapshot.cases || []).map(caseRow));
    figures(m.snapshot.figures || {});
  }
  for (const c of m.cases || []) put($("cases"), caseRow(c));
  for (const c of m.cards || []) put($("cards"), cardRow(c));
  if (m.figures) figures(m.figures);
}

const say = (...parts) => $("state").replaceChildren(...parts);
const signIn = () => Object.assign(document.createElement("a"), { href: "/login?to=" + encodeURIComponent(location.pathname + location.search), textContent: "重新登录" });
const refusals = { 403: "您的账号无权查看这个大厅。", 404: "没有这个大厅，或者您的账号无权查看它，请另选一个。" };
async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const line of parts) if (line) yield JSON.parse(line);
  }
}
async function watch(hall) {
  for (let resume = "", wait = 500; ;) {
    try {
      const at = resume ? "?resumeToken=" + encodeURIComponent(resume) : "";
      const response = await fetch("/wall/halls/" + hall + at, { headers: { Accept: "application/x-ndjson" }, cache: "no-store" });
      if (response.status === 401) { say("登录已到期，请", signIn(), "。"); return; }
      if (refusals[response.status]) { say(refusals[response.status]); return; }
      if (!response.ok) throw new Error(String(response.status));
      say("已连接。"); wait = 500;
      for await (const line of lines(response.body)) {
        if (line.error) throw new Error(line.error.reason || "error");
        if (!line.result) continue;
        take(line.result);
        resume = line.result.resumeToken || resume;
      }
    } catch (problem) {
      // A token ends every few minutes; with the next request the session has a new one.
      if (problem.message !== "TOKEN_EXPIRED") say("连接中断，正在重连……（" + problem.message + "）");
    }
    await new Promise((go) => setTimeout(go, wait));
    wait = Math.min(wait * 2, 10000);
  }
}
$("hall").addEventListener("change", () => $("watch").submit());
say("正在连接……");
watch($("state").dataset.hall);
