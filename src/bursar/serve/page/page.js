// The status page: what the WebSocket tells, as it comes. Figures are shown digit for digit: they
// are read from the text of the message, since a JavaScript number would not hold them.
"use strict";

const FIGURES = [
  ["total_equity", "Equity"], ["cash_balance", "Cash"], ["total_exposure", "Exposure, gross"],
  ["unrealized_pnl", "Unrealised PnL"], ["realized_pnl_today", "Realised today"],
  ["daily_pnl", "PnL today"], ["daily_drawdown_pct", "Drawdown today, %"],
];
const COLUMNS = ["symbol", "side", "size", "entry_price", "current_price", "exposure",
  "unrealized_pnl", "unrealized_pnl_pct"];
const LAST_RETRY_MS = 10_000;

const $ = (id) => document.getElementById(id);
let snapshot = {}, seq = null, retry = 500;

// Numbers become their own text before JSON.parse sees them; what stands in quotes stays.
const exact = (text) =>
  JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g,
    (each) => (each[0] === '"' ? each : `"${each}"`)));

const shown = (value) => {
  if (value === null || value === undefined) return "—";
  const [whole, rest = ""] = String(value).split(".");
  if (!/^-?\d+$/.test(whole)) return String(value);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return rest ? `${grouped}.${rest.length > 8 ? rest.slice(0, 8) + "…" : rest}` : grouped;
};

function draw() {
  $("figures").replaceChildren(...FIGURES.map(([name, label]) => {
    const box = document.createElement("div");
    const term = document.createElement("dt"), figure = document.createElement("dd");
    term.textContent = label;
    figure.textContent = shown(snapshot[name]);
    if (snapshot[name] != null) figure.title = snapshot[name];
    box.append(term, figure);
    return box;
  }));
  $("positions").replaceChildren(...(snapshot.positions || []).map((position) => {
    const row = document.createElement("tr");
    row.append(...COLUMNS.map((name) => {
      const cell = document.createElement("td");
      cell.textContent = shown(position[name]);
      if (position[name] != null) cell.title = position[name];
      return cell;
    }));
    return row;
  }));
}

const named = (row) => `${row.symbol} ${row.side}`;

function apply(told) {
  seq = told.seq;
  if (told.type === "portfolio.snapshot") snapshot = told.data.snapshot;
  const change = told.type === "portfolio.delta" ? told.data.snapshot : undefined;
  if (change) {
    const { positions = [], ...fields } = change.set;
    const gone = new Set(change.gone.positions || []);
    const known = new Map((snapshot.positions || []).map((row) => [named(row), row]));
    for (const row of positions) known.set(named(row), row);
    for (const name of gone) known.delete(name);
    snapshot = { ...snapshot, ...fields, positions: [...known.values()] };
  }
  $("state").textContent = `live, as of ${snapshot.timestamp ?? "now"}`;
  draw();
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const after = seq === null ? "" : `?seq=${seq}`;
  const socket = new WebSocket(`${scheme}://${location.host}/ws/portfolio${after}`);
  const token = sessionStorage.getItem("token");
  socket.onopen = () => {
    if (token) socket.send(JSON.stringify({ type: "auth", token }));
  };
  socket.onmessage = (event) => { retry = 500; $("ask").hidden = true; apply(exact(event.data)); };
  socket.onclose = (event) => {
    if (event.code === 1008) {
      sessionStorage.removeItem("token");
      $("ask").hidden = false;
      $("state").textContent = "not let in";
      return;
    }
    $("state").textContent = "connection lost, trying again …";
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, LAST_RETRY_MS);
  };
}

async function health() {
  try {
    const token = sessionStorage.getItem("token");
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const told = await (await fetch("/health", { headers })).json();
    $("health").replaceChildren(...Object.entries(told.components ?? {}).map(([name, part]) => {
      const line = document.createElement("li");
      line.className = part.status;
      line.textContent = `${name}: ${part.status}${part.reason ? `, ${part.reason}` : ""}`;
      return line;
    }));
  } catch {
    $("health").textContent = "not reached";
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  seq = null;
  connect();
});

connect();
health();
setInterval(health, 5_000);
