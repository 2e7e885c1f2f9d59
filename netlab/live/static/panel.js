// The panel beside the picture: all about the chosen element, the command that shows it, and what can be done with it.

import { code, copyButton, fill, html, iconButton } from "./page.js";

const PATIENCE = 700; // then the reader is told that the kernel is busy

export class Panel {
  constructor(view) {
    this.view = view;
    this.texts = view.texts;
    this.heading = html("h3", {});
    this.subtitle = html("p", { className: "netlab-quiet" });
    const close = iconButton("close", view.texts.close, (event) => this.#leave(event));
    this.past = html("p", { className: "netlab-quiet netlab-panel-now", hidden: true }, view.texts.panelNow);
    this.head = html("header", { className: "netlab-panel-head" }, this.heading, close, this.subtitle, this.past);
    this.content = html("div", { className: "netlab-panel-content" });
    this.root = html("aside", { className: "netlab-panel", ariaLabel: view.texts.panel, hidden: true }, this.head, this.content);
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.#leave(event));
    this.closed = new Map(); // sections that the reader has folded
  }

  /** Open for an element; what Python knows about it arrives in a moment. */
  open(id, element, alive) {
    if (this.id === id) return;
    this.id = id;
    this.said = null;
    this.root.hidden = false;
    this.#title(element?.name ?? id, element?.label ?? "");
    this.content.replaceChildren(...(alive ? [] : [html("p", { className: "netlab-quiet" }, this.texts.notAlive)]));
    clearTimeout(this.timer);
    if (alive) this.timer = setTimeout(() => this.#wait(), PATIENCE);
  }

  close() {
    clearTimeout(this.timer);
    this.id = null;
    this.root.hidden = true;
  }

  /** Show what Python says; the reader's place, and what has the focus, stay. */
  show(panel) {
    if (panel.id !== this.id) return;
    clearTimeout(this.timer);
    const focused = this.content.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const top = this.content.scrollTop;
    this.#title(panel.title, panel.subtitle);
    this.root.classList.toggle("netlab-panel-gone", Boolean(panel.gone));
    this.content.replaceChildren(
      ...(panel.gone ? [html("p", { className: "netlab-quiet" }, this.texts.gone)] : []),
      ...(panel.actions.length ? [html("div", { className: "netlab-actions" }, ...inOrder(panel.actions).map((one) => this.#action(one)))] : []),
      this.#outcome(),
      ...panel.sections.map((section) => this.#section(section)),
    );
    this.content.scrollTop = top;
    if (focused) (this.#keyed(focused) ?? this.content.querySelector(".netlab-action-run"))?.focus();
  }

  /** Say whether the picture beside it is of an earlier step. */
  setPast(isPast) {
    this.past.hidden = !isPast;
  }

  /** Show what became of an action. */
  outcome({ id, command, ok, text }) {
    if (id !== this.id) return;
    this.said = { command, ok, text };
    this.content.querySelector(".netlab-outcome")?.replaceWith(this.#outcome());
    this.view.speaker.say(`${ok ? this.texts.done : this.texts.failed} ${text}`);
  }

  #title(title, subtitle) {
    this.heading.textContent = title;
    this.subtitle.textContent = subtitle;
  }

  #wait() {
    this.content.replaceChildren(html("p", { className: "netlab-quiet" }, this.texts.busy));
  }

  #leave(event) {
    event.stopPropagation();
    const { id } = this;
    this.view.choose(null);
    this.view.keyboard.focus(id);
  }

  #keyed(key) {
    return [...this.content.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  }

  /** A button with its command beside it: seen before it is pressed. */
  #action({ action, label, command, where, kind }) {
    if (kind === "paste") {
      const shell = html("div", { className: "netlab-line" }, code(command), copyButton(this.texts, () => command));
      return html("div", { className: "netlab-paste" }, html("span", {}, label), shell);
    }
    const line = code(command, { className: "netlab-command" });
    const run = html("button", { type: "button", className: "netlab-action-run", dataset: { key: `act ${action}` } }, label);
    run.addEventListener("click", () => {
      this.said = { command, waiting: true };
      this.content.querySelector(".netlab-outcome")?.replaceWith(this.#outcome());
      this.view.ask("act", { id: this.id, action });
    });
    line.title = where ? fill(this.texts.where, { where }) : "";
    return html("div", { className: "netlab-action" }, run, line);
  }

  #outcome() {
    const { said } = this;
    const box = html("div", { className: "netlab-outcome", hidden: !said });
    if (!said) return box;
    box.classList.add(said.waiting ? "netlab-waiting" : said.ok ? "netlab-ok" : "netlab-failed");
    const word = said.waiting ? this.texts.waiting : said.ok ? this.texts.done : this.texts.failed;
    box.append(html("b", {}, `${said.waiting ? "…" : said.ok ? "✓" : "✕"} ${word}`), code(said.command));
    if (said.text) box.append(html("pre", {}, said.text));
    return box;
  }

  #section({ title, command, line, columns, rows, empty }) {
    const key = `section ${title}`;
    const head = html("summary", { dataset: { key } }, title, html("span", { className: "netlab-count" }, rows.length ? String(rows.length) : ""));
    const shell = html("div", { className: "netlab-line" }, code(command, { title: line }), copyButton(this.texts, () => line));
    const table = rows.length ? this.#table(title, columns, rows) : html("p", { className: "netlab-quiet" }, empty);
    const section = html("details", { open: this.closed.get(key) ?? rows.length > 0 }, head, shell, table);
    section.addEventListener("toggle", () => this.closed.set(key, section.open));
    return section;
  }

  #table(title, columns, rows) {
    const heads = columns.some(Boolean) ? columns.map((name) => html("th", { scope: "col" }, name)) : [];
    const lines = rows.map((cells) => html("tr", {}, ...cells.map((cell) => html("td", { className: isProse(cell) ? "netlab-prose" : "" }, cell))));
    const table = html("table", { ariaLabel: title }, html("thead", {}, html("tr", {}, ...heads)), html("tbody", {}, ...lines));
    return html("div", { className: "netlab-table", tabIndex: 0, role: "group", ariaLabel: title }, table);
  }
}

/** Whether a cell is so long, such as a rule, that it is better read in several lines than scrolled. */
function isProse(cell) {
  return cell.length > 24 && cell.includes(" ");
}

/** What can be done here first, then the lines for a terminal. */
function inOrder(actions) {
  return [...actions.filter(({ kind }) => kind === "run"), ...actions.filter(({ kind }) => kind !== "run")];
}
