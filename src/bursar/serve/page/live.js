// What the service tells: views over the WebSocket as they change, everything else over REST.
// A connection that is lost goes on after the last publication it heard (`?seq=`).

import { exact } from "./exact.js";

const FIRST_RETRY_MS = 400, LAST_RETRY_MS = 8_000, SILENCE_MS = 20_000;

export class Live extends EventTarget {
  constructor() {
    super();
    this.views = {};
    this.seq = null;
    this.heardAt = 0;
    this.state = "connecting";
    this.retry = FIRST_RETRY_MS;
    addEventListener("online", () => this.hurry());
    setInterval(() => this.#watch(), 1_000);
  }

  get token() { return sessionStorage.getItem("token"); }

  admit(token) {
    sessionStorage.setItem("token", token);
    this.seq = null;
    this.connect();
  }

  connect() {
    clearTimeout(this.again);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = this.seq === null ? "" : `?seq=${this.seq}`;
    const socket = this.socket = new WebSocket(`${scheme}://${location.host}/ws/portfolio${after}`);
    socket.onopen = () => { if (this.token) socket.send(JSON.stringify({ type: "auth", token: this.token })); };
    socket.onmessage = (event) => this.#heard(exact(event.data));
    socket.onclose = (event) => { if (socket === this.socket) this.#lost(event); };
  }

  hurry() { if (this.state === "outage") { this.retry = FIRST_RETRY_MS; this.connect(); } }

  ask(path, query = {}) { return this.#fetch(path, query); }

  // What is asked with a document; nothing that the page asks for is written.
  tell(path, body) {
    return this.#fetch(path, {}, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  }

  async file(path, query) {
    const answer = await fetch(`/api/portfolio/${path}?${new URLSearchParams(query)}`, { headers: this.#bearer() });
    if (!answer.ok) throw await refusal(answer);
    return answer.blob();
  }

  #bearer() { return this.token ? { authorization: `Bearer ${this.token}` } : {}; }

  async #fetch(path, query, asked = {}) {
    const told = new URLSearchParams({ decimals: "string", ...query });
    const answer = await fetch(`/api/portfolio/${path}?${told}`, { ...asked, headers: { ...asked.headers, ...this.#bearer() } });
    if (!answer.ok) throw await refusal(answer);
    return answer.json();
  }

  #heard(told) {
    this.retry = FIRST_RETRY_MS;
    this.heardAt = Date.now();
    this.seq = told.seq;
    if (told.type === "portfolio.snapshot") this.views = told.data;
    if (told.type === "portfolio.delta") {
      for (const [name, change] of Object.entries(told.data)) this.views = { ...this.views, [name]: merged(this.views[name], change) };
    }
    const was = this.state;
    this.state = "live";
    if (was !== "live") this.dispatchEvent(new CustomEvent("state", { detail: was }));
    if (told.type !== "portfolio.resumed") this.dispatchEvent(new Event("views"));
  }

  #lost(event) {
    const was = this.state;
    this.state = event.code === 1008 ? "refused" : "outage";
    if (this.state === "refused") sessionStorage.removeItem("token");
    else {
      this.again = setTimeout(() => this.connect(), this.retry * (0.75 + Math.random() / 2));
      this.retry = Math.min(this.retry * 2, LAST_RETRY_MS);
    }
    if (was !== this.state) this.dispatchEvent(new CustomEvent("state", { detail: was }));
  }

  // The service publishes every few seconds whatever happens; silence is an outage nobody told us of.
  #watch() {
    if (this.state === "live" && Date.now() - this.heardAt > SILENCE_MS) this.socket.close();
  }
}

async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  return new Error(body?.error?.message ?? body?.message ?? body?.detail ?? `status ${answer.status}`);
}

const named = (row) => `${row.symbol} ${row.side}`;

// A table has only the entries that changed, and `gone` the names of those that are no more.
function merged(view, { set, gone }) {
  const after = { ...view };
  for (const [name, value] of Object.entries(set)) {
    const before = view?.[name];
    if (Array.isArray(value)) {
      const rows = new Map((before ?? []).map((row) => [named(row), row]));
      for (const row of value) rows.set(named(row), row);
      after[name] = [...rows.values()];
    } else if (value && typeof value === "object") after[name] = { ...before, ...value };
    else after[name] = value;
  }
  for (const [name, keys] of Object.entries(gone ?? {})) {
    const lost = new Set(keys);
    if (Array.isArray(after[name])) after[name] = after[name].filter((row) => !lost.has(named(row)));
    else after[name] = Object.fromEntries(Object.entries(after[name]).filter(([key]) => !lost.has(key)));
  }
  return after;
}
