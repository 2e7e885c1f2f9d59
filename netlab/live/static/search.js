// Search by name or address; it finds what is in a folded network, too.

import { html } from "./page.js";

const MOST = 8;

export class Search {
  constructor(view) {
    this.view = view;
    this.list = html("div", { className: "netlab-menu", role: "listbox", id: `netlab-found-${view.id}`, hidden: true });
    this.field = html("input", {
      type: "search",
      className: "netlab-search",
      placeholder: view.texts.search,
      ariaLabel: view.texts.search,
      autocomplete: "off",
      spellcheck: false,
      oninput: () => this.#look(),
      onkeydown: (event) => this.#press(event),
      onblur: () => (this.list.hidden = true),
    });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": this.list.id })) {
      this.field.setAttribute(name, value);
    }
    this.root = html("div", { className: "netlab-menu-place" }, this.field, this.list);
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  /** The elements whose name begins with the words, then those with the words in their label. */
  #found() {
    const wanted = this.field.value.trim().toLowerCase();
    if (!wanted) return [];
    const rank = ({ name, label }) => {
      if (name.toLowerCase() === wanted) return 0;
      if (name.toLowerCase().startsWith(wanted)) return 1;
      return name.toLowerCase().includes(wanted) ? 2 : label.toLowerCase().includes(wanted) ? 3 : 4;
    };
    const ranked = Object.entries(this.view.canvas.elements).map(([id, element]) => [rank(element), id, element]);
    const places = (id) => (id.startsWith("place/") ? 0 : 1);
    return ranked
      .filter(([at]) => at < 4)
      .sort((one, other) => one[0] - other[0] || places(one[1]) - places(other[1]))
      .slice(0, MOST);
  }

  #look() {
    this.ids = this.#found().map(([, id]) => id);
    this.at = 0;
    const { elements } = this.view.canvas;
    const rows = this.ids.map((id, at) =>
      html(
        "div",
        { className: "netlab-row", role: "option", id: `${this.list.id}-${at}`, onpointerdown: (event) => this.#choose(event, id) },
        html("b", {}, elements[id].name),
        html("span", { className: "netlab-quiet netlab-grow" }, elements[id].label),
      ),
    );
    const nothing = html("p", { className: "netlab-quiet" }, this.view.texts.notFound);
    this.list.replaceChildren(...(rows.length ? rows : [nothing]));
    this.list.hidden = !this.field.value.trim();
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    this.#point();
  }

  #point() {
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === this.at)));
    this.field.setAttribute("aria-activedescendant", this.ids?.length ? `${this.list.id}-${this.at}` : "");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  #press(event) {
    event.stopPropagation();
    if (event.isComposing) return; // Enter ends a Japanese word first
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.ids?.length) {
      event.preventDefault();
      this.at = (this.at + step + this.ids.length) % this.ids.length;
      this.#point();
    } else if (event.key === "Enter" && this.ids?.length) {
      this.#choose(event, this.ids[this.at]);
    } else if (event.key === "Escape") {
      this.field.value = "";
      this.#look();
      this.view.keyboard.focus(this.view.keyboard.current);
    }
  }

  #choose(event, id) {
    event.preventDefault();
    this.field.value = "";
    this.#look();
    this.view.find(id);
  }
}
