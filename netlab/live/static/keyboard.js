// The keyboard: one element of the picture is in the order of Tab; the arrow keys lead to its neighbours.

import { svg } from "./page.js";

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Keys in the picture of one view. */
export class Keyboard {
  constructor(view) {
    this.view = view;
    this.current = null;
    this.ring = svg("g", { class: "netlab-focus" });
    view.canvas.above.append(this.ring);
    const { stage } = view; // not the SVG element: with these listeners it would be a stop of its own for Tab
    stage.addEventListener("keydown", (event) => this.#press(event));
    stage.addEventListener("focusin", (event) => this.#arrive(event.target.closest("[data-id]")?.dataset.id));
    stage.addEventListener("focusout", () => this.ring.replaceChildren());
    this.held = false; // whether the picture had the focus before what is changing now
  }

  /** Remember before a change whether the focus is in the picture: what is drawn anew loses it. */
  hold() {
    this.held = this.view.picture.contains(document.activeElement);
  }

  /** After a change: exactly one element can be reached with Tab, and the focus is where it was. */
  refresh() {
    const { canvas, picture } = this.view;
    if (!canvas.nodes.has(this.current)) this.current = canvas.chosen()[0] ?? null;
    if (this.held && !picture.contains(document.activeElement)) this.focus(this.current);
    for (const node of picture.querySelectorAll('[tabindex="0"]')) node.setAttribute("tabindex", "-1");
    canvas.nodes.get(this.current)?.setAttribute("tabindex", "0");
    if (picture.contains(document.activeElement)) this.#frame();
  }

  /** Give an element the focus. */
  focus(id) {
    this.view.canvas.nodes.get(id)?.focus({ preventScroll: true });
  }

  #arrive(id) {
    if (!id) return;
    const { canvas, camera } = this.view;
    canvas.nodes.get(this.current)?.setAttribute("tabindex", "-1");
    this.current = id;
    canvas.nodes.get(id)?.setAttribute("tabindex", "0");
    this.#frame();
    if (this.pressed) camera.reveal(canvas.box(id));
  }

  /** Draw the frame of the focus; browsers draw none around a part of a picture. */
  #frame() {
    this.ring.replaceChildren();
    const node = this.view.canvas.nodes.get(this.current);
    if (!node?.matches(":focus-visible")) return;
    const { x, y, width, height } = this.view.canvas.box(this.current);
    const place = { x: x - 5, y: y - 5, width: width + 10, height: height + 10, rx: 11 };
    this.ring.append(svg("rect", { ...place, class: "netlab-halo" }), svg("rect", place));
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { view } = this;
    const keys = {
      Enter: () => view.choose(this.current),
      " ": () => view.choose(this.current),
      Escape: () => view.choose(null),
      Home: () => this.#go(view.canvas.chosen()[0]),
      End: () => this.#go(view.canvas.chosen().at(-1)),
      "+": () => view.camera.zoom(1.4),
      "-": () => view.camera.zoom(1 / 1.4),
      0: () => view.camera.fit(),
      "/": () => view.search.focus(),
    };
    const act = event.key in WAYS ? () => this.#go(this.#neighbour(WAYS[event.key])) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  #go(id) {
    if (!id) return;
    this.pressed = true;
    this.focus(id);
    this.pressed = false;
  }

  /** The nearest element in a direction: what lies straight ahead goes before what is near but aside. */
  #neighbour([right, down]) {
    const middle = (id) => {
      const { x, y, width, height } = this.view.canvas.box(id);
      return [x + width / 2, y + height / 2];
    };
    const [x, y] = middle(this.current);
    let best = null;
    for (const id of this.view.canvas.chosen()) {
      if (id === this.current) continue;
      const [otherX, otherY] = middle(id);
      const ahead = (otherX - x) * right + (otherY - y) * down;
      const aside = Math.abs((otherX - x) * down + (otherY - y) * right);
      if (ahead < 1 || aside > 2 * ahead) continue;
      const far = ahead + 3 * aside;
      if (!best || far < best.far) best = { id, far };
    }
    return best?.id;
  }
}
