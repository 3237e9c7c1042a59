// Export: a panel's tables as files, by the service's own export routes.

import { element } from "./exact.js";

const FORMATS = ["csv", "json", "ndjson"];

export function exportMenu(live, place, tables) {
  const save = async (what, format, button) => {
    const told = button.textContent;
    try {
      const link = element("a", { download: `bursar-${what}.${format}`, href: URL.createObjectURL(await live.file("export", { format, what })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      button.textContent = error.message;
      setTimeout(() => { button.textContent = told; }, 4_000);
    }
  };
  const choice = (what, format) => element("button", { type: "button", "aria-label": `${what} as ${format.toUpperCase()}`, onclick: (event) => save(what, format, event.currentTarget) }, format.toUpperCase());
  const menu = element("details.menu", {}, element("summary", {}, "Export"),
    element("ul", {}, tables.map((what) => element("li", {}, element("span", {}, what), FORMATS.map((format) => choice(what, format))))));
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
  menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
  place.append(menu);
}
