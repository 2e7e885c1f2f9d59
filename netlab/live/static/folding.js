// Folding: a network with its containers becomes one box with a count. Python folds; all views of the widget follow.

import { fill, html, icon, iconButton } from "./page.js";
import { Menu } from "./menu.js";

export class Folding {
  constructor(view) {
    this.view = view;
    this.networks = [];
    this.menu = new Menu(iconButton("fold", view.texts.fold), view.texts.fold, (list) => this.#fillIn(list));
    this.root = this.menu.root;
  }

  set(networks) {
    this.networks = networks ?? [];
    this.root.hidden = !this.networks.length;
    this.menu.refresh();
  }

  close() {
    this.menu.close();
  }

  #fillIn(list) {
    const { texts } = this.view;
    const row = ({ id, name, count, folded }) =>
      html(
        "button",
        { type: "button", className: "netlab-row", ariaPressed: String(folded), onclick: () => this.view.ask("fold", { id, folded: !folded }) },
        html("span", { className: "netlab-tick" }, folded ? icon("done") : ""),
        html("span", { className: "netlab-grow" }, name),
        html("span", { className: "netlab-quiet" }, fill(texts.containers, { count })),
      );
    const all = (folded, label) =>
      html("button", { type: "button", className: "netlab-text-button", onclick: () => this.view.ask("fold", { id: null, folded }) }, label);
    list.replaceChildren(
      html("p", { className: "netlab-quiet" }, texts.foldHelp),
      ...this.networks.map(row),
      html("div", { className: "netlab-row-end" }, all(true, texts.foldAll), all(false, texts.unfoldAll)),
    );
  }
}
