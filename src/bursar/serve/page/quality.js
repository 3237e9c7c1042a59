// Quality: what the figures do not know, and whether the venues agree with the book.

import { clock, day, element, fill, money, quantity } from "./exact.js";
import { command, figure } from "./panels.js";
import { told } from "./why.js";

const isGood = (each) => each.verdict === "equal" || each.verdict === "within tolerance";

export function badges(box, { coverage, held, breaks, ask }) {
  const rows = [], add = (kind, text, formula, parts) => rows.push(element(kind ? `li.${kind}` : "li", {},
    element("button", { type: "button", onclick: () => ask(text, told(kind ? "not whole" : "whole", formula, parts)) }, text)));
  const coins = held.items.filter((each) => !each.is_cash), mark = (each) => [each.asset, each.mark ?? "no price", [each.mark_source, each.marked_at].filter(Boolean).join(", ")];
  if (coverage && held.items.length) {
    const { unvalued, stale } = coverage, priced = coins.filter((each) => each.mark != null);
    if (unvalued.length) add("warn", `unvalued, not in equity: ${names(unvalued)}`, "what has no price, and counts nowhere", coins.filter((each) => unvalued.includes(each.asset)).map((each) => [each.asset, each.quantity, each.flags.join(", ")]));
    else add("", "every holding has a price", "coverage: holdings with a price, of all that are held", priced.map(mark));
    if (stale.length) add("warn", `stale: ${names(stale)}`, "marks that are older than the settings allow; the figures rest on them", coins.filter((each) => stale.includes(each.asset)).map(mark));
    else if (coins.length) add("", "all marks fresh", "every mark is as young as the settings ask", priced.map(mark));
    if (!/^-?[0.]+$/.test(coverage.excluded_value)) add("warn", `left out by the settings: ${money(coverage.excluded_value)}`, "what the settings leave out of the view; the curve and the fall from the peak have it", [["worth", coverage.excluded_value]]);
    for (const [kind, all] of grouped(coverage.remarks.filter((remark) => !/^(unvalued|not valued|old marks|stale)/.test(remark)))) add("warn", `${kind}: ${all.length > 1 ? names(all.map((each) => each.split(" by ")[0])) : all[0]}`, "what the book had to assume",
      all.length > 1 ? all.map((each) => [each, ""]) : coins.filter((each) => each.flags.length).map((each) => [each.asset, each.quantity, each.flags.join(", ")]));
  }
  for (const each of breaks.items) {
    add(isGood(each) ? "" : "warn", isGood(each) ? `${each.account} agrees` : `${each.account}: ${each.verdict}`, `the venue's statement of ${each.as_of ?? "no time"} against the book`,
      each.breaks.length ? each.breaks.map((broken) => [broken.kind, broken.shifts.map((shift) => `${shift.amount} ${shift.asset}`).join(", "), broken.reason]) : [["differences", isGood(each) ? "none" : "not known"]]);
  }
  fill(box, ...rows);
}

// Remarks of one kind are one badge: a book of files alone has one for each coin.
function grouped(remarks) {
  const kinds = new Map();
  for (const remark of remarks) {
    const [kind, ...rest] = remark.split(": ");
    kinds.set(kind, [...(kinds.get(kind) ?? []), rest.join(": ")]);
  }
  return kinds;
}

const names = (all) => (all.length > 4 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", "));

export function drift(box, found, ask) {
  if (!found.items.length) {
    fill(box, element("p.empty", {}, "No venue has stated anything yet. Connect one, and every balance is compared:", element("code", {}, "bursar init && bursar sync")));
    return;
  }
  fill(box, ...found.items.map((each) => {
    const good = isGood(each), known = each.verdict !== "unknown";
    return element("div", {},
      element(`p.verdict${good ? ".up" : known ? ".down" : ""}`, {}, good ? "✓ Agrees" : known ? "▲ Differs" : "? Not known", element("small.note", {}, each.account)),
      element("p.note", {}, each.as_of ? `Statement of ${day(each.as_of)} ${clock(each.as_of)}${good ? ", to the last digit." : ""}` : "No statement yet: bursar sync asks for one."),
      each.breaks.map((broken) => difference(broken, ask)), each.breaks.length ? command(each.command) : null);
  }));
}

function difference(broken, ask) {
  const shifts = broken.shifts.map((shift) => figure(`${shift.amount[0] === "-" ? "" : "+"}${quantity(shift.amount)} ${shift.asset}`, shift.amount, { colour: false,
    why: () => ask(`${broken.kind}: ${shift.asset}`, told(shift.amount, "difference = what the venue states − what the book holds", [["its worth", shift.worth], ["where", broken.where], ["when", broken.when], ["why that is said", broken.reason]])) }));
  return element("div.break", {},
    element("b", {}, shifts.length ? `${broken.kind}: ` : broken.kind, shifts.flatMap((shift, n) => (n ? [", ", shift] : [shift]))),
    element("p", {}, broken.reason), element("p.soft", {}, `${broken.where}; ${broken.when.replace(/\.\d+Z/g, "Z")}`),
    broken.proposal ? element("p.soft", {}, `Would close it: ${broken.proposal}`) : null);
}
