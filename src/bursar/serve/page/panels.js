// Panels: what each part of the page shows of what the service told.

import { bars } from "./charts.js";
import { age, arrow, clock, DASH, day, element, fill, money, percent, put, quantity, since, tone } from "./exact.js";
import { told } from "./why.js";

export const word = (name) => (name.length < 4 ? name : name.replaceAll("_", " ").toLowerCase());

// A figure that opens to its why. The sign is said by an arrow too, for eyes that see no colour.
export function figure(text, value, { why, title, colour = true } = {}) {
  const way = colour ? tone(value) : "";
  const mark = colour && arrow(value) ? element("span.arrow", { "aria-hidden": "true" }, arrow(value)) : null;
  if (!why) return element(`span${way && `.${way}`}`, { title: title ?? value }, mark, text);
  return element(`button.ask-why${way && `.${way}`}`, { type: "button", title: title ?? value, onclick: why }, mark, text);
}

export class Cards {
  constructor(box, names) {
    this.cards = Object.fromEntries(names.map((name) => {
      const value = element("div.figure"), foot = element("div.foot");
      const card = element("div.card", {}, element("span.label", {}, name), value, foot);
      box.append(card);
      return [name, { card, value, foot }];
    }));
  }

  set(name, made, foot = "", isEvent = false) {
    const card = this.cards[name];
    put(card.value, made, isEvent);
    card.foot.textContent = foot;
    card.foot.title = foot;
  }
}

export function equity(box, view, base, ask) {
  if (!box.firstChild) box.append(element("span.label", {}, "Equity"), element("div.figure"), element("div.under"));
  const [whole, cents = "00"] = money(view.total_equity).split(".");
  const made = element("button.ask-why", { type: "button", title: view.total_equity, onclick: () => ask("Equity", { figure: "equity" }) },
    whole, element("span.cents", {}, `.${cents}`));
  put(box.children[1], made);
  box.children[0].textContent = `Equity${base ? `, ${base}` : ""}`;
  put(box.children[2], figure(`${money(view.daily_pnl, { signed: true })} today`, view.daily_pnl, { why: () => ask("Today", { figure: "daily_pnl" }) }));
}

export function exposure(box, view, held, ask) {
  const rows = Object.entries(view.exposure_by_symbol);
  if (!rows.length) { fill(box, element("p.empty", {}, view.exposure_pct_of_equity == null ? "Nothing is held yet." : "Nothing moves with the market: all of it is cash.")); return; }
  const base = held?.base ?? "", shares = new Map((held?.items ?? []).map((row) => [row.asset, row.share_pct]));
  const sorted = (pairs) => pairs.sort((a, b) => Math.abs(Number(b[1])) - Math.abs(Number(a[1])));
  const asset = (name) => name.split("/")[0].replace(new RegExp(`(?<=.)${base}$`), "");
  fill(box, 
    element("div.split", {},
      [["Long", view.long_exposure], ["Short", view.short_exposure], ["Of equity", view.exposure_pct_of_equity]].map(([name, value]) =>
        element("div", {}, element("span.label", {}, name), name === "Of equity" ? percent(value, { places: 1 }) : money(value, { places: 0 })))),
    element("h3", {}, "By symbol"),
    bars(sorted(rows).map(([name, value]) => [asset(name), value, shares.get(asset(name)), () => ask(`Value of ${asset(name)}`, { figure: "value", asset: asset(name) })])),
    element("h3", {}, "By sector"),
    bars(sorted(Object.entries(view.exposure_by_sector)).map(([name, value]) => [word(name), value, null,
      () => ask(`Sector ${name}`, told(value, `exposure of ${name} = Σ of its symbols`, rows.map(([each, worth]) => [each, worth])))])));
}

const HEAD = ["Asset", "Quantity", "Cost", "Mark", "Value", "Unrealised", "Share", "Mark age"];
export function holdings(box, found, ask) {
  if (!found.items.length) {
    fill(box, element("p.empty", {}, "Nothing is held yet. Bring in your exchange's exports:",
      element("code", {}, "bursar import ledgers.csv trades.csv")));
    return;
  }
  const cell = (row, name, text, asked = name) => element("td.num", {},
    figure(text, row[name], { colour: name === "unrealized", why: row.is_cash ? null : () => ask(`${asked} of ${row.asset}`, { figure: asked, asset: row.asset }) }));
  fill(box, element("table", {},
    element("thead", {}, element("tr", {}, HEAD.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, found.items.map((row) => element(row.is_stale ? "tr.stale" : "tr", {},
      element("td", {}, element("b", {}, row.asset), element("small", {}, word(row.sector))),
      element("td", {}, quantity(row.quantity)),
      row.is_cash ? element("td", {}, DASH) : cell(row, "cost", money(row.cost)),
      element("td", { title: row.mark_source ?? "" }, row.is_cash ? DASH : quantity(row.mark)),
      cell(row, "value", money(row.value)),
      row.is_cash ? element("td", {}, DASH) : cell(row, "unrealized", money(row.unrealized, { signed: true })),
      element("td", {}, percent(row.share_pct, { places: 1 })),
      element("td.age", row.marked_at ? { "data-at": row.marked_at, "data-stale": row.is_stale } : {}, row.is_cash ? DASH : row.marked_at ? "" : "no price"))))));
  ages();
}

// The age of every mark, each second, whether anything is heard or not.
export function ages() {
  for (const cell of document.querySelectorAll(".age[data-at]")) {
    cell.textContent = `${cell.hasAttribute("data-stale") ? "stale · " : ""}${age(since(cell.dataset.at))}`;
  }
}

export function drift(box, found) {
  if (!found.items.length) {
    fill(box, element("p.empty", {}, "No venue has stated anything yet. Connect one, and every balance is compared:", element("code", {}, "bursar init && bursar sync")));
    return;
  }
  fill(box, ...found.items.flatMap((each) => {
    const good = each.verdict === "equal" || each.verdict === "within tolerance";
    const known = each.verdict !== "unknown";
    const lines = each.breaks.map((broken) => element("div.break", {},
      element("b", {}, `${broken.kind}: ${broken.shifts.map((shift) => `${money(shift.amount, { signed: true, places: 8 }).replace(/\.?0+$/, "")} ${shift.asset}`).join(", ")}`),
      element("p", {}, broken.reason), element("p.soft", {}, `${broken.where}; ${broken.when.replace(/\.\d+Z/g, "Z")}`),
      broken.proposal ? element("p.soft", {}, `Would close it: ${broken.proposal}`) : null));
    return element("div", {},
      element(`p.verdict${good ? ".up" : known ? ".down" : ""}`, {}, good ? "✓ Agrees" : known ? "▲ Differs" : "? Not known", element("small.note", {}, each.account)),
      element("p.note", {}, each.as_of ? `Statement of ${day(each.as_of)} ${clock(each.as_of)}${good ? ", to the last digit." : ""}` : "No statement yet: bursar sync asks for one."),
      lines, each.breaks.length ? command(each.command) : null);
  }));
}

export function command(text) {
  const copy = element("button", { type: "button", onclick: async () => {
    await navigator.clipboard?.writeText(text);
    copy.textContent = "copied";
    setTimeout(() => { copy.textContent = "copy"; }, 1500);
  } }, "copy");
  return element("div.command", {}, element("code", {}, text), copy);
}

const FEED = 12;
let known = null;
export function feed(box, trades, flows) {
  const rows = [...trades.items.filter((each) => each.kind !== "rounding").map(deal), ...flows.items.map(moved)]
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.key < b.key ? 1 : -1)).slice(0, FEED);
  if (!rows.length) { fill(box, element("li.empty", {}, "Nothing has happened yet: trades and flows come here as they are booked.")); return null; }
  const today = new Date().toISOString().slice(0, 10);
  fill(box, ...rows.map((row) => element(known && !known.has(row.key) ? "li.new" : "li", { "data-id": row.key },
    element("time", { datetime: row.time }, row.time.startsWith(today) ? clock(row.time) : day(row.time)),
    element("span.what", { title: `${row.who}: ${row.what}` }, element("span.who", {}, row.who), row.what), row.figure)));
  known = new Set(rows.map((row) => row.key));
  return rows[0].time;
}

function deal(each) {
  const pair = each.pair || each.kind, size = quantity(String(each.base_delta).replace("-", ""));
  const price = each.price ? ` at ${quantity(each.price)}` : "";
  return { key: `${each.trade_id}${each.kind}`, time: each.time, who: each.strategy_tag ?? "manual", what: `${each.side} ${size} ${pair.split("/")[0]}${price}, fee ${quantity(each.fee_amount)} ${each.fee_asset}`,
    figure: each.side === "sell" ? figure(money(each.pnl_base, { signed: true }), each.pnl_base) : element("span") };
}

function moved(each) {
  return { key: each.id, time: each.time, who: each.type, what: `${quantity(each.amount)} ${each.asset}${each.note ? `, ${each.note}` : ""}`,
    figure: each.value_base == null ? element("span.note", {}, "no price") : figure(money(each.value_base, { signed: true }), each.value_base, { colour: false }) };
}

export function badges(box, coverage, agreements) {
  const rows = [];
  if (coverage) {
    if (!coverage.unvalued.length) rows.push(["", "every holding has a price"]);
    else rows.push(["warn", `not in equity: ${coverage.unvalued.join(", ")} (no price)`]);
    if (coverage.stale.length) rows.push(["warn", `old marks: ${coverage.stale.join(", ")}`]);
    else rows.push(["", "all marks fresh"]);
    for (const remark of coverage.remarks) if (!/^(unvalued|old marks|stale)/.test(remark)) rows.push(["warn", remark]);
  }
  for (const each of agreements?.items ?? []) {
    const good = each.verdict === "equal" || each.verdict === "within tolerance";
    rows.push([good ? "" : "warn", good ? `${each.account} agrees` : `${each.account}: ${each.verdict}`]);
  }
  fill(box, ...rows.map(([kind, text]) => element(kind ? `li.${kind}` : "li", {}, text)));
}
