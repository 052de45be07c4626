// Asks the gateway every two seconds and shows what it says. Text is only ever set as text.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#4969d8", "#c2571a", "#1a7f4b", "#9b3fb5", "#b5862b", "#1b8a9e", "#c0265c", "#66727f"];
const WORDS = {
  ready: "good", ok: "good", idle: "good", busy: "good", asleep: "", none: "",
  due: "attention", old: "attention", resting: "attention", stopping: "attention", detached: "attention",
  failed: "bad", overdue: "bad", "plain text": "bad",
};

const at = (id) => document.getElementById(id);

function made(name, text, kind) {
  const one = document.createElement(name);
  if (text !== undefined) one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

function drawn(name, attributes) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
}

function length(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const units = [["d", 86400], ["h", 3600], ["m", 60]];
  for (const [unit, size] of units) if (seconds >= 2 * size) return Math.floor(seconds / size) + unit;
  return Math.floor(seconds) + "s";
}

function size(bytes) {
  return bytes ? (bytes / 1e6).toFixed(1) + " MB" : "";
}

function meter(share, tone) {
  const one = drawn("svg", { class: "meter " + (tone || ""), viewBox: "0 0 72 8" });
  one.append(
    drawn("rect", { class: "track", width: 72, height: 8, rx: 4 }),
    drawn("rect", { class: "fill", width: 72 * Math.max(0, Math.min(1, share)), height: 8, rx: 4 }),
  );
  return one;
}

// A column: its title, what to show of a row, and whether it is a number, a state or long.
function table(id, columns, rows, empty) {
  const head = made("tr");
  for (const [title, , kind] of columns) head.append(made("th", title, kind === "number" ? kind : ""));
  const body = made("tbody");
  for (const row of rows) {
    const line = made("tr");
    for (const [, show, kind] of columns) {
      const found = show(row);
      const cell = made("td", undefined, kind === "number" || kind === "long" ? kind : "");
      if (found instanceof Node) cell.append(found);
      else cell.textContent = found === null || found === undefined ? "" : String(found);
      if (kind === "state") cell.className = WORDS[found] || "";
      line.append(cell);
    }
    body.append(line);
  }
  if (!rows.length) {
    const cell = made("td", empty, "none");
    cell.colSpan = columns.length;
    body.append(made("tr"));
    body.lastChild.append(cell);
  }
  const top = made("thead");
  top.append(head);
  at(id).replaceChildren(top, body);
}

function load(agent) {
  const share = agent.max_concurrency ? agent.active / agent.max_concurrency : 0;
  const one = made("span");
  one.append(meter(share, share > 0.9 ? "bad" : ""), `${agent.active} of ${agent.max_concurrency}`);
  return one;
}

function risk(secret) {
  const tone = secret.risk >= 60 ? "bad" : secret.risk >= 30 ? "attention" : "good";
  const one = made("span");
  one.append(meter(secret.risk / 100, tone), String(secret.risk));
  return one;
}

function chart(history, agents) {
  const width = 960, height = 200, left = 34, bottom = 22, top = 8;
  const most = Math.max(4, ...history.map((look) => Math.max(0, ...Object.values(look.active))));
  const first = history.length ? history[0].at : 0;
  const last = history.length ? history[history.length - 1].at : 1;
  const span = Math.max(60, last - first);
  const across = (moment) => left + ((moment - (last - span)) / span) * (width - left - 4);
  const up = (count) => height - bottom - (count / most) * (height - bottom - top);
  const parts = [];
  for (const share of [0, 0.5, 1]) {
    const y = up(most * share);
    parts.push(drawn("line", { class: "grid", x1: left, x2: width, y1: y, y2: y }));
    const label = drawn("text", { x: left - 8, y: y + 4, "text-anchor": "end" });
    label.textContent = Math.round(most * share);
    parts.push(label);
  }
  for (const [share, text] of [[0, length(span) + " ago"], [1, "now"]]) {
    const anchor = share ? "end" : "start";
    const label = drawn("text", { x: share ? width - 4 : left, y: height - 6, "text-anchor": anchor });
    label.textContent = text;
    parts.push(label);
  }
  const keys = [];
  agents.slice(0, COLOURS.length).forEach((agent, number) => {
    const points = history.map((look) => `${across(look.at).toFixed(1)},${up(look.active[agent.name] || 0).toFixed(1)}`);
    parts.push(drawn("polyline", { points: points.join(" "), stroke: COLOURS[number] }));
    const key = made("span");
    const dot = drawn("svg", { viewBox: "0 0 10 10" });
    dot.append(drawn("circle", { cx: 5, cy: 5, r: 5, fill: COLOURS[number] }));
    key.append(dot, agent.name);
    keys.push(key);
  });
  at("chart").replaceChildren(...parts);
  at("legend").replaceChildren(...keys);
}

function shown(found) {
  const seen = found.observed || { history: [], secrets: [], alerts: {} };
  const state = found.draining ? "is stopping" : "serves";
  at("about").textContent =
    `${state} on ${found.address || "its socket"} · up ${length(found.uptime_seconds)} · ` +
    `${found.active} of ${found.max_threads} threads · version ${found.version}`;
  const alerts = Object.entries(seen.alerts).map(([rule, about]) =>
    made("p", `${rule.replaceAll("_", " ")}: ${about.join(", ")}`));
  if (seen.trouble) alerts.push(made("p", seen.trouble));
  at("alerts").hidden = !alerts.length;
  at("alerts").replaceChildren(...alerts);
  table("agents", [
    ["agent", (row) => row.name], ["state", (row) => row.state, "state"], ["at once", load],
    ["queued", (row) => row.queued, "number"], ["requests", (row) => row.requests, "number"],
    ["errors", (row) => row.errors, "number"], ["time-outs", (row) => row.timeouts, "number"],
    ["restarts", (row) => row.restarts, "number"], ["peak", (row) => size(row.peak_bytes), "number"],
    ["isolation", (row) => row.level || ""],
  ], found.agents, "the settings have no agent");
  chart(seen.history, found.agents);
  const threads = found.agents.flatMap((agent) =>
    (agent.threads || []).map((each) => ({ agent: agent.name, ...each })));
  table("threads", [
    ["agent", (row) => row.agent], ["thread", (row) => row.thread], ["state", (row) => row.state, "state"],
    ["turns", (row) => row.turns, "number"], ["age", (row) => length(row.age_seconds), "number"],
    ["idle", (row) => length(row.idle_seconds), "number"],
  ], threads, "no thread is kept");
  table("secrets", [
    ["secret", (row) => row.name], ["age", (row) => length(row.age_seconds), "number"],
    ["state", (row) => row.state, "state"], ["rotation", (row) => row.rotation, "state"],
    ["last read by", (row) => row.last_read_by], ["exposure", risk],
  ], seen.secrets, "the store has no secret");
  table("events", [
    ["when", (row) => row.at ? row.at.slice(11, 19) : ""], ["event", (row) => row.event.replaceAll("_", " ")],
    ["agent", (row) => row.agent], ["thread", (row) => row.thread],
    ["what", (row) => row.message || row.error || row.why || row.name || row.alert || row.outcome || "", "long"],
  ], [...found.events].reverse(), "nothing happened yet");
}

async function ask() {
  try {
    const answer = await fetch("/__openclaw__/status?verbose", { credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401) {
      at("about").textContent = "this page's time is over: openclaw gateway link opens it again";
      return;
    }
    shown(await answer.json());
  } catch (error) {
    at("about").textContent = "the gateway does not answer";
  }
  setTimeout(ask, 2000);
}

ask();
