// What has happened: one sentence at a time, with steps back and forth, and a list of all.

import { fill, html, iconButton } from "./page.js";
import { Menu } from "./menu.js";

const MOST = 200;
const LINES = 6;

export class History {
  constructor(view) {
    const { texts } = view;
    this.view = view;
    this.entries = [];
    this.at = null; // the entry that is shown; null: now
    this.newer = 0;
    this.back = iconButton("back", texts.back, () => this.#step(-1));
    this.forth = iconButton("forward", texts.forth, () => this.#step(1));
    this.sentence = html("p", { className: "netlab-sentence" });
    this.now = html("button", { type: "button", className: "netlab-now", hidden: true, onclick: () => this.#return() }, texts.now);
    const opener = iconButton("list", texts.history, () => {});
    this.menu = new Menu(opener, texts.history, (list) => this.#fillIn(list), true);
    this.root = html("div", { className: "netlab-history", role: "group", ariaLabel: texts.history });
    this.root.append(this.back, this.forth, this.sentence, this.now, this.menu.root);
    this.#say();
  }

  get isNow() {
    return this.at === null;
  }

  fillWith(entries) {
    this.entries = [...entries];
    this.#say();
  }

  add(entry) {
    this.entries.push(entry);
    if (this.entries.length > MOST) this.entries.shift();
    if (!this.isNow) this.newer += 1;
    this.#say();
  }

  /** Python no longer knows how the lab looked then. */
  forget(revision) {
    this.entries = this.entries.filter((entry) => entry.revision !== revision);
    this.#say();
  }

  arrive({ entry, revision }) {
    this.at = entry?.revision ?? revision;
    this.#say();
  }

  goNow() {
    this.at = null;
    this.newer = 0;
    this.#say();
  }

  #return() {
    this.view.ask("whole");
    this.back.focus();
  }

  #index() {
    const at = this.isNow ? -1 : this.entries.findIndex((entry) => entry.revision === this.at);
    return at < 0 ? this.entries.length - 1 : at;
  }

  #step(by) {
    const next = this.#index() + by;
    if (next >= this.entries.length - 1) this.view.ask("whole");
    else if (next >= 0) this.#show(this.entries[next]);
  }

  #show({ revision }) {
    this.view.ask("picture", { revision });
  }

  #say() {
    const { texts } = this.view;
    const index = this.#index();
    const entry = this.entries[index];
    disable(this.back, index <= 0 || !this.view.alive);
    disable(this.forth, this.isNow);
    this.now.hidden = this.isNow;
    this.now.textContent = this.newer ? fill(texts.nowNewer, { count: this.newer }) : texts.now;
    this.menu.root.hidden = this.entries.length < 2; // the first is how it began
    this.sentence.replaceChildren(
      ...(this.isNow ? [] : [html("b", {}, texts.then)]),
      ...this.#told(entry),
    );
    this.sentence.title = entry?.sentence ?? "";
    this.view.root?.classList.toggle("netlab-past", !this.isNow);
    this.view.panel.setPast(!this.isNow);
    this.menu.refresh();
  }

  #told(entry) {
    if (entry && (this.entries.length > 1 || !this.isNow)) return [this.#time(entry), entry.sentence];
    return this.view.alive ? [html("span", { className: "netlab-quiet" }, this.view.texts.nothingYet)] : [];
  }

  #time({ time }) {
    const shown = new Date(time).toLocaleTimeString(this.view.model.get("language"), { hour12: false });
    return html("time", { className: "netlab-quiet" }, shown);
  }

  #fillIn(list) {
    const index = this.#index();
    const rows = this.entries.map((entry, at) =>
      html(
        "button",
        { type: "button", className: "netlab-row", onclick: () => this.#choose(at), ariaCurrent: String(at === index) },
        this.#time(entry),
        html("span", { className: "netlab-grow" }, this.#all(entry)),
      ),
    );
    list.replaceChildren(...rows.reverse());
  }

  /** All sentences of a step, each in a line of its own; of very many, the first ones. */
  #all({ sentences }) {
    const more = sentences.length - LINES;
    const last = more > 0 ? [fill(this.view.texts.more, { count: more })] : [];
    return [...sentences.slice(0, LINES), ...last].join("\n");
  }

  #choose(at) {
    if (at === this.entries.length - 1) this.view.ask("whole");
    else this.#show(this.entries[at]);
  }
}

/** A button that cannot be used now keeps the focus, so that the keyboard is not thrown out. */
function disable(button, off) {
  button.setAttribute("aria-disabled", String(off));
}
