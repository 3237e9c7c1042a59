// What happened: trades and flows as they are booked, the newest first.

import { clock, day, element, fill, money, quantity, sign } from "./exact.js";
import { figure } from "./panels.js";
import { told } from "./why.js";

const FEED = 16;
let known = null;
export function feed(box, trades, flows, ask) {
  const rows = [...trades.items.filter((each) => each.kind !== "rounding").map((each) => deal(each, ask)), ...flows.items.map((each) => moved(each, ask))]
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.key < b.key ? 1 : -1)).slice(0, FEED);
  if (!rows.length) { fill(box, element("li.empty", {}, "Nothing has happened yet: trades and flows come here as they are booked.")); return null; }
  const today = new Date().toISOString().slice(0, 10);
  fill(box, ...rows.map((row) => element(known && !known.has(row.key) ? "li.new" : "li", { "data-id": row.key },
    element("time", { datetime: row.time }, row.time.startsWith(today) ? clock(row.time) : day(row.time)),
    element("span.what", { title: `${row.who}: ${row.what}` }, element("span.who", {}, row.who), row.what), row.figure)));
  known = new Set(rows.map((row) => row.key));
  return rows[0].time;
}

function deal(each, ask) {
  const pair = each.pair || each.kind, isLeveraged = each.kind === "margin"; // then no coins move, and the record has none
  const size = isLeveraged ? "" : ` ${quantity(String(each.base_delta).replace("-", ""))}`;
  const price = each.price ? ` at ${quantity(each.price)}` : "", fee = each.fee_asset ? `, fee ${quantity(each.fee_amount)} ${each.fee_asset}` : "";
  const what = `${each.side}${size} ${pair.split("/")[0]}${price}${isLeveraged ? ", leveraged" : ""}${fee}`;
  const [formula, parts] = isLeveraged ? ["realised = what was settled − fee", []]
    : ["realised = proceeds − cost of what left − fee", [["proceeds", each.quote_delta, each.pair], ["cost of what left, taken off", each.cost_base]]];
  const isMade = isLeveraged ? sign(each.pnl_base) !== 0 : each.side === "sell";
  return { key: `${each.trade_id}${each.kind}`, time: each.time, who: each.strategy_tag ?? "manual", what,
    figure: isMade ? figure(money(each.pnl_base, { signed: true }), each.pnl_base, { why: () => ask(what, told(each.pnl_base, formula, [
      ...parts, ["fee, taken off", each.fee_base, `${each.fee_amount} ${each.fee_asset}`], ["entry", each.trade_id]])) }) : element("span") };
}

function moved(each, ask) {
  return { key: each.id, time: each.time, who: each.type, what: `${quantity(each.amount)} ${each.asset}${each.note ? `, ${each.note}` : ""}`,
    figure: each.value_base == null ? element("span.note", {}, "no price") : figure(money(each.value_base, { signed: true }), each.value_base, { colour: false, why: () => ask(`${each.type} of ${each.asset}`,
      told(each.value_base, "value = amount × rate, as it was booked", [["amount", each.amount, each.asset], ["cost", each.cost_base], ["entry", each.id, each.account]])) }) };
}
