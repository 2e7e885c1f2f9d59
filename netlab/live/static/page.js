// Small helpers that every part of the page uses.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element; a key "onclick" listens, a key in camelCase ("ariaLabel") sets what the browser calls so. */
export function html(tag, { dataset = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A command as code: a line may end between its words only, not in the middle of "-c" or of a name. */
export function code(text, properties = {}) {
  const words = text.split(" ").map((word) => html("span", { className: "netlab-word" }, word));
  return html("code", properties, ...words.flatMap((word, number) => (number ? [" ", word] : [word])));
}

/** Whether the reader asked the system for less movement. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Put values into a text: fill("{count} newer", {count: 3}). */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

const ICONS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  fold: "M3 4h10v8H3zM6 8h4",
  present: "M2.5 3.5h11v7h-11zM8 10.5v3M5.5 13.5h5",
  save: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  back: "M10 3.5 5.5 8l4.5 4.5",
  forward: "M6 3.5 10.5 8 6 12.5",
  list: "M3 4.5h10M3 8h10M3 11.5h10",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  done: "M3 8.5 6.5 12 13 4.5",
};

/** Draw one of the toolbar's signs; it says nothing to a screen reader. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: "netlab-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** A button with a sign, named for the mouse and for screen readers. */
export function iconButton(name, label, onclick) {
  return html("button", { type: "button", className: "netlab-button", title: label, ariaLabel: label, onclick }, icon(name));
}

/** Put a text on the clipboard, also where the page is not served over https. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = html("textarea", { value: text, className: "netlab-unseen" });
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    before?.focus();
  }
}

/** A button that copies what `text()` gives and says so for a moment. */
export function copyButton(texts, text) {
  const button = iconButton("copy", texts.copy, async () => {
    await copy(text());
    button.replaceChildren(icon("done"));
    button.ariaLabel = button.title = texts.copied;
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.ariaLabel = button.title = texts.copy;
    }, 1500);
  });
  return button;
}
