// The quiet row above the picture: what lab it is and how it is; search, zoom, folding, the large view, saving.

import { html, iconButton } from "./page.js";
import { Menu } from "./menu.js";
import { savePng, saveSvg } from "./saving.js";

const CLOSER = 1.4;

export class Toolbar {
  constructor(view) {
    const { texts, camera } = view;
    this.view = view;
    this.texts = texts;
    this.state = html("span", { className: "netlab-state" });
    const zoom = html(
      "div",
      { className: "netlab-group", role: "group", ariaLabel: texts.zoom },
      iconButton("minus", texts.zoomOut, () => camera.zoom(1 / CLOSER)),
      iconButton("plus", texts.zoomIn, () => camera.zoom(CLOSER)),
      iconButton("fit", texts.fit, () => camera.fit()),
    );
    this.present = iconButton("present", texts.present, () => this.#present());
    this.save = new Menu(iconButton("save", texts.save, () => {}), texts.save, (list) => this.#fillIn(list));
    this.root = html(
      "div",
      { className: "netlab-bar", role: "toolbar", ariaLabel: texts.tools },
      html("b", { className: "netlab-name" }, view.model.get("lab")),
      this.state,
      html("span", { className: "netlab-grow" }),
      view.search.root,
      zoom,
      view.folding.root,
      this.save.root,
      this.present,
    );
  }

  setState(state) {
    this.state.textContent = this.texts[`state_${state}`];
  }

  /** Fill the whole screen, with large letters; where the browser forbids that, the whole window. */
  async #present() {
    const { root } = this.view;
    if (root.classList.contains("netlab-large")) {
      this.#leave();
      return;
    }
    this.#enlarge(true);
    try {
      await root.requestFullscreen();
      root.onfullscreenchange = () => document.fullscreenElement || this.#enlarge(false);
    } catch {
      root.popover = "manual";
      root.showPopover();
    }
    this.view.camera.fit(false);
  }

  #leave() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#enlarge(false);
  }

  #enlarge(large) {
    const { root, camera, texts } = this.view;
    if (!large && root.popover) {
      root.hidePopover();
      root.popover = null;
    }
    root.classList.toggle("netlab-large", large);
    this.present.title = this.present.ariaLabel = large ? texts.leave : texts.present;
    this.present.setAttribute("aria-pressed", String(large));
    camera.largest = large ? 3 : 4 / 3;
    camera.fit(false);
    if (large) root.onkeydown = (event) => event.key === "Escape" && this.#leave();
    else root.onkeydown = null;
  }

  #fillIn(list) {
    const row = (label, save) =>
      html("button", { type: "button", className: "netlab-row", onclick: () => this.save.close() || save(this.view) }, label);
    list.replaceChildren(row("SVG", saveSvg), row("PNG", savePng));
  }
}
