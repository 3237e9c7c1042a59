// Figures, digit for digit. They arrive as text and are shown from text: a JavaScript number would
// not hold them. Where a figure is drawn, its pixels may come from a float; what is read may not.

export const DASH = "—";

// Numbers become their own text before JSON.parse sees them; what stands in quotes stays.
export const exact = (text) =>
  JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g,
    (each) => (each[0] === '"' ? each : `"${each}"`)));

export const isNumber = (value) => /^-?\d+(\.\d+)?$/.test(String(value ?? ""));
export const sign = (value) => (!isNumber(value) || /^-?[0.]+$/.test(value) ? 0 : value[0] === "-" ? -1 : 1);

// Round half away from zero to some places, on the digits alone.
export function rounded(value, places) {
  const negative = value[0] === "-";
  const [whole, rest = ""] = value.replace("-", "").split(".");
  const kept = BigInt(whole + rest.padEnd(places, "0").slice(0, places));
  const up = rest.length > places && rest[places] >= "5" ? 1n : 0n;
  const digits = String(kept + up).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return negative && /[1-9]/.test(text) ? `-${text}` : text;
}

const grouped = (text) => {
  const [whole, rest] = text.split(".");
  const told = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return rest === undefined ? told : `${told}.${rest}`;
};

// Money to the cent, a real minus, and the sign said where it matters.
export function money(value, { signed = false, places = 2 } = {}) {
  if (!isNumber(value)) return value == null ? DASH : String(value);
  const told = grouped(rounded(value, places).replace("-", ""));
  const way = sign(rounded(value, places));
  return `${way < 0 ? "−" : signed && way > 0 ? "+" : ""}${told}`;
}

export const percent = (value, { signed = false, places = 2 } = {}) =>
  (isNumber(value) ? `${money(value, { signed, places })} %` : money(value));

// A quantity or a price keeps its digits, up to eight places; where a figure is opened, all of them.
export function quantity(value, places = 8) {
  if (!isNumber(value)) return value == null ? DASH : String(value);
  const short = (value.split(".")[1] ?? "").length > places ? rounded(value, places) : value;
  const plain = short.includes(".") ? short.replace(/\.?0+$/, "") : short;
  return `${plain[0] === "-" ? "−" : ""}${grouped(plain.replace("-", ""))}`;
}

// A fraction such as 0.2667 as percent: the point moves, no digit changes.
export function share(value) {
  if (!isNumber(value)) return DASH;
  const [whole, rest = ""] = value.replace("-", "").split(".");
  const moved = `${whole}${rest.padEnd(2, "0").slice(0, 2)}`.replace(/^0+(?=\d)/, "");
  const left = rest.slice(2);
  return percent((value[0] === "-" ? "-" : "") + (left ? `${moved}.${left}` : moved), { places: 1 });
}

// Percent as it is typed, 26.5, as the fraction 0.265; what is no number is null.
export function fraction(text) {
  const told = text.trim().replace(",", ".").replace(/\.?\s*%?$/, "");
  if (!isNumber(told)) return null;
  const [whole, rest = ""] = told.replace("-", "").split(".");
  const moved = whole.padStart(3, "0");
  return `${told[0] === "-" ? "-" : ""}${moved.slice(0, -2).replace(/^0+(?=\d)/, "")}.${moved.slice(-2)}${rest}`;
}

export const arrow = (value) => ({ "-1": "▼", 0: "", 1: "▲" })[sign(value)];
export const tone = (value) => ({ "-1": "down", 0: "", 1: "up" })[sign(value)];

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
export function age(seconds) {
  if (!Number.isFinite(seconds)) return DASH;
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ["s", 1];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}
export const since = (time) => (Date.now() - Date.parse(time)) / 1000;

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" });
export const day = (time) => DATE.format(new Date(time));
export const clock = (time) => CLOCK.format(new Date(time));

// element("td.num", { title }, child …): what the page is made of. No markup is ever parsed.
export function element(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const isSvg = attributes.xmlns !== undefined;
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  if (classes.length) made.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "xmlns" || value == null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}
export const svg = (name, attributes = {}, ...children) => element(name, { xmlns: "", ...attributes }, ...children);
export const $ = (id) => document.getElementById(id);

// Put new children into a box; who was at a button of it stays at the one of that name and place.
export function fill(box, ...children) {
  const active = document.activeElement, at = box.contains(active) && active.matches("button") ? spot(active) : null;
  box.replaceChildren(...children.filter((child) => child != null));
  if (at === null) return;
  const buttons = [...box.querySelectorAll("button")];
  (buttons.find((button) => spot(button) === at) ?? buttons[0])?.focus({ preventScroll: true });
}

function spot(button) {
  const row = button.closest("tr, li, .strategy"), name = row?.querySelector("b, th, .name")?.textContent ?? row?.dataset.id;
  return `${name} ${row ? [...row.querySelectorAll("button")].indexOf(button) : ""}`;
}

// Put a figure in its place, and show that it changed. Text that is the same is left alone.
const before = new WeakMap();
export function put(place, made, isEvent = false) {
  const text = [made.textContent, made.className, made.title, made.firstElementChild?.title].join();
  if (before.get(place) === text) return;
  if (isEvent && before.has(place)) made.classList.add("changed");
  const held = place.contains(document.activeElement);
  place.style.setProperty("--signs", made.textContent.length); // a long figure is set smaller: page.css
  place.replaceChildren(made);
  if (held) made.focus();
  before.set(place, text);
}

// However often it is called, it draws at most once in `every` ms, and never loses the last call.
// Where nobody looks nothing is drawn, until somebody does.
export function paced(draw, every) {
  let due = null, last = -Infinity;
  const now = () => {
    due = null;
    if (document.hidden) { document.addEventListener("visibilitychange", call, { once: true }); return; }
    last = performance.now();
    draw();
  };
  const call = () => { due ??= setTimeout(now, Math.ceil(Math.max(0, last + every - performance.now()))); };
  return call;
}
