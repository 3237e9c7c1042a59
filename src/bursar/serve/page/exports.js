// What leaves as a file: a panel's tables and the report, by the service's own routes. A file is
// asked for as everything is, token and all, and handed to the browser to keep.

import { element } from "./exact.js";

const FORMATS = ["csv", "json", "ndjson"], RULES = ["wac", "fifo", "lifo", "hifo", "specific"];
const SAID_MS = 4_000, KEPT_MS = 60_000;

export function exportMenu(live, place, tables) {
  const choice = (what, format) => element("button", { type: "button", "aria-label": `${what} as ${format.toUpperCase()}`,
    onclick: (event) => save(event.currentTarget, `bursar-${what}.${format}`, () => live.file("export", { format, what })) }, format.toUpperCase());
  place.append(menu("Export", element("ul", { tabindex: -1 }, tables.map((what) => element("li", {}, element("span", {}, what), FORMATS.map((format) => choice(what, format)))))));
}

// The report of the range that is shown: of all or of one strategy, by the book's rule or another.
// `shown()` tells the range and the strategies there are.
export function reportMenu(live, place, shown) {
  const range = element("output"), strategy = element("select"), rule = element("select", {}, option("", "of the book"), RULES.map((name) => option(name, name)));
  const row = (name, field) => element("label", {}, element("span", {}, name), field);
  const choice = (format) => element("button", { type: "button", "aria-label": `Report as ${format.toUpperCase()}`, onclick: (event) => {
    const asked = { format, range: shown().range, ...(strategy.value && { strategy: strategy.value }), ...(rule.value && { method: rule.value }) };
    save(event.currentTarget, ["bursar-report", asked.range, strategy.value, rule.value].filter(Boolean).join("-").replace(/[^\w-]+/g, "_") + `.${format}`, () => live.file("report/file", asked));
  } }, format.toUpperCase());
  const made = menu("Report", element("div.fields", { tabindex: -1 }, row("Range", range), row("Strategy", strategy), row("Lot rule", rule),
    element("p", {}, element("span", {}, "Save as"), choice("html"), choice("pdf"))));
  made.addEventListener("toggle", () => {
    const chosen = strategy.value, found = shown();
    range.textContent = found.range;
    strategy.replaceChildren(option("", "all"), ...found.strategies.map((name) => option(name, name)));
    strategy.value = found.strategies.includes(chosen) ? chosen : "";
  });
  place.append(made);
}

const option = (value, text) => element("option", { value }, text);

function menu(name, content) {
  const made = element("details.menu", {}, element("summary", {}, name), content);
  made.addEventListener("keydown", (event) => { if (event.key === "Escape") { made.open = false; made.firstChild.focus(); } });
  made.addEventListener("focusout", (event) => { if (!made.contains(event.relatedTarget)) made.open = false; });
  return made;
}

// While it is made the button is busy; what went wrong stands in it for a while.
async function save(button, name, asked) {
  if (button.ariaBusy === "true") return;
  const told = button.textContent;
  button.ariaBusy = "true";
  try {
    const link = element("a", { download: name, href: URL.createObjectURL(await asked()) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
  } catch (error) {
    button.textContent = error.message;
    setTimeout(() => { button.textContent = told; }, SAID_MS);
  } finally {
    button.ariaBusy = "false";
  }
}
