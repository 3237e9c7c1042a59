// The page: what is heard goes to the panels. Views come as they change; what rests on the journal
// is asked again when cash or a position has changed, and every so often anyway.

import { calendar } from "./calendar.js";
import { capital } from "./capital.js";
import { Curve } from "./charts.js";
import { $, age, clock, day, element, fill, money, paced, percent } from "./exact.js";
import { exportMenu, reportMenu } from "./exports.js";
import { feed } from "./feed.js";
import { Live } from "./live.js";
import * as panels from "./panels.js";
import { Plan } from "./plan.js";
import { badges, drift } from "./quality.js";
import { openWhy, told } from "./why.js";

const DAY = 86_400_000, SLOW_MS = 15_000, SOON_MS = 250, PAUSE_MS = 3_000, PAST_MS = 60_000, FRAME_MS = 100, PICTURE_MS = 1_000, REVEAL_MS = 2_000;
const RANGES = { "1D": [DAY, "day"], "1W": [7 * DAY, "week"], "1M": [30 * DAY, "30d"], "3M": [90 * DAY, "90d"], "1Y": [365 * DAY, "1y"], All: [Infinity, "all"] };
const CARDS = ["This week", "This month", "Drawdown", "Sharpe", "Gross exposure", "Net exposure", "Realised", "Cash"];
const MARKED = ["This week", "This month", "Drawdown", "Gross exposure", "Net exposure"];

const live = new Live();
const cards = new panels.Cards($("cards"), CARDS);
const curve = new Curve($("curve"), $("curve-read"));
const ask = (title, question) => openWhy(live, title, question);
const plan = new Plan($("plan"), live, ask);
let range = localStorage.getItem("range") in RANGES ? localStorage.getItem("range") : "All";
let asked = {}, ground = "", groundAt = 0, eventAt = null, pending = null, later = null, isAsking = false;

function drawRange() {
  $("range").replaceChildren(...Object.keys(RANGES).map((name) => element("button", {
    type: "button", role: "radio", "aria-checked": String(name === range), tabindex: name === range ? 0 : -1, onclick: () => choose(name),
  }, name)));
}

function choose(name) {
  range = name;
  localStorage.setItem("range", name);
  asked.at = 0; // ratios are those of the range
  drawRange();
  $("range").querySelector("[aria-checked=true]").focus();
  drawCurve();
  refresh();
}

$("range").addEventListener("keydown", (event) => {
  const names = Object.keys(RANGES), step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose(names[(names.indexOf(range) + step + names.length) % names.length]);
});

// Until when the curve is of trades and not of what was kept, where it is.
function rebuilt(whole) {
  if (!whole?.is_rebuilt) return null;
  return whole.first_kept_at == null ? Infinity : Date.parse(whole.first_kept_at);
}

function drawCurve() {
  if (!asked.history) return;
  if (asked.history.points.length < 2 || asked.history.points.every((point) => point.equity === "0")) {
    curve.lack("The curve begins with the first snapshots; bursar serve keeps one every quarter of an hour.");
    return;
  }
  curve.show(asked.history.points, Date.now() - RANGES[range][0], rebuilt(asked.whole));
}

function drawViews() {
  const { snapshot, pnl, exposure } = live.views;
  if (!snapshot) return;
  panels.equity($("equity"), snapshot, { base: asked.holdings?.base, coverage: asked.full?.coverage, ask });
  const figure = panels.figure, of = (value, parts, formula) => told(value, formula, parts);
  const drawdown = asked.whole?.drawdown, fall = downwards(drawdown?.current_pct.value ?? null), worst = drawdown?.max_pct.value;
  cards.set("Drawdown", figure(percent(fall), fall, { colour: false, why: () => ask("Drawdown", { figure: "drawdown" }) }),
    worst == null ? drawdown?.current_pct.reason ?? "" : figure(`worst ${percent(downwards(worst))} · peak ${money(drawdown.peak, { places: 0 })}`, worst, { colour: false,
      why: () => ask("Worst drawdown", of(worst, [["peak of equity", drawdown.peak], ["now below its peak, %", drawdown.current_pct.value], ["regained of the deepest open fall, %", drawdown.recovery_pct.value]], "max_pct = the deepest fall of equity from a peak, in percent of it")) }));
  cards.set("Gross exposure", figure(money(exposure.total_exposure, { places: 0 }), exposure.total_exposure, { colour: false,
    why: () => ask("Gross exposure", of(exposure.total_exposure, Object.entries(exposure.exposure_by_symbol), "gross = Σ |notional|, by symbol")) }), exposure.exposure_pct_of_equity == null ? "" : `${percent(exposure.exposure_pct_of_equity, { places: 1 })} of equity`);
  cards.set("Net exposure", figure(money(exposure.net_exposure, { places: 0 }), exposure.net_exposure, { colour: false,
    why: () => ask("Net exposure", of(exposure.net_exposure, [["long", exposure.long_exposure], ["short, taken off", exposure.short_exposure]], "net = long − short")) }), `${snapshot.num_positions} position${Number(snapshot.num_positions) === 1 ? "" : "s"}`);
  cards.set("Realised", figure(money(pnl.realized_pnl_total, { signed: true }), pnl.realized_pnl_total, { why: () => ask("Realised", { figure: "realized" }) }),
    figure(`unrealised ${money(pnl.unrealized_pnl, { signed: true })}`, pnl.unrealized_pnl, { colour: false,
      why: () => ask("Unrealised", of(pnl.unrealized_pnl, snapshot.positions.map((each) => [each.symbol, each.unrealized_pnl]), "unrealised = Σ (value − cost) of what is held")) }), true);
  cards.set("Cash", figure(money(snapshot.cash_balance), snapshot.cash_balance, { colour: false,
    why: () => ask("Cash", of(snapshot.cash_balance, (asked.holdings?.items ?? []).filter((each) => each.is_cash).map((each) => [each.asset, each.quantity]), "cash = settled base currency and what is pegged to it")) }), asked.holdings?.base ?? "", true);
  cards.doubt(MARKED, asked.full?.coverage);
  drawPictures();
  const now = [snapshot.cash_balance, pnl.realized_pnl_total, ...snapshot.positions.map((each) => each.symbol + each.size)].join();
  if (now === ground) return;
  [ground, groundAt] = [now, performance.now()];
  pictures();
  refresh();
}

// Pictures change by less than a pixel from one publication to the next, but where something was traded:
// then they are drawn at once, without the parts of equity that were told before.
const drawPictures = paced(pictures, PICTURE_MS);
function pictures() {
  const { snapshot, exposure } = live.views;
  panels.exposure($("exposure"), exposure, asked.holdings, { ask, isOld: asked.heldAt < groundAt });
  curve.tip(snapshot.total_equity, snapshot.timestamp);
}

const lots = async () => JSON.parse(await (await live.file("export", { format: "json", what: "lots" })).text()).lots;

function drawFeed() { eventAt = feed($("feed"), asked.trades, asked.flows, ask) ?? eventAt; }

// The panels appear together, once they have what is in them, or soon in any case: nothing jumps.
function reveal() { document.body.dataset.drawn = ""; }

const downwards = (value) => (value == null || value === "0" ? value : `-${value}`);

function drawAsked() {
  const { performance, week, month, holdings, allocation, decision, breaks, days, months, full } = asked;
  const made = (name, found) => {
    const value = found?.made.value ?? null;
    const tree = told(value ?? found?.made.reason, "made = equity at the end − equity at the start − capital that came between", [
      ["equity at the end", found?.equity_end.value, found?.closed_at], ["equity at the start, taken off", found?.equity_start.value, found?.opened_at], ["capital between, taken off", found?.flows.value]]);
    const isLate = found && Date.parse(found.opened_at) - Date.parse(found.window.start) > DAY; // the curve is not known from the start
    cards.set(name, panels.figure(money(value, { signed: true }), value, { why: () => ask(name, tree) }), value == null ? found?.made.reason ?? "" :
      panels.figure(`${isLate ? `since ${day(found.opened_at)} · ` : ""}${percent(found.twr_pct.value, { signed: true })} time-weighted`, found.twr_pct.value, { colour: false, why: () => ask(`${name}, time-weighted`,
        told(found.twr_pct.value ?? found.twr_pct.reason, "time-weighted return = Π (1 + return between two flows) − 1, in percent", [["money-weighted, %", found.mwr_pct.value ?? found.mwr_pct.reason], ["moments", String(found.moments)]])) }));
  };
  made("This week", week);
  made("This month", month);
  const sharpe = performance?.ratios.sharpe;
  cards.set("Sharpe", panels.figure(money(sharpe?.value), sharpe?.value, { colour: false, title: sharpe?.reason, why: () => ask("Sharpe",
    told(sharpe?.value ?? sharpe?.reason, "Sharpe = mean excess daily return ÷ its deviation × √periods a year", [["daily returns", String(performance?.ratios.returns)],
      ["periods a year", String(performance?.conventions.periods)], ["risk-free rate, % a year", performance?.conventions.risk_free_pct], ["volatility, % a year", performance?.ratios.volatility_pct.value]])) }),
    sharpe?.value == null ? sharpe?.reason ?? "" : `${range}, of ${performance.ratios.returns} daily returns`);
  $("portfolio").textContent = `${holdings.portfolio} · ${holdings.base}`;
  document.title = `${holdings.portfolio} · bursar`;
  panels.holdings($("positions"), holdings, ask, lots);
  capital($("strategies"), allocation, decision.decision, ask);
  plan.show(holdings);
  drift($("drift"), breaks, ask);
  badges($("badges"), { coverage: full.coverage, held: holdings, breaks, ask });
  drawFeed();
  reveal();
  if (days.cells.length) calendar($("calendar"), { days, months, read: $("calendar-read"), ask: (name, cell, parts) => ask(name, told(cell.pnl, `realised in ${name} = Σ of ${cell.records} records`, parts)) });
  else fill($("calendar"), element("p.empty", {}, "Nothing was realised yet; the first sale shows here."));
}

// One refresh at a time, soon after something has happened; what fails leaves the figures as they were.
function refresh() { pending ??= setTimeout(ask_again, SOON_MS); }

async function ask_again() {
  if (isAsking) { pending = setTimeout(ask_again, SOON_MS); return; }
  pending = null;
  isAsking = true;
  try {
    const few = { limit: "16" }, heldAt = performance.now();
    const [trades, flows, holdings] = await Promise.all([live.ask("trades", few), live.ask("cash-flows", few), live.ask("holdings")]);
    Object.assign(asked, { trades, flows, holdings, heldAt });
    if (asked.days) { drawFeed(); panels.holdings($("positions"), holdings, ask, lots); }
    const wait = asked.days ? asked.at + asked.pause - Date.now() : 0;
    if (wait <= 0) await askSlow();
    else later ??= setTimeout(() => { later = null; refresh(); }, wait);
    drawAsked();
    drawViews();
    pictures();
    drawState();
  } catch (error) {
    if (live.state === "live") $("foot").textContent = `Not everything could be asked: ${error.message}`;
  } finally {
    isAsking = false;
  }
}

// What rests on all of the past is asked a tenth of the time at most, and the past itself when it grew.
async function askSlow() {
  const period = RANGES[range][1], began = performance.now(), flow = asked.flows.items[0]?.id;
  const isPast = asked.history && asked.flow === flow && Date.now() - asked.historyAt < PAST_MS;
  const [history, whole, ofRange, week, month, allocation, decision, breaks, days, months, full] = await Promise.all([
    isPast ? asked.history : live.ask("history", { period: "all" }), live.ask("performance", { period: "all" }), live.ask("performance", { period }), live.ask("performance", { period: "week" }), live.ask("performance", { period: "month" }),
    live.ask("allocation"), live.ask("decision"), live.ask("breaks"), live.ask("heatmap", { kind: "day" }), live.ask("heatmap", { kind: "month" }), live.ask("snapshot", { detail: "full" }),
  ]);
  Object.assign(asked, { history, whole, performance: ofRange, week, month, allocation, decision, breaks, days, months, full, at: Date.now() });
  asked.pause = Math.max(PAUSE_MS, 10 * (performance.now() - began));
  if (isPast) return;
  Object.assign(asked, { flow, historyAt: Date.now() });
  drawCurve();
}

function drawState() {
  const quiet = (Date.now() - live.heardAt) / 1000;
  document.body.dataset.state = live.state;
  const last = eventAt ? ` · last event ${age((Date.now() - Date.parse(eventAt)) / 1000)} ago` : "";
  const said = { connecting: "connecting", live: "live", outage: "offline", refused: "not let in" }[live.state];
  if ($("state-word").textContent !== said) $("state-word").textContent = said; // told aloud, so only when it is news
  $("state-age").textContent = { live: last, outage: ` ${age(quiet)}` }[live.state] ?? "";
  $("outage").hidden = live.state !== "outage";
  const wrong = live.heardAt ? `No connection. These figures are of ${clock(live.heardAt)}; trying again.` : "The service does not answer; trying again.";
  if ($("outage").textContent !== wrong) $("outage").textContent = wrong;
  $("ask").hidden = live.state !== "refused";
}

live.addEventListener("views", paced(drawViews, FRAME_MS));
live.addEventListener("state", () => { drawState(); if (live.state === "live") refresh(); });
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  live.admit($("token").value.trim());
  $("token").value = "";
});
$("why").addEventListener("click", (event) => { if (event.target === $("why")) $("why").close(); });

reportMenu(live, $("report"), () => ({ range, strategies: (asked.allocation?.items ?? []).map((each) => each.strategy).filter((name) => name !== "manual") }));
exportMenu(live, $("positions-title"), ["holdings", "lots"]);
exportMenu(live, $("calendar-title"), ["trades"]);
exportMenu(live, $("feed-title"), ["trades", "flows", "journal"]);
drawRange();
live.connect();
setTimeout(reveal, REVEAL_MS);
setInterval(() => { drawState(); panels.ages(); }, 1_000);
setInterval(() => { if (live.state === "live" && !document.hidden) refresh(); }, SLOW_MS);
