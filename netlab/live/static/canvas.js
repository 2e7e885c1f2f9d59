// The picture: parts that are put in, moved and taken out by their ids. It computes no layout; Python sends it.

import { calm, svg } from "./page.js";
import { reshape, slide } from "./motion.js";
import { ghost, mark } from "./marks.js";

const MANY = 400; // more parts than this are not animated: the page must not freeze

/** What stands in the SVG element of one view. */
export class Canvas {
  constructor(root) {
    this.root = root;
    this.layer = svg("g", { class: "netlab-parts" });
    this.ghosts = svg("g", { class: "netlab-ghosts", "aria-hidden": "true" });
    this.above = svg("g", { class: "netlab-above", "aria-hidden": "true" });
    root.append(this.ghosts, this.layer, this.above);
    this.parts = new Map(); // part id → its group
    this.nodes = new Map(); // element id → what is drawn for it
    this.elements = {};
    this.viewBox = [0, 0, 1, 1];
  }

  /** Show everything anew; what was there before moves to its new place. */
  whole({ viewBox, order, parts, elements }) {
    const before = new Set(this.parts.keys());
    if (elements) this.elements = elements;
    const animated = before.size > 0 && order.length < MANY;
    for (const id of before) if (!(id in parts)) this.#remove(id);
    for (const id of order) this.#put(id, parts[id], animated);
    this.#arrange(viewBox, order);
  }

  /** Apply what changed: `parts` have a new drawing, `moved` only another place, `gone` are taken out. */
  change({ viewBox, order, parts, moved, gone, elements, elementsGone, marks }) {
    Object.assign(this.elements, elements);
    for (const id of elementsGone) delete this.elements[id];
    const animated = Object.keys(parts).length + Object.keys(moved).length < MANY;
    if (animated && !document.hidden) for (const id of marks.gone) ghost(this.ghosts, this.nodes.get(id));
    for (const id of gone) this.#remove(id);
    for (const [id, part] of Object.entries(parts)) this.#put(id, part, animated);
    for (const [id, place] of Object.entries(moved)) this.#move(id, place, animated);
    this.#arrange(viewBox, order ?? this.order);
    this.mark(marks);
  }

  /** Point at elements for a moment: at the whole of what appeared, and at the innermost of what changed. */
  mark({ appeared, changed }) {
    const nodes = (ids) => ids.slice(0, MANY / 4).map((id) => this.nodes.get(id)).filter(Boolean);
    const [fresh, other] = [nodes(appeared), nodes(changed)];
    const inside = (node, others) => others.some((one) => one !== node && one.contains(node));
    const around = (node, others) => others.some((one) => one !== node && node.contains(one));
    for (const node of fresh) if (!inside(node, fresh)) mark(node, "appeared");
    for (const node of other) {
      if (!inside(node, fresh) && !around(node, [...fresh, ...other]) && !fresh.includes(node)) mark(node, "changed");
    }
  }

  /** The elements that can be chosen now, in the order in which Python names them. */
  chosen() {
    return Object.keys(this.elements).filter((id) => this.nodes.has(id));
  }

  /** Where an element stands, in the picture's units. */
  box(id) {
    const node = this.nodes.get(id);
    if (!node) return null;
    const { x, y, width, height } = node.getBBox();
    const part = node.closest(".netlab-part");
    return { x: x + part.place[0], y: y + part.place[1], width, height };
  }

  #put(id, [x, y, fragment], animated) {
    let part = this.parts.get(id);
    if (!part) {
      part = svg("g", { class: "netlab-part" });
      this.parts.set(id, part);
      if (animated && !calm()) part.animate({ opacity: [0, 1] }, { duration: 350 });
    } else if (part.fragment !== fragment) {
      this.#forget(part);
    }
    if (part.fragment !== fragment) {
      const before = part.cloneNode(true);
      part.fragment = fragment;
      part.innerHTML = fragment;
      for (const node of part.querySelectorAll("[data-id]")) {
        this.nodes.set(node.dataset.id, node);
        node.style.cursor = node.dataset.id in this.elements ? "pointer" : "";
      }
      if (animated) reshape(before, part);
    }
    this.#name(part);
    this.#place(part, [x, y], animated);
  }

  #move(id, place, animated) {
    const part = this.parts.get(id);
    if (part) this.#place(part, place, animated);
  }

  #place(part, place, animated) {
    const before = part.place;
    if (before && before[0] === place[0] && before[1] === place[1]) return;
    if (before && animated) slide(part, before, place);
    part.place = place;
    part.setAttribute("transform", `translate(${place[0]}, ${place[1]})`);
  }

  #remove(id) {
    const part = this.parts.get(id);
    if (!part) return;
    this.#forget(part);
    this.parts.delete(id);
    part.remove();
  }

  #forget(part) {
    for (const node of part.querySelectorAll("[data-id]")) {
      if (this.nodes.get(node.dataset.id) === node) this.nodes.delete(node.dataset.id);
    }
  }

  /** Tell keyboard and screen reader what can be chosen in a part. */
  #name(part) {
    for (const node of part.querySelectorAll("[data-id]")) {
      const element = this.elements[node.dataset.id];
      if (!element) continue;
      node.setAttribute("role", node.querySelector("[data-id]") ? "group" : "button");
      node.setAttribute("aria-label", element.label);
      if (!node.hasAttribute("tabindex")) node.setAttribute("tabindex", "-1");
    }
  }

  #arrange(viewBox, order) {
    this.viewBox = viewBox;
    if (order && order !== this.order) {
      this.order = order;
      // Only what stands in the wrong place is moved: moving an element takes the keyboard's focus from it.
      let next = null;
      for (const id of order.toReversed()) {
        const part = this.parts.get(id);
        if (!part) continue;
        if (part.nextSibling !== next || !part.parentNode) this.layer.insertBefore(part, next);
        next = part;
      }
    }
  }
}
