// Capital: each strategy's own book, how it grew, what part of the capital it was given, and why.
// A row opens to the factors of its weight, drawn one after another. Lengths alone come from floats.

import { spark } from "./charts.js";
import { $, arrow, day, element, fill, money, percent, share, sign } from "./exact.js";
import { figure } from "./panels.js";
import { told } from "./why.js";

const FACTORS = [["method", "results"], ["regime", "regime"], ["memory", "memory"], ["pressure", "pressure"], ["state", "state", "share"]];
const opened = new Set();

export function capital(box, found, decision, ask) {
  $("regime").textContent = found.decided_at ? `${found.regime.toLowerCase()} · divided ${day(found.decided_at)} · reserve ${share(found.reserve)}` : "";
  if (!found.items.some((each) => each.strategy !== "manual")) {
    fill(box, element("p.empty", {}, "No trade names its strategy yet.", element("code", {}, "bursar tag ENTRY --strategy NAME")));
    return;
  }
  const lines = new Map((decision?.lines ?? []).map((line) => [line.strategy, line]));
  const doubt = decision?.marked ? element("p.note.down", {}, `Divided in doubt: ${decision.marked}`) : null;
  const draw = () => fill(box, doubt, ...found.items.map((each) => row(each, lines.get(each.strategy), { ask, draw, of: lines.size })));
  draw();
}

function row(each, line, { ask, draw, of }) {
  const isShown = opened.has(each.strategy), id = `factors-${each.strategy.replace(/\W+/g, "-")}`;
  const word = line?.bound === "blocked" ? "blocked" : each.state?.toLowerCase();
  const because = () => ask(each.strategy, told(each.equity, "equity of the strategy's own book = capital given + made + unrealised",
    [["capital given", each.contributed], ["made = realised and income − expenses", each.made], ["unrealised", each.unrealized], ...each.unvalued.map((asset) => [asset, "no price, and not in it"])]));
  const grown = each.growth.at(-1), isOpen = sign(each.unrealized) !== 0;
  const toggle = () => { if (!opened.delete(each.strategy)) opened.add(each.strategy); draw(); };
  return element("div.strategy", { role: "group", "aria-label": each.strategy },
    element("div.name", {}, element("b", {}, each.strategy.split(/(?<=[_-])/).flatMap((part) => [part, element("wbr")])), word ? element(word === "active" ? "span.word" : "span.word.off", {}, word) : null,
      each.unvalued.length ? element("small.doubt", { title: each.unvalued.join(", ") }, `! ${each.unvalued.length} without a price`) : null),
    each.growth.length > 1 ? spark(each.growth, `One unit of ${each.strategy}'s capital since ${day(each.since)}: ${isOpen ? `${each.growth.at(-2)} at cost, ${grown} with what is open today` : grown}`, isOpen) : element("span"),
    element("div.worth", {}, figure(money(each.equity, { places: 0 }), each.equity, { why: because, colour: false })),
    element("div.sub", {}, figure(money(each.made, { signed: true, places: 0 }), each.made, { why: () => ask(`Made by ${each.strategy}`,
      told(each.made, "made = realised + income − expenses, in the strategy's own book", [["closed trades", String(each.trades)], ["unrealised, not in it", each.unrealized]])) }),
      ` made · ${each.trades} ${each.trades === 1 ? "trade" : "trades"}`),
    element("div.sub.own", {}, each.growth.length > 1 ? figure(percent(each.return_pct, { signed: true }), each.return_pct, { why: () => ask(`Return of ${each.strategy}`,
      told(each.return_pct, `return, in percent, since ${day(each.since)} = Π (1 + made of a day ÷ capital of that day) − 1; days are at cost, today has what is open too`,
        [["one unit of its capital has become", grown], ["before today", each.growth.at(-2)], ["unrealised, in today alone", each.unrealized]])) }) : null),
    line ? [
      weightBar(line),
      element("button.why-weight", { type: "button", "aria-expanded": String(isShown), "aria-controls": id, onclick: toggle },
        element("span", {}, `${share(line.weight)} of capital`), element("span.soft", {}, line.reason)),
      isShown ? factors(each, line, { id, of, ask }) : null,
    ] : element("div.sub.none", {}, each.strategy === "manual" ? "what no strategy has: hand trades and the reserve" : "has no part of the capital"));
}

function weightBar(line) {
  const bar = element("i"), was = element("b");
  bar.style.width = `${Number(line.weight) * 100}%`;
  was.style.left = `${Number(line.previous) * 100}%`;
  return element("span.track.weight", { "aria-hidden": "true" }, bar, was);
}

// From an equal part, factor by factor, to the wish; then the bounds, and the weight they left.
function factors(each, line, { id, of, ask }) {
  const product = FACTORS.reduce((sum, [, , field], n) => sum * Number(line[field ?? FACTORS[n][0]]), 1);
  const equal = 1 / of, start = product ? Number(line.wish) / product : equal;
  const isEqual = Math.abs(start - equal) < 1e-6;
  let at = start, most = Math.max(start, Number(line.most), Number(line.weight), Number(line.previous));
  const steps = FACTORS.map(([field, name, other]) => {
    const value = line[other ?? field], from = at;
    at *= Number(value);
    most = Math.max(most, at);
    return { name, value, from, to: at };
  });
  const x = (value) => `${(value / most) * 100}%`;
  const bar = (from, to, kind) => {
    const made = element(`i${kind ? `.${kind}` : ""}`);
    made.style.left = x(Math.min(from, to));
    made.style.width = `max(2px, ${x(Math.abs(to - from))})`;
    return element("span.fall", { "aria-hidden": "true" }, made);
  };
  const step = (name, drawn, text, kind = "") => element(`li${kind}`, {}, element("span.soft", {}, name), drawn, text);
  const weigh = told(line.weight, "weight = equal part × results × regime × memory × pressure × state, held within its bounds; all weights and the reserve add up to 1",
    [...FACTORS.map(([field, name, other]) => [name, line[other ?? field]]), ["wish", line.wish], ["least", line.least], ["most", line.most],
      ["weight before", line.previous], ["weight as the day began", line.opening], ["bound", line.bound, line.reason]]);
  return element("ol.factors", { id },
    step(isEqual ? "equal part" : "its bet", bar(0, start, "whole"), element("span", {}, isEqual ? `1 of ${of}` : "")),
    steps.map(({ name, value, from, to }) => step(name, bar(from, to, to < from ? "less" : to > from ? "more" : "same"),
      element("span", { title: value }, arrowOf(value), `× ${money(value)}`))),
    step("wish", bar(0, Number(line.wish), "whole"), element("span", { title: line.wish }, share(line.wish))),
    step(line.bound === "none" ? "bounds" : line.bound, bar(Number(line.least), Number(line.most), "bounds"), element("span", {}, `${share(line.least)} – ${share(line.most)}`)),
    step("before", bar(0, Number(line.previous), "same"), element("span", { title: line.previous }, share(line.previous))),
    step("weight", bar(0, Number(line.weight), "given"), figure(share(line.weight), line.weight, { colour: false, why: () => ask(`Weight of ${each.strategy}`, weigh) }), ".last"));
}

function arrowOf(value) {
  const way = value === "1" ? 0 : Number(value) > 1 ? 1 : -1;
  return way ? element(`span.arrow.${way > 0 ? "up" : "down"}`, { "aria-hidden": "true" }, arrow(String(way))) : null;
}
