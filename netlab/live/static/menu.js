// A small list that opens under a button, and closes with Escape or a click elsewhere.

import { html } from "./page.js";

export class Menu {
  /** `fillIn(list)` puts in what is to be seen, each time that it opens. */
  constructor(button, label, fillIn, upwards = false) {
    this.button = button;
    this.list = html("div", { className: `netlab-menu${upwards ? " netlab-up" : ""}`, role: "group", ariaLabel: label, hidden: true });
    this.root = html("div", { className: "netlab-menu-place" }, button, this.list);
    this.fillIn = fillIn;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => (this.list.hidden ? this.open() : this.close()));
    this.root.addEventListener("keydown", (event) => this.#press(event));
    this.elsewhere = (event) => this.root.contains(event.target) || this.close();
  }

  open() {
    this.#show(true);
    this.fillIn(this.list);
    document.addEventListener("pointerdown", this.elsewhere, true);
    (this.list.querySelector('[aria-current="true"]') ?? this.list.querySelector("button"))?.focus();
  }

  close() {
    this.#show(false);
    document.removeEventListener("pointerdown", this.elsewhere, true);
  }

  /** What is in the list has changed; whoever has it open sees it. */
  refresh() {
    if (this.list.hidden) return;
    const at = [...this.list.querySelectorAll("button")].indexOf(document.activeElement);
    this.fillIn(this.list);
    if (at >= 0) this.list.querySelectorAll("button")[at]?.focus();
  }

  #show(open) {
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
  }

  #press(event) {
    if (this.list.hidden) return;
    const rows = [...this.list.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      rows[(rows.indexOf(document.activeElement) + step + rows.length) % rows.length]?.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      this.button.focus();
    }
  }
}
