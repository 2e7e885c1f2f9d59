// Movement: things glide from where they were to where they are, unless the reader asked for less movement.

import { calm } from "./page.js";

const GLIDE = { duration: 450, easing: "cubic-bezier(0.3, 0, 0.15, 1)" };
const SIZES = ["x", "y", "width", "height"];

/** Let a part glide from one place to another. In the midst of an earlier glide it starts from where it is seen. */
export function slide(part, from, to) {
  if (calm()) return;
  const gliding = part.getAnimations().filter((one) => one.id === "slide");
  if (gliding.length) {
    const { e, f } = new DOMMatrix(getComputedStyle(part).transform);
    from = [e, f];
    for (const one of gliding) one.cancel();
  }
  const steps = [from, to].map(([x, y]) => ({ transform: `translate(${x}px, ${y}px)` }));
  part.animate(steps, { ...GLIDE, id: "slide" });
}

/** Let the frames and lines of a part grow into their new shape, where both have the same structure. */
export function reshape(before, after) {
  if (calm()) return;
  const old = [...before.querySelectorAll("rect, path")];
  const now = [...after.querySelectorAll("rect, path")];
  if (old.length !== now.length) return;
  now.forEach((shape, number) => {
    const was = old[number];
    if (shape.tagName !== was.tagName) return;
    if (shape.tagName === "rect") {
      const sizes = SIZES.filter((name) => shape.getAttribute(name) !== was.getAttribute(name));
      const pixels = sizes.map((name) => [name, [was, shape].map((one) => `${one.getAttribute(name)}px`)]);
      if (sizes.length) shape.animate(Object.fromEntries(pixels), GLIDE);
    } else {
      const [from, to] = [was, shape].map((one) => one.getAttribute("d"));
      const letters = (path) => path.replace(/[^a-z]/gi, "");
      if (from !== to && letters(from) === letters(to)) shape.animate({ d: [`path("${from}")`, `path("${to}")`] }, GLIDE);
    }
  });
}

/** Call `step(share)` with 0…1 in each frame for a while; returns what stops it. */
export function tween(duration, step) {
  if (calm() || document.hidden) {
    step(1);
    return () => {};
  }
  const start = performance.now();
  let frame = requestAnimationFrame(function next(now) {
    const share = Math.min(1, Math.max(0, (now - start) / duration));
    step(1 - (1 - share) ** 3);
    if (share < 1) frame = requestAnimationFrame(next);
  });
  return () => cancelAnimationFrame(frame);
}
