// The calendar: what was realised each day, a square a day, and each month in words.
// Gain and loss differ in colour and in sign; the shade says how much.

import { day, element, fill, money, sign, svg } from "./exact.js";

const SIZE = 16, GAP = 3, LEFT = 28, TOP = 16, WEEKS = 27, FEWEST = 12;
const DAY = 86_400_000;
const MONTHS = Array.from({ length: 12 }, (_, n) => n + 1);
const NAMES = ["Mon", "", "Wed", "", "Fri", "", "Sun"];
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });

let at = null, shown = null;
const sized = new ResizeObserver(([{ target }]) => { if (shown && weeksIn(target) !== shown.weeks) calendar(target, shown.told); });
const weeksIn = (box) => Math.max(FEWEST, Math.min(WEEKS, Math.floor((box.clientWidth - 40 - LEFT) / (SIZE + GAP))));

// `ask(name, cell, parts)` opens a day or a month; the arrow keys go from day to day.
export function calendar(box, told) {
  const { days, months, read, ask } = told, weeks = weeksIn(box);
  shown = { told, weeks };
  sized.observe(box);
  const held = box.contains(document.activeElement) && document.activeElement.matches("svg");
  const ofMonth = (cell) => ask(`${cell.row}-${cell.column}`, cell, days.cells.filter((each) => each.row === `${cell.row}-${cell.column}`).map((each) => [`${each.row}-${each.column}`, each.pnl]));
  const drawn = squares(days, weeks, { read, ask });
  fill(box, element("div.calendar", {}, drawn, monthly(months, ofMonth)));
  if (held) drawn.focus({ preventScroll: true });
}

function squares(told, weeks, { read, ask }) {
  const found = new Map(told.cells.map((cell) => [`${cell.row}-${cell.column}`, cell]));
  const most = Math.max(...told.cells.map((cell) => Math.abs(Number(cell.pnl))), 1);
  const today = Math.floor(Date.now() / DAY) * DAY, weekday = (new Date(today).getUTCDay() + 6) % 7;
  const first = today - weekday * DAY - (weeks - 1) * 7 * DAY, drawn = [], count = (today - first) / DAY + 1;
  const place = (n) => [LEFT + Math.floor(n / 7) * (SIZE + GAP), TOP + (n % 7) * (SIZE + GAP)];
  const cellOf = (n) => found.get(new Date(first + n * DAY).toISOString().slice(0, 10));
  const says = (n) => `${day(first + n * DAY)}: ${cellOf(n) ? `${money(cellOf(n).pnl, { signed: true })}, ${cellOf(n).records} records` : "nothing realised"}`;
  const open = (n) => { const cell = cellOf(n); if (cell) ask(`${cell.row}-${cell.column}`, cell, [["records", String(cell.records)], ["to see them", `bursar trades`]]); };
  const ring = svg("rect.ring", { width: SIZE + 2, height: SIZE + 2, rx: 3.5, visibility: "hidden" });
  const point = (n) => {
    read.textContent = n === null ? "" : says(n);
    ring.setAttribute("visibility", n === null ? "hidden" : "visible");
    if (n !== null) { const [x, y] = place(n); ring.setAttribute("x", x - 1); ring.setAttribute("y", y - 1); }
  };
  const monthOf = (n) => new Date(first + n * DAY).getUTCMonth();
  for (let n = 0, month = -1; n < count; n += 1) {
    const cell = cellOf(n), [x, y] = place(n), way = cell ? sign(cell.pnl) : 0, its = monthOf(n), hasRoom = n || monthOf(14) === its;
    if (n % 7 === 0 && its !== month && hasRoom) drawn.push(svg("text", { x, y: 10 }, MONTH.format(first + n * DAY)));
    if (n % 7 === 0) month = its;
    const strength = way ? 0.22 + 0.78 * Math.sqrt(Math.abs(Number(cell.pnl)) / most) : 1;
    drawn.push(svg(`rect.cell.${{ "-1": "loss", 0: "none", 1: "gain" }[way]}`, {
      x, y, width: SIZE, height: SIZE, rx: 3, "fill-opacity": strength.toFixed(2), onpointerenter: () => point(n), onclick: () => open(n) }));
    if (way < 0) drawn.push(svg("text.mark", { x: x + SIZE / 2, y: y + SIZE / 2 + 3 }, "−"));
  }
  NAMES.forEach((name, n) => name && drawn.push(svg("text", { x: 0, y: TOP + n * (SIZE + GAP) + 12 }, name)));
  const width = LEFT + weeks * (SIZE + GAP), height = TOP + 7 * (SIZE + GAP);
  const step = { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1, Home: -1e6, End: 1e6 };
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, onpointerleave: () => point(null), onblur: () => point(null), onfocus: () => { if (at !== null) point(Math.min(at, count - 1)); },
    onkeydown: (event) => {
      if (event.key === "Enter" && at !== null) open(at);
      if (!(event.key in step)) return;
      event.preventDefault();
      at = Math.max(0, Math.min(count - 1, (at ?? count - 1) + step[event.key]));
      point(at);
    },
    "aria-label": `Realised by day: ${told.cells.length} days with trades, ${money(told.total, { signed: true })} in all; arrow keys read it day by day, Enter opens a day` }, drawn, ring);
}

// Up to a year is a box a month; more is a table, a row a year.
function monthly(told, ask) {
  const most = Math.max(...told.cells.map((cell) => Math.abs(Number(cell.pnl))), 1);
  const shaded = (box, cell) => {
    box.append(element("button.ask-why", { type: "button", title: cell.pnl, onclick: () => ask(cell) }, money(cell.pnl, { signed: true, places: 0 })));
    box.style.setProperty("--tint", sign(cell.pnl) < 0 ? "var(--down)" : "var(--accent)");
    box.style.setProperty("--heat", `${Math.round((Math.abs(Number(cell.pnl)) / most) * 22)}%`);
    return box;
  };
  const name = (month) => MONTH.format(Date.UTC(2000, month - 1));
  if (told.cells.length <= MONTHS.length) {
    return element("ul.months", {}, told.cells.map((cell) => shaded(element("li", {}, element("small", {}, `${name(Number(cell.column))} ${cell.row}`)), cell)));
  }
  const found = new Map(told.cells.map((cell) => [`${cell.row} ${Number(cell.column)}`, cell])), years = [...new Set(told.cells.map((cell) => cell.row))].sort().reverse();
  return element("table.years", { "aria-label": "Realised by month and year" },
    element("thead", {}, element("tr", {}, element("td"), MONTHS.map((month) => element("th", { scope: "col" }, name(month))))),
    element("tbody", {}, years.map((year) => element("tr", {}, element("th", { scope: "row" }, year), MONTHS.map((month) => {
      const cell = found.get(`${year} ${month}`);
      return cell ? shaded(element("td"), cell) : element("td");
    })))));
}
