// Charts: equity and how far it is under water, on one axis of time; bars. Drawn as SVG.
// Only pixels come from floats; every figure that is read is the one that the service told.

import { clock, day, element, money, percent, rounded, svg } from "./exact.js";

const RIGHT = 64, TOP = 8, GAP = 26, BOTTOM = 22, WATER = 0.24, STRETCHES = 400;
const HOUR = 3_600_000, DAY = 24 * HOUR;

export class Curve {
  constructor(box, read) {
    this.box = box;
    this.read = read;
    this.points = [];
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    box.addEventListener("pointerleave", () => this.#clear());
    box.addEventListener("blur", () => this.#clear());
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  // `rebuilt` is the instant until which the points are of trades; null where none is.
  show(points, from, rebuilt = null) {
    this.rebuilt = rebuilt;
    const known = points.filter((point) => point.equity != null && point.is_complete).map((point) => ({
      ...point, x: Date.parse(point.at), y: Number(point.equity), nav: point.nav == null ? null : Number(point.nav),
    }));
    let peak = -Infinity;
    for (const point of known) {
      if (point.nav !== null) peak = Math.max(peak, point.nav);
      point.under = point.nav === null || peak <= 0 ? 0 : point.nav / peak - 1;
    }
    const kept = thinned(known.filter((point) => point.x >= from));
    if (kept.length < 2) this.lack(known.length < points.length ? "No curve here: something held then had no price, so equity was not whole." : "Nothing was kept in this stretch yet.");
    this.points = kept;
    this.draw();
  }

  // The newest point moves with every publication; the past is as it was kept.
  tip(equity, at) {
    const last = this.points.at(-1);
    if (!last || equity == null) return;
    const x = Date.parse(at), y = Number(equity);
    if (x <= last.x) return; // the history was asked later than this was published
    if (last.isTip) { last.nav = last.nav === null ? null : last.nav * (y / last.y || 1); Object.assign(last, { x, y, equity, at }); }
    else this.points.push({ ...last, x, y, equity, at, flow: null, isTip: true });
    this.draw();
  }

  // There is no curve yet, and this says why.
  lack(says) {
    this.points = [];
    this.#says("");
    for (const name of ["tabindex", "role", "aria-label"]) this.box.removeAttribute(name);
    this.box.replaceChildren(element("p.empty", {}, says));
  }

  draw() {
    const { box, points } = this, width = box.clientWidth, height = box.clientHeight;
    if (points.length < 2 || !width) return;
    const right = width - RIGHT, deep = (height - TOP - GAP - BOTTOM) * WATER, floor = height - BOTTOM - deep - GAP;
    const [low, high] = spread(points.map((point) => point.y));
    const worst = Math.min(-0.01, ...points.map((point) => point.under));
    const x = scale(points[0].x, points.at(-1).x, 0, right), y = scale(low, high, floor, TOP);
    const water = scale(0, worst, floor + GAP, floor + GAP + deep);
    this.x = x;
    this.y = y;
    const line = points.map((point, n) => `${n ? "L" : "M"}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join("");
    const under = points.map((point) => `L${x(point.x).toFixed(1)} ${water(point.under).toFixed(1)}`).join("");
    const last = points.at(-1);
    this.cross = svg("g");
    const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}` },
      svg("defs", {}, svg("linearGradient", { id: "wash", x1: 0, y1: 0, x2: 0, y2: 1 },
        svg("stop.wash-top", { offset: 0 }), svg("stop.wash-end", { offset: 1 }))),
      ticks(low, high, 4).map((value, _, all) => [
        svg("line.rule", { x1: 0, x2: right, y1: y(value), y2: y(value) }),
        svg("text", { x: right + 10, y: y(value) + 4 }, short(value, all[1] - all[0]))]),
      times(points[0].x, last.x, right).map(([at, text]) =>
        svg("text", { x: x(at), y: height - 4, "text-anchor": x(at) < 20 ? "start" : "middle" }, text)),
      svg("path.area", { d: `${line}L${x(last.x)} ${floor}L0 ${floor}Z` }), svg("path.line", { d: line }),
      svg("line.rule", { x1: 0, x2: right, y1: water(0), y2: water(0) }),
      svg("path.water", { d: `M0 ${water(0)}${under}L${x(last.x)} ${water(0)}Z` }),
      svg("path.waterline", { d: `M0 ${water(points[0].under)}${under}` }),
      svg("text.halo", { x: 0, y: floor + GAP + deep }, "fall of the unit price, which capital does not move"),
      svg("text", { x: right + 10, y: water(0) + 4 }, "0 %"), svg("text", { x: right + 10, y: water(worst) + 4 }, `−${(-worst * 100).toFixed(1)} %`),
      points.filter(isFlow).map((point) => flow(point, x(point.x), floor)),
      svg("circle.now", { cx: x(last.x), cy: y(last.y), r: 3.5 }), this.cross);
    box.replaceChildren(drawn);
    const first = points[0];
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `Equity from ${money(first.equity)} on ${day(first.at)} to ${money(last.equity)} now; arrow keys read it point by point`);
    if (this.at != null) this.#readAt(Math.min(this.at, points.length - 1));
    else this.#says(this.#legend());
  }

  #legend() {
    const said = this.points.some(isFlow) ? ["△ capital in · ▽ capital out"] : [];
    if (this.rebuilt !== null && this.points[0].x < this.rebuilt) said.push(Number.isFinite(this.rebuilt) ? `from trades until ${day(this.rebuilt)}` : "from trades: no snapshot yet");
    return said.join(" · ");
  }

  #says(text) { if (this.read.textContent !== text) this.read.textContent = text; }

  #point(px) {
    if (!this.x) return;
    let best = 0;
    this.points.forEach((point, n) => { if (Math.abs(this.x(point.x) - px) < Math.abs(this.x(this.points[best].x) - px)) best = n; });
    this.#readAt(best);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#readAt(Math.max(0, Math.min(this.points.length - 1, (this.at ?? this.points.length - 1) + step)));
  }

  #readAt(n) {
    this.at = n;
    const point = this.points[n], x = this.x(point.x), y = this.y(point.y);
    this.cross.replaceChildren(
      svg("line.cross", { x1: x, x2: x, y1: TOP, y2: this.box.clientHeight - BOTTOM }),
      svg("circle.dot", { cx: x, cy: y, r: 4.5 }));
    const moved = isFlow(point) ? ` · capital ${money(point.flow, { signed: true })}` : "";
    this.read.textContent = `${day(point.at)} ${clock(point.at).slice(0, 5)} · ${money(point.equity)}${moved}`;
  }

  #clear() {
    this.at = null;
    this.cross?.replaceChildren();
    this.#says(this.#legend());
  }
}

// More than a pixel can show is left out; of each stretch its ends, its extremes and every flow stay.
function thinned(points) {
  const size = Math.ceil(points.length / STRETCHES), kept = [];
  if (size <= 4) return points;
  for (let n = 0; n < points.length; n += size) {
    const part = points.slice(n, n + size), most = (of) => part.reduce((best, each) => (of(each) > of(best) ? each : best));
    const stay = new Set([part[0], part.at(-1), most((each) => each.y), most((each) => -each.y), most((each) => -each.under)]);
    kept.push(...part.filter((each) => stay.has(each) || isFlow(each)));
  }
  return kept;
}

const isFlow = (point) => point.flow != null && Number(point.flow) !== 0;

function flow(point, x, floor) {
  const isIn = Number(point.flow) > 0, base = floor - 3;
  const d = isIn ? `M${x - 4.5} ${base}h9l-4.5 -8z` : `M${x - 4.5} ${base - 8}h9l-4.5 8z`;
  return svg("path.flow", { d }, svg("title", {}, `${day(point.at)}: capital ${money(point.flow, { signed: true })}`));
}

// A line the size of a word: how one unit grew, against the one it began as. Days are at cost; where
// something is open, the last step alone has its gain too, and is drawn as what may still go away.
export function spark(values, says, isOpen) {
  const ys = values.map(Number), low = Math.min(1, ...ys), high = Math.max(1, ...ys), width = 96, height = 28;
  const x = scale(0, ys.length - 1, 1, width - 3), y = scale(low, high, height - 3, 3), last = ys.at(-1);
  const at = (n) => `${x(n).toFixed(1)} ${y(ys[n]).toFixed(1)}`, settled = ys.slice(0, isOpen ? -1 : undefined);
  const line = settled.map((_, n) => `${n ? "L" : "M"}${at(n)}`).join(""), open = `M${at(ys.length - 2)}L${at(ys.length - 1)}`;
  return svg(`svg.spark.${last < 1 ? "loss" : "gain"}`, { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says }, svg("title", {}, says),
    svg("line.rule", { x1: 0, x2: width, y1: y(1), y2: y(1) }), svg("path.line", { d: line }), isOpen ? svg("path.open", { d: open }) : "",
    svg(isOpen ? "circle.open" : "circle.now", { cx: x(ys.length - 1), cy: y(last), r: 2 }));
}

const scale = (from, to, low, high) => (value) => low + ((value - from) / (to - from || 1)) * (high - low);

function spread(values) {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) * 0.01 || 1) * 0.08;
  return [low - room, high + room];
}

function ticks(low, high, count) {
  const rough = (high - low) / count, size = 10 ** Math.floor(Math.log10(rough));
  const step = size * [1, 2, 2.5, 5, 10].find((each) => each * size >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
}

const UNITS = [[1e12, " tn", 1e12], [1e9, " bn", 1e9], [1e6, " m", 1e6], [1e3, " k", 1e4]];

// As many decimals as it takes to tell a mark of the axis from the next one.
function short(value, step) {
  const [unit, name] = UNITS.find(([, , least]) => Math.abs(value) >= least) ?? [1, ""];
  const isWhole = (places) => Math.abs((step / unit) * 10 ** places - Math.round((step / unit) * 10 ** places)) < 1e-6;
  const places = [0, 1, 2, 3, 4, 5, 6].find(isWhole) ?? 6;
  return `${money((value / unit).toFixed(places), { places })}${name}`;
}

function times(from, to, width) {
  const count = Math.max(2, Math.floor(width / 120)), span = to - from, found = [];
  const step = [HOUR / 12, HOUR / 4, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 365 * DAY].find((each) => span / each <= count) ?? 365 * DAY;
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push([at, step < DAY ? clock(at).slice(0, 5) : day(at)]);
  return found;
}

// Rows of [name, value, part of the whole in percent], the part `null` where it is not known just now
// and `undefined` where there is none; the longest bar is the largest.
export function bars(rows) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(Number(value ?? 0))), 1e-9);
  return element("ul.bars", {}, rows.map(([name, value, part, ask]) => {
    const fill = element("i");
    fill.style.width = `${(Math.abs(Number(value ?? 0)) / most) * 100}%`;
    const figure = element("button.ask-why", { type: "button", title: value, "aria-label": `${name}: ${money(value, { places: 0 })}`, onclick: ask }, money(value, { places: 0 }));
    return element(`li${Number(value) < 0 ? ".short" : ""}${part === undefined ? ".sole" : ""}`, {},
      element("span.name", { title: name }, name), figure, part === undefined ? null : element("span.part", {}, part === null ? "" : percent(rounded(part, 1), { places: 1 })),
      element("span.track", { "aria-hidden": "true" }, fill));
  }));
}
