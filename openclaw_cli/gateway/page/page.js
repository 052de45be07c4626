// Asks the gateway every two seconds and shows what it says. Text is only ever set as text.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#4f70e0", "#c2571a", "#1f8a53", "#a94cc4", "#a67a22", "#1b8a9e", "#d03a6c", "#707c89"];
const DASHES = ["", "7 3", "2 3"];  // so that two lines are told apart without their colours
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
  const one = drawn("svg", { class: "meter " + (tone || ""), viewBox: "0 0 72 8", "aria-hidden": "true" });
  one.append(
    drawn("rect", { class: "track", width: 72, height: 8, rx: 4 }),
    drawn("rect", { class: "fill", width: 72 * Math.max(0, Math.min(1, share)), height: 8, rx: 4 }),
  );
  return one;
}

// What is shown in an element, so that it is left alone while it stays the same: a reader of the
// screen is told of nothing new, and what is selected or scrolled to stays where it is.
const last = {};

function isNew(id, what) {
  const text = JSON.stringify(what);
  if (last[id] === text) return false;
  last[id] = text;
  return true;
}

// A column: its title, what to show of a row, and whether it is a number, a name, a state or long.
function table(id, columns, rows, empty) {
  if (!isNew(id, rows)) return;
  const head = made("tr");
  for (const [title, , kind] of columns) {
    const cell = made("th", title, kind === "number" ? kind : "");
    cell.scope = "col";
    head.append(cell);
  }
  const body = made("tbody");
  for (const row of rows) {
    const line = made("tr");
    for (const [, show, kind] of columns) {
      const found = show(row);
      const cell = made("td", undefined, kind === "state" ? "" : kind);
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

function named(agent) {
  const one = made("span", agent.name);
  if (agent.trouble) one.append(made("small", agent.trouble.replace(`${agent.name}: `, "")));
  return one;
}

// An alert and what it is about: each name by itself, as it may be written from right to left.
function alerted(rule, about) {
  const one = made("p", rule.replaceAll("_", " ") + ": ");
  about.forEach((each, number) => one.append(number ? ", " : "", made("bdi", each)));
  return one;
}

function clock(instant) {
  if (!instant) return "";
  const one = made("time", new Date(instant).toLocaleTimeString([], { hour12: false }));
  one.dateTime = one.title = instant;
  return one;
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

// Of many agents those that did most in the time that is drawn, in the order of their names.
function busiest(history, agents) {
  const done = new Map(agents.map((agent) => [agent.name, 0]));
  for (const look of history)
    for (const [name, count] of Object.entries(look.active)) done.set(name, (done.get(name) || 0) + count);
  if (agents.length <= COLOURS.length) return agents;
  const order = agents.filter((agent) => done.get(agent.name));
  order.sort((one, other) => done.get(other.name) - done.get(one.name));
  const most = new Set(order.slice(0, COLOURS.length));
  return agents.filter((agent) => most.has(agent));
}

function chart(history, agents) {
  // As wide as there is room, so that its words are as large on a phone as on a desk.
  const width = at("chart").clientWidth || 960, height = 200, left = 34, bottom = 22, top = 8;
  at("chart").setAttribute("viewBox", `0 0 ${width} ${height}`);
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
  const busy = busiest(history, agents);
  busy.forEach((agent, number) => {
    const points = history.map((look) => `${across(look.at).toFixed(1)},${up(look.active[agent.name] || 0).toFixed(1)}`);
    const line = { stroke: COLOURS[number], "stroke-dasharray": DASHES[number % DASHES.length] };
    parts.push(drawn("polyline", { points: points.join(" "), ...line }));
    const key = made("span");
    const dash = drawn("svg", { viewBox: "0 0 22 10", "aria-hidden": "true" });
    dash.append(drawn("line", { x1: 0, x2: 22, y1: 5, y2: 5, ...line }));
    key.append(dash, agent.name);
    keys.push(key);
  });
  if (agents.length > busy.length) keys.push(made("span", `and ${agents.length - busy.length} more agents, which did less`));
  at("chart").replaceChildren(...parts);
  at("legend").replaceChildren(...keys);
}

function shown(found) {
  const seen = found.observed || { history: [], secrets: [], alerts: {} };
  const state = found.draining ? "is stopping" : "serves";
  at("about").textContent =
    `${state} on ${found.address || "its socket"} · up ${length(found.uptime_seconds)} · ` +
    `${found.active} of ${found.max_threads} threads · version ${found.version}`;
  if (isNew("alerts", [seen.alerts, seen.trouble])) {
    const alerts = Object.entries(seen.alerts).map(([rule, about]) => alerted(rule, about));
    if (seen.trouble) alerts.push(made("p", seen.trouble));
    at("alerts").hidden = !alerts.length;
    at("alerts").replaceChildren(...alerts);
  }
  say("");
  table("agents", [
    ["agent", named, "name"], ["state", (row) => row.state, "state"], ["at once", load],
    ["queued", (row) => row.queued, "number"], ["requests", (row) => row.requests, "number"],
    ["errors", (row) => row.errors, "number"], ["time-outs", (row) => row.timeouts, "number"],
    ["restarts", (row) => row.restarts, "number"], ["peak", (row) => size(row.peak_bytes), "number"],
    ["isolation", (row) => row.level || ""],
  ], [...found.agents].sort((one, other) => Boolean(other.trouble) - Boolean(one.trouble)), "the settings have no agent");
  chart(seen.history, found.agents);
  const threads = found.agents.flatMap((agent) =>
    (agent.threads || []).map((each) => ({ agent: agent.name, ...each })));
  table("threads", [
    ["agent", (row) => row.agent, "name"], ["thread", (row) => row.thread, "name"], ["state", (row) => row.state, "state"],
    ["turns", (row) => row.turns, "number"], ["age", (row) => length(row.age_seconds), "number"],
    ["idle", (row) => length(row.idle_seconds), "number"],
  ], threads, "no thread is kept");
  table("secrets", [
    ["secret", (row) => row.name, "name"], ["age", (row) => length(row.age_seconds), "number"],
    ["state", (row) => row.state, "state"], ["rotation", (row) => row.rotation, "state"],
    ["last read by", (row) => row.last_read_by], ["exposure", risk],
  ], seen.secrets, "the store has no secret");
  table("events", [
    ["when", (row) => clock(row.at)], ["event", (row) => row.event.replaceAll("_", " ")],
    ["agent", (row) => row.agent, "name"], ["thread", (row) => row.thread, "name"],
    ["what", (row) => row.message || row.error || row.why || row.name || row.alert || row.outcome || "", "long"],
  ], [...found.events].reverse(), "nothing happened yet");
}

// Only what changes rarely is said aloud: what is asked every two seconds is not.
function say(text) {
  if (at("said").textContent !== text) at("said").textContent = text;
}

async function ask() {
  try {
    const answer = await fetch("/__openclaw__/status?verbose", { credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401) {
      say("this page's time is over: openclaw gateway link opens it again");
      return;
    }
    shown(await answer.json());
  } catch (error) {
    say("the gateway does not answer");
  }
  setTimeout(ask, 2000);
}

ask();
