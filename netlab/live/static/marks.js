// Marks: what appeared or changed is framed for a moment, with a sign beside it, and what went fades out.

import { svg } from "./page.js";

const SEEN = 2600;
const SIGNS = { appeared: "+", changed: "•" };

/** Frame an element for a moment; the frame moves with it. */
export function mark(node, kind) {
  const part = node?.closest(".netlab-part");
  if (!part) return;
  const { id } = node.dataset;
  [...part.querySelectorAll(":scope > .netlab-mark")].find((one) => one.dataset.of === id)?.remove();
  const frame = svg("g", { class: `netlab-mark netlab-${kind}`, "aria-hidden": "true", "data-of": id });
  const line = node.classList.contains("edge") && node.querySelector("path");
  if (line) {
    frame.append(svg("path", { d: line.getAttribute("d") }));
  } else {
    const { x, y, width, height } = node.getBBox();
    const [right, top] = [x + width + 2, y - 2];
    frame.append(
      svg("rect", { x: x - 3, y: y - 3, width: width + 6, height: height + 6, rx: 9 }),
      svg("circle", { cx: right, cy: top, r: 6.5 }),
      svg("text", { x: right, y: top + 3.5, "text-anchor": "middle" }, SIGNS[kind]),
    );
  }
  part.append(frame);
  setTimeout(() => frame.remove(), SEEN);
}

/** Leave a fading copy of what goes, where it stood. */
export function ghost(layer, node) {
  const part = node?.closest(".netlab-part");
  if (!part) return;
  const copy = node.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("[data-id]")]) {
    for (const name of ["data-id", "tabindex", "role", "aria-label"]) one.removeAttribute(name);
  }
  const place = svg("g", { class: "netlab-ghost", transform: part.getAttribute("transform") }, copy);
  layer.append(place);
  setTimeout(() => place.remove(), SEEN);
}
