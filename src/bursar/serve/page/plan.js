// The plan: what to trade to reach the weights that are typed here. They are kept in this browser;
// the service works out the plan, and nothing is ordered.

import { clock, DASH, element, fill, fraction, isNumber, money, percent, put, quantity, share } from "./exact.js";
import { command, figure, word } from "./panels.js";
import { told } from "./why.js";

const HEAD = ["Symbol", "Now", "Target, %", "", "Amount", "Quantity", "Left", "Why"];
const TYPING_MS = 350, PAUSE_MS = 3_000, PLACES = 2;

export class Plan {
  constructor(box, live, ask) {
    Object.assign(this, { box, live, ask, held: null, plan: null, wrong: "", rows: "" });
  }

  // What is held has changed, or may have: the plan is asked for anew.
  async show(held) {
    if (!this.held) this.targets = new Map(Object.entries(JSON.parse(localStorage.getItem(`targets ${held.portfolio}`) ?? "{}")));
    this.held = held;
    const left = this.plan ? this.askedAt + PAUSE_MS - Date.now() : 0;
    if (left <= 0) { await this.#ask(); return; }
    this.draw();
    this.due ??= setTimeout(() => { this.due = null; this.#ask(); }, left); // what is held now is never left out for long
  }

  async #ask() {
    const wanted = Object.fromEntries([...this.targets].filter(([, part]) => part !== "").map(([symbol, part]) => [symbol, fraction(part)]));
    const turn = this.turn = (this.turn ?? 0) + 1; // an answer that another question has overtaken is let go
    this.askedAt = Date.now();
    this.wrong = "";
    if (!this.targets.size) this.plan = null;
    else if (Object.values(wanted).includes(null)) this.wrong = "A weight is a number of percent, such as 12.5.";
    else if (Object.keys(wanted).length) {
      try {
        const plan = await this.live.tell("rebalance-plan", { target_weights: wanted });
        if (turn !== this.turn) return;
        [this.plan, this.madeAt] = [plan, new Date().toISOString()];
      } catch (error) {
        if (turn !== this.turn || this.live.state !== "live") return;
        [this.plan, this.wrong] = [null, error.message];
      }
    }
    this.draw();
  }

  #keep() {
    localStorage.setItem(`targets ${this.held.portfolio}`, JSON.stringify(Object.fromEntries(this.targets)));
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.#ask(), TYPING_MS);
  }

  #begin(targets) {
    this.targets = new Map(targets);
    this.rows = "";
    this.#keep();
    this.draw();
    this.box.querySelector("input")?.focus();
  }

  draw() {
    const coins = this.held.items.filter((each) => !each.is_cash);
    const symbols = [...new Set([...coins.map((each) => each.asset), ...this.targets.keys()])];
    const key = this.targets.size ? symbols.join() : `none ${coins.length}`;
    if (this.rows !== key) {
      this.rows = key;
      if (this.targets.size) this.#table(symbols, coins);
      else fill(this.box, ...this.#empty(coins));
    }
    if (this.targets.size) this.#figures(symbols, coins);
  }

  #starts(coins) {
    const part = ((10_000 - (10_000 % coins.length)) / coins.length / 100).toFixed(PLACES).replace(/\.?0+$/, "");
    const start = (text, targets) => element("button.plain", { type: "button", onclick: () => this.#begin(targets) }, text);
    return coins.length ? [
      start("what is held", coins.map((each) => [each.asset, cut(each.share_pct ?? "0")])),
      start("equal parts", coins.map((each) => [each.asset, part]))] : [];
  }

  #empty(coins) {
    const starts = this.#starts(coins);
    return [element("p.empty", {}, "Say what you want to hold, and every trade that leads there is named with its reason. Nothing is ordered.",
      element("span.starts", {}, starts.length ? ["Begin with ", starts[0], " or ", starts[1]] : null, starts.length ? " or add a symbol:" : "Add a symbol to begin:"),
      this.form = this.#adding()), element("p.note.centre", {}, "From a file, in a terminal: ", element("code", {}, "bursar plan weights.yaml"))];
  }

  #adding() {
    const input = element("input", { type: "text", "aria-label": "Symbol to add", placeholder: "symbol", size: 8, maxlength: 40, autocomplete: "off", spellcheck: "false" });
    return element("form.adding", { onsubmit: (event) => {
      event.preventDefault();
      const symbol = input.value.trim().toUpperCase();
      if (!symbol) return;
      input.value = "";
      if (!this.targets.has(symbol)) this.targets.set(symbol, "0");
      this.#keep();
      this.draw();
      this.inputs.get(symbol)?.select();
    } }, input, element("button.plain", {}, "add"));
  }

  #table(symbols, coins) {
    const typing = [...(this.inputs ?? [])].find(([, input]) => input === document.activeElement), isAdding = this.form?.contains(document.activeElement);
    this.inputs = new Map();
    this.cells = new Map();
    const rows = symbols.map((symbol) => {
      const input = element("input.weight", { type: "text", inputmode: "decimal", "aria-label": `Target of ${symbol}, percent`, value: this.targets.get(symbol) ?? "", placeholder: "0", autocomplete: "off" });
      input.addEventListener("input", () => { this.targets.set(symbol, input.value.trim()); this.#keep(); });
      const cells = HEAD.slice(3).map((_, n) => element(n === 0 ? "td.do" : n === 4 ? "td.because" : "td.num"));
      const now = element("td");
      this.inputs.set(symbol, input);
      this.cells.set(symbol, [now, ...cells]);
      return element("tr", {}, element("th", { scope: "row" }, symbol), now, element("td", {}, input), cells);
    });
    this.sums = element("dl.sums");
    this.says = element("p.note");
    this.refused = element("p.note.down", { role: "alert" });
    this.command = element("div");
    const starts = this.#starts(coins);
    fill(this.box,
      element("div.scroll", { tabindex: 0, role: "group", "aria-label": "Lines of the plan" }, element("table", {},
        element("thead", {}, element("tr", {}, HEAD.map((name) => element("th", { scope: "col" }, name || element("span.unseen", {}, "Do"))))), element("tbody", {}, rows))),
      element("div.edit", {}, this.form ??= this.#adding(), element("span.starts", {}, starts.length ? ["or take ", starts[0], ", ", starts[1], ", "] : null,
        element("button.plain", { type: "button", onclick: () => this.#begin([]) }, "nothing"))),
      this.sums, this.refused, this.says, this.command);
    if (isAdding) this.form.querySelector("input").focus();
    if (typing) { // what is held has changed meanwhile; whoever types goes on where he was
      const [symbol, input] = typing, again = this.inputs.get(symbol);
      again?.focus();
      again?.setSelectionRange(input.selectionStart, input.selectionEnd);
    }
  }

  #figures(symbols, coins) {
    const items = new Map((this.plan?.items ?? []).map((item) => [item.symbol, item])), held = new Map(coins.map((each) => [each.asset, each]));
    for (const symbol of symbols) {
      const item = items.get(symbol), [now, deed, amount, size, left, why] = this.cells.get(symbol);
      const kind = item?.action.toLowerCase() ?? "hold";
      put(deed, element(`span.deed.${kind}`, {}, item ? `${{ buy: "▲ ", sell: "▼ ", hold: "" }[kind]}${kind}` : DASH));
      const because = () => this.ask(`${item.action} ${symbol}`, told(item.trade_amount, "trade = target value − value now, as far as rounding, minima and cash allow",
        [["target value", item.target_value], ["value now, taken off", item.current_value], ["price", item.price, this.plan.inputs.holdings.source], ["quantity", item.quantity],
          ["fee, estimated", item.fee], ["left: target value − value after the trade", item.residual], ["weight now", item.current_weight], ["target", item.target_weight]]));
      const part = item ? share(item.current_weight) : percent(held.get(symbol)?.share_pct ?? "0", { places: 1 });
      put(now, item ? figure(part, item.current_weight, { colour: false, why: because }) : element("span", {}, part));
      const moved = item && item.action !== "HOLD";
      put(amount, moved ? figure(money(item.trade_amount, { signed: true }), item.trade_amount, { colour: false, why: because }) : element("span", {}, DASH));
      put(size, moved ? figure(quantity(item.quantity), item.quantity, { colour: false, why: because }) : element("span", {}, DASH));
      put(left, item ? figure(money(item.residual), item.residual, { colour: false, why: because }) : element("span", {}, DASH));
      put(why, element("span", {}, item ? word(item.reason) : ""));
    }
    const totals = this.plan?.totals, source = this.plan?.inputs.holdings.source;
    const sum = (name, value, parts, foot = "") => element("div", {}, element("dt.label", {}, name), element("dd", {},
      figure(money(value, { places: 0 }), value, { colour: false, why: () => this.ask(name, told(value, parts[0], parts[1])) }), foot ? element("small", {}, ` ${foot}`) : null));
    const each = (action) => this.plan.items.filter((item) => item.action === action).map((item) => [item.symbol, item.trade_amount, item.reason]);
    fill(this.sums, ...(totals ? [
      sum("Sales", totals.sells, ["sales = Σ of the lines", each("SELL")]), sum("Purchases", totals.buys, ["purchases = Σ of the lines", each("BUY")]),
      sum("Cash after", totals.cash_after, ["cash after = cash + sales − purchases − fees", [["cash", totals.cash, source], ["sales", totals.sells], ["purchases, taken off", totals.buys], ["fees, estimated, taken off", totals.fees]]]),
      sum("Left", totals.residual, ["left = Σ |target value − value after the trade|", this.plan.items.map((item) => [item.symbol, item.residual, item.reason])], `${share(totals.drift)} off target`)] : []));
    const gaps = this.plan?.coverage.gaps ?? [];
    this.says.textContent = this.plan ? `Worked out at ${clock(this.madeAt)} from ${source}.${gaps.length ? ` Rests on: ${gaps.join("; ")}.` : ""}` : "";
    if (this.refused.textContent !== this.wrong) this.refused.textContent = this.wrong;
    const shell = localStorage.getItem("shell") ?? (navigator.userAgent.includes("Windows") ? "powershell" : "posix"), text = SHELLS[shell].says(linesOf(this.targets), this.held.options && ` ${this.held.options}`);
    if (this.command.dataset.text === text) return;
    this.command.dataset.text = text;
    const other = shell === "posix" ? "powershell" : "posix";
    const turn = element("button.plain", { type: "button", onclick: () => { localStorage.setItem("shell", other); this.#figures(symbols, coins); this.command.querySelector(".shell button").focus(); } }, `for ${SHELLS[other].name}`);
    this.command.replaceChildren(...(text ? [element("p.note.shell", {}, `The same plan in a terminal, for ${SHELLS[shell].name}`, turn), command(text)] : []));
  }
}

// The weights as a file and the plan over it, in one line, as each family of terminals quotes it.
const SHELLS = {
  posix: { name: "a POSIX shell", says: (lines, own) => (lines.length ? `printf '%s\\n' ${quoted(lines, "'\\''").join(" ")} > weights.csv && bursar plan weights.csv${own}` : "") },
  powershell: { name: "PowerShell", says: (lines, own) => (lines.length ? `Set-Content weights.csv ${quoted(lines, "''").join(", ")}; bursar plan weights.csv${own}` : "") },
};
const quoted = (lines, quote) => lines.map((line) => `'${line.replaceAll("'", quote)}'`);

function linesOf(targets) {
  const lines = [...targets].map(([symbol, part]) => [symbol, fraction(part)]).filter(([, part]) => isNumber(part)).map((line) => line.join(","));
  return lines.length ? ["symbol,weight", ...lines] : [];
}

// A weight of no more than two places of percent: what is left out stays cash.
function cut(part) {
  const [whole, rest = ""] = part.split(".");
  return rest ? `${whole}.${rest.slice(0, PLACES)}` : whole;
}
