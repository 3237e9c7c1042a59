// The calendar: what was realised each day, a square a day, and each month in words.
// Gain and loss differ in colour and in sign; the shade says how much.

import { day, element, money, sign, svg } from "./exact.js";

const SIZE = 16, GAP = 3, LEFT = 28, TOP = 16, WEEKS = 27, FEWEST = 12;
const DAY = 86_400_000;
const NAMES = ["Mon", "", "Wed", "", "Fri", "", "Sun"];
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });

export function calendar(days, months, width, read, ask) {
  const weeks = Math.max(FEWEST, Math.min(WEEKS, Math.floor((width - LEFT) / (SIZE + GAP))));
  return element("div.calendar", {}, squares(days, weeks, read), monthly(months, ask));
}

function squares(told, weeks, read) {
  const found = new Map(told.cells.map((cell) => [`${cell.row}-${cell.column}`, cell]));
  const most = Math.max(...told.cells.map((cell) => Math.abs(Number(cell.pnl))), 1);
  const today = Math.floor(Date.now() / DAY) * DAY, weekday = (new Date(today).getUTCDay() + 6) % 7;
  const first = today - weekday * DAY - (weeks - 1) * 7 * DAY, cells = [];
  let month = -1;
  for (let at = first, n = 0; at <= today; at += DAY, n += 1) {
    const date = new Date(at).toISOString().slice(0, 10), cell = found.get(date);
    const x = LEFT + Math.floor(n / 7) * (SIZE + GAP), y = TOP + (n % 7) * (SIZE + GAP), way = cell ? sign(cell.pnl) : 0;
    if (n % 7 === 0 && new Date(at).getUTCMonth() !== month) {
      month = new Date(at).getUTCMonth();
      cells.push(svg("text", { x, y: 10 }, MONTH.format(at)));
    }
    const strength = way ? 0.22 + 0.78 * Math.sqrt(Math.abs(Number(cell.pnl)) / most) : 1;
    const says = cell ? `${day(at)}: ${money(cell.pnl, { signed: true })}, ${cell.records} records` : `${day(at)}: nothing realised`;
    cells.push(svg(`rect.cell.${{ "-1": "loss", 0: "none", 1: "gain" }[way]}`, {
      x, y, width: SIZE, height: SIZE, rx: 3, "fill-opacity": strength.toFixed(2),
      onpointerenter: () => { read.textContent = says; }, onpointerleave: () => { read.textContent = ""; },
    }, svg("title", {}, says)));
    if (way < 0) cells.push(svg("text.mark", { x: x + SIZE / 2, y: y + SIZE / 2 + 3 }, "−"));
  }
  NAMES.forEach((name, n) => name && cells.push(svg("text", { x: 0, y: TOP + n * (SIZE + GAP) + 12 }, name)));
  const width = LEFT + weeks * (SIZE + GAP), height = TOP + 7 * (SIZE + GAP);
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Realised by day: ${told.cells.length} days with trades, ${money(told.total, { signed: true })} in all` }, cells);
}

function monthly(told, ask) {
  const most = Math.max(...told.cells.map((cell) => Math.abs(Number(cell.pnl))), 1);
  return element("ul.months", {}, told.cells.slice(-12).map((cell) => {
    const way = sign(cell.pnl), at = Date.UTC(Number(cell.row), Number(cell.column) - 1);
    const box = element("li", {}, element("small", {}, `${MONTH.format(at)} ${cell.row}`),
      element("button.ask-why", { type: "button", title: cell.pnl, onclick: () => ask(cell) }, money(cell.pnl, { signed: true, places: 0 })));
    box.style.setProperty("--tint", way < 0 ? "var(--down)" : "var(--accent)");
    box.style.setProperty("--heat", `${Math.round((Math.abs(Number(cell.pnl)) / most) * 22)}%`);
    return box;
  }));
}
