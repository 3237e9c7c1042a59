// Panels: cards, exposure and holdings, and the figure that everything else is shown with.

import { bars } from "./charts.js";
import { age, arrow, DASH, element, fill, money, percent, put, quantity, sign, since, tone } from "./exact.js";
import { told } from "./why.js";

const FEW = { bars: 8, rows: 40 };

export const word = (name) => (name.length < 4 ? name : name.replaceAll("_", " ").toLowerCase());

// A figure that opens to its why. The sign is said by an arrow too, for eyes that see no colour, and
// `label` says what it is a figure of, to ears that come to it alone.
export function figure(text, value, { why, title, label, colour = true } = {}) {
  const way = colour ? tone(value) : "";
  const mark = colour && arrow(value) ? element("span.arrow", { "aria-hidden": "true" }, arrow(value)) : null;
  if (!why) return element(`span${way && `.${way}`}`, { title: title ?? value }, mark, text);
  return element(`button.ask-why${way && `.${way}`}`, { type: "button", title: title ?? value, "aria-label": label && `${label}: ${text}`, onclick: why }, mark, text);
}

// Of many rows the first few are drawn; a button shows all of them, or no longer.
const whole = new Set();
export function few(rows, most, key, redraw) {
  if (rows.length <= most) return [rows, null];
  const all = whole.has(key), toggle = () => { if (!whole.delete(key)) whole.add(key); redraw(); };
  return [all ? rows : rows.slice(0, most), element("button.plain.all", { type: "button", "aria-expanded": String(all), onclick: toggle }, all ? "fewer" : `all ${rows.length}`)];
}

export class Cards {
  constructor(box, names) {
    this.cards = Object.fromEntries(names.map((name) => {
      const label = element("span.label", {}, name), value = element("div.figure"), foot = element("div.foot");
      box.append(element("div.card", { role: "group", "aria-label": name }, label, value, foot));
      return [name, { label, value, foot }];
    }));
  }

  // Cards that rest on marks say so where one is old or missing.
  doubt(names, coverage) {
    const says = gaps(coverage).map(([assets, what]) => `${assets.join(", ")} ${what}`).join("; "), word = coverage?.unvalued.length ? "! not whole" : "! stale";
    for (const { label } of names.map((name) => this.cards[name])) {
      if ((label.lastElementChild?.title ?? "") !== says) label.replaceChildren(label.firstChild, ...(says ? [element("small.doubt", { title: says }, word)] : []));
    }
  }

  // The foot is text, or a figure that opens as well.
  set(name, made, foot = "", isEvent = false) {
    const card = this.cards[name];
    put(card.value, made, isEvent);
    put(card.foot, foot.nodeType ? element("span", {}, foot) : element("span", { title: foot }, foot));
  }
}

// What the figures lack: [assets, what is wrong with them].
const gaps = (coverage) => [[coverage?.unvalued, "without a price"], [coverage?.stale, "at an old mark"]].filter(([names]) => names?.length);

export function equity(box, view, { base, coverage, ask }) {
  const [whole, cents = "00"] = money(view.total_equity).split(".");
  const made = element("button.ask-why", { type: "button", title: view.total_equity, onclick: () => ask("Equity", { figure: "equity" }) },
    whole, element("span.cents", {}, `.${cents}`));
  put(box.children[1], made);
  const lacks = gaps(coverage).map(([names, says]) => `${names.length} ${says}`);
  box.children[0].replaceChildren(`Equity${base ? `, ${base}` : ""}`, ...(lacks.length ? [element("small.doubt", {}, `! ${lacks.join(", ")}`)] : []));
  put(box.children[2], figure(`${money(view.daily_pnl, { signed: true })} today`, view.daily_pnl, { why: () => ask("Today", { figure: "daily_pnl" }) }));
}

export function exposure(box, view, held, { ask, isOld }) {
  const rows = Object.entries(view.exposure_by_symbol);
  if (!rows.length) { fill(box, element("p.empty", {}, view.exposure_pct_of_equity == null ? "Nothing is held yet: what is bought shows here." : "Nothing moves with the market: all of it is cash.")); return; }
  const base = held?.base ?? "", items = new Map((held?.items ?? []).map((row) => [row.asset, row]));
  const sorted = (pairs) => pairs.sort((a, b) => Math.abs(Number(b[1])) - Math.abs(Number(a[1])));
  const quotes = [base, ...[...items.values()].filter((row) => row.is_cash).map((row) => row.asset)];
  const asset = (name) => { // BNBUSDT is of BNB, whatever it is quoted in
    const [symbol] = name.split("/"), held = [...items.keys()].filter((each) => symbol.startsWith(each)).sort((a, b) => b.length - a.length);
    const quoted = quotes.map((quote) => symbol.slice(0, symbol.endsWith(quote) ? -quote.length : 0)).filter((each) => each);
    return held.find((each) => quoted.includes(each) || each === symbol) ?? held[0] ?? quoted[0] ?? symbol;
  };
  const opens = (name, value, formula, parts) => () => ask(name, told(value, formula, parts));
  const long = rows.filter(([, worth]) => sign(worth) > 0), short = rows.filter(([, worth]) => sign(worth) < 0);
  const [symbols, more] = few(sorted(rows), FEW.bars, "symbols", () => exposure(box, view, held, { ask, isOld }));
  const part = (name, value, text, formula, parts) => element("div", {}, element("span.label", {}, name), figure(text, value, { label: name, colour: false, why: opens(name, value, formula, parts) }));
  fill(box,
    element("div.split", {},
      part("Long", view.long_exposure, money(view.long_exposure, { places: 0 }), "long = Σ of what gains when prices rise", long),
      part("Short", view.short_exposure, money(view.short_exposure, { places: 0 }), "short = Σ of what gains when prices fall", short),
      part("Of equity", view.exposure_pct_of_equity, percent(view.exposure_pct_of_equity, { places: 1 }), "gross exposure ÷ equity, in percent", [["gross = long + short", view.total_exposure]])),
    element("h3", {}, "By symbol"),
    bars(symbols.map(([name, value]) => [asset(name), value, isOld ? null : items.get(asset(name))?.share_pct ?? null, () => ask(`Value of ${asset(name)}`, { figure: "value", asset: asset(name) })])), more,
    element("h3", {}, "By sector"),
    bars(sorted(Object.entries(view.exposure_by_sector)).map(([name, value]) => [word(name), value, undefined,
      opens(`Sector ${word(name)}`, value, `exposure of ${word(name)} = Σ of its symbols`, rows.filter(([each]) => items.get(asset(each))?.sector === name))])));
}

const HEAD = ["Asset", "Value", "Unrealised", "Share", "Quantity", "Cost", "Mark", "Mark age"];
export function holdings(box, found, ask, lots) {
  if (!found.items.length) {
    fill(box, element("p.empty", {}, "Nothing is held yet. Bring in your exchange's exports:",
      element("code", {}, "bursar import ledgers.csv trades.csv"), "or follow the account itself:", element("code", {}, "bursar init && bursar sync")));
    return;
  }
  const [rows, more] = few(found.items, FEW.rows, "holdings", () => holdings(box, found, ask, lots));
  fill(box, element("table", {},
    element("thead", {}, element("tr", {}, HEAD.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, rows.map((row) => holding(row, found.base, ask, lots)))), more);
  ages();
}

function holding(row, base, ask, lots) {
  const cell = (name, text, value, why, colour = false) => element("td.num", {}, row.is_cash && !why ? DASH : figure(text, value, { label: `${row.asset}, ${name}`, colour, why }));
  const of = (name) => (row.is_cash ? null : () => ask(`${name} of ${row.asset}`, { figure: name, asset: row.asset }));
  const open = (name, value, formula, parts) => () => ask(`${name} of ${row.asset}`, told(value, formula, parts));
  const quantities = async () => told(row.quantity, "quantity = Σ of its lots", (await lots()).filter((lot) => lot.asset === row.asset)
    .map((lot) => [`${lot.account}, cost ${lot.cost}`, lot.quantity, lot.acquired_at ?? lot.entry])).tree;
  const marked = row.mark == null ? null : open("Mark", row.mark, `the price of one ${row.asset}, in ${row.mark_quote}, as believed now`, [["told by", row.mark_source], ["at", row.marked_at], ["is old", row.is_stale ? "yes: beyond what the settings allow" : "no"]]);
  return element(row.is_stale ? "tr.stale" : "tr", {},
    element("th", { scope: "row" }, element("b", {}, row.asset), element("small", {}, word(row.sector)), row.is_stale ? element("small.doubt", {}, "stale") : null),
    cell("value", money(row.value), row.value, row.is_cash ? open("Value", row.value, `cash at its face, in ${base}`, [[row.asset, row.quantity]]) : of("value")),
    cell("unrealised", money(row.unrealized, { signed: true }), row.unrealized, of("unrealized"), true),
    cell("share", percent(row.share_pct, { places: 1 }), row.share_pct, open("Share", row.share_pct, "share = value ÷ equity, in percent", [["value", row.value]])),
    cell("quantity", quantity(row.quantity), row.quantity, row.is_cash ? open("Quantity", row.quantity, "what is settled of it in all accounts", []) : () => ask(`Quantity of ${row.asset}`, { tree: quantities() })),
    cell("cost", money(row.cost), row.cost, of("cost")),
    cell("mark", row.mark == null ? "no price" : quantity(row.mark), row.mark, marked),
    element("td.age", row.marked_at ? { "data-at": row.marked_at, "data-stale": row.is_stale } : {}, row.is_cash ? DASH : row.marked_at ? "" : "unvalued"));
}

// The age of every mark, each second, whether anything is heard or not.
export function ages() {
  for (const cell of document.querySelectorAll(".age[data-at]")) {
    cell.textContent = `${cell.hasAttribute("data-stale") ? "stale · " : ""}${age(since(cell.dataset.at))}`;
  }
}

// Over plain HTTP from elsewhere a browser lets no page copy: then the line is marked, to be copied by hand.
export function command(text) {
  const line = element("code", {}, text), copy = element("button", { type: "button", onclick: async () => {
    const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (!isCopied) getSelection().selectAllChildren(line);
    copy.textContent = isCopied ? "copied" : "marked: Ctrl-C";
    setTimeout(() => { copy.textContent = "copy"; }, 1500);
  } }, "copy");
  return element("div.command", {}, line, copy);
}
