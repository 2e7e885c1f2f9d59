// Packets: dots with a label that travel along the lines of the picture, all of them in one loop.

import { calm, fill, svg } from "./page.js";

const MOST = 150; // more at once are counted, not drawn
const STEP = 6; // a line is measured every so many units

export class Packets {
  constructor(canvas, texts) {
    this.canvas = canvas;
    this.texts = texts;
    this.layer = svg("g", { class: "netlab-packets" });
    canvas.above.append(this.layer);
    this.travelling = new Set();
    this.left = 0;
  }

  /** Send packets on their way. */
  move(moves) {
    const now = performance.now();
    for (const one of moves) {
      if (this.travelling.size >= MOST) {
        this.left += 1;
        continue;
      }
      const way = this.#way(one.steps);
      if (way.length) this.travelling.add({ ...one, way, start: now + one.delay });
    }
    this.#count();
    this.frame ??= requestAnimationFrame((time) => this.#draw(time));
  }

  close() {
    cancelAnimationFrame(this.frame);
  }

  #draw(now) {
    for (const packet of this.travelling) {
      const share = (now - packet.start) / packet.duration;
      if (share >= 1) {
        packet.dot?.remove();
        this.travelling.delete(packet);
      } else if (share >= 0) {
        packet.dot ??= this.#dot(packet);
        const [x, y] = at(packet.way, calm() ? 1 : share);
        packet.dot.setAttribute("transform", `translate(${x.toFixed(1)}, ${y.toFixed(1)})`);
        if (packet.kind === "lost" && !calm()) packet.dot.style.opacity = Math.min(1, (1 - share) * 4);
      }
    }
    if (!this.travelling.size) {
      this.left = 0;
      this.#count();
    }
    this.frame = this.travelling.size ? requestAnimationFrame((time) => this.#draw(time)) : null;
  }

  #dot({ label, kind, color }) {
    const dot = svg("g", { class: `netlab-packet netlab-${kind}` });
    const said = kind === "lost" && label ? `${label} ✕` : label;
    const wide = [...said].reduce((sum, letter) => sum + (letter > "\u2E80" ? 10.5 : 5.9), 0) + 13;
    const paper = svg("rect", { x: -wide / 2, y: -8.5, width: wide, height: 17, rx: 8.5 });
    if (color) paper.style.fill = color;
    if (label) dot.append(paper, svg("text", { y: 3.6, "text-anchor": "middle" }, said));
    else dot.append(svg("circle", { r: 5, ...(color && { style: `fill:${color}` }) }));
    this.layer.append(dot);
    return dot;
  }

  #count() {
    this.counter?.remove();
    this.counter = null;
    if (!this.left) return;
    const [x, y] = this.canvas.viewBox;
    this.counter = svg("text", { class: "netlab-more", x: x + 14, y: y + 18 }, fill(this.texts.morePackets, { count: this.left }));
    this.layer.append(this.counter);
  }

  /** The points of the whole way, with the length up to each. */
  #way(steps) {
    const shown = steps.map((id) => this.#shown(id)).filter(Boolean);
    const seen = shown.filter((id, number) => id !== shown[number - 1]);
    const points = seen.length ? [this.#middle(seen[0])] : [];
    for (let at = 1; at < seen.length; at += 1) points.push(...this.#between(seen[at - 1], seen[at]), this.#middle(seen[at]));
    let length = 0;
    return points.map((point, number) => {
      const last = points[number - 1] ?? point;
      length += Math.hypot(point[0] - last[0], point[1] - last[1]);
      return [point[0], point[1], length];
    });
  }

  /** What is drawn for an element: itself, or the box of the folded network that it is in. */
  #shown(id) {
    if (this.canvas.nodes.has(id)) return id;
    const { fold } = this.canvas.elements[id] ?? {};
    return this.canvas.nodes.has(fold) ? fold : null;
  }

  #middle(id) {
    const { x, y, width, height } = this.canvas.box(id);
    return [x + width / 2, y + height / 2];
  }

  /** The points of the line that joins two elements, from the first to the second; none where there is no line. */
  #between(first, second) {
    const ends = [first, second].map((id) => id.slice(id.indexOf("/") + 1));
    const node = this.canvas.nodes.get(`link/${ends[0]}/${ends[1]}`) ?? this.canvas.nodes.get(`link/${ends[1]}/${ends[0]}`);
    const path = node?.querySelector("path");
    if (!path) return [];
    const [left, top] = node.closest(".netlab-part").place;
    const points = [];
    const whole = path.getTotalLength();
    for (let along = 0; along <= whole; along += STEP) {
      const { x, y } = path.getPointAtLength(along);
      points.push([x + left, y + top]);
    }
    const [x, y] = this.#middle(first);
    const far = ([otherX, otherY]) => Math.hypot(otherX - x, otherY - y);
    return far(points[0]) <= far(points.at(-1)) ? points : points.reverse();
  }
}

/** The point of a way at a share of its length. */
function at(way, share) {
  const wanted = way.at(-1)[2] * share;
  const next = way.findIndex(([, , length]) => length >= wanted);
  if (next <= 0) return way[0];
  const [[x, y, before], [toX, toY, after]] = [way[next - 1], way[next]];
  const part = after > before ? (wanted - before) / (after - before) : 1;
  return [x + (toX - x) * part, y + (toY - y) * part];
}
