// Why: a figure opened to the entries, marks and formula behind it, in a dialog.

import { $, DASH, element, isNumber, quantity } from "./exact.js";

const SHOWN = 200;

export function openWhy(live, title, ask) {
  const dialog = $("why"), body = $("why-body");
  $("why-title").textContent = title;
  body.replaceChildren(element("p.note", {}, "Asking …"));
  if (!dialog.open) dialog.showModal();
  Promise.resolve(ask.tree ?? live.ask("why", ask)).then(
    (found) => body.replaceChildren(tree(found, true)),
    (error) => body.replaceChildren(element("p.note", {}, error.message)),
  );
}

function tree(node, isFirst = false) {
  const label = node.formula ?? node.name;
  const value = element("span.why-value", { title: node.value }, isNumber(node.value) ? quantity(node.value, Infinity) : node.value ?? DASH);
  const line = [value, element("span.why-label", {}, label), node.source ? element("span.why-source", {}, node.source) : null];
  const parts = node.parts ?? [];
  if (!parts.length) return element("div.why-leaf", {}, ...line);
  const rows = (node.isTold ? parts : parts.slice(-SHOWN).reverse()).map((part) => element("li", {}, tree(part)));
  const more = parts.length > SHOWN && !node.isTold ? element("li.note", {}, `${parts.length - SHOWN} earlier parts; bursar why shows all`) : null;
  return element("details", { open: isFirst }, element("summary", {}, ...line), element("ul", {}, ...rows, more));
}

// What the API has told already, opened the same way: the parts are its own figures.
export const told = (value, formula, parts) => ({
  tree: { value, formula, isTold: true, parts: parts.map(([name, part, source]) => ({ name, value: part, source })) },
});
