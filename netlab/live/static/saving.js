// Saving the picture that is shown, as a file for a report: always in the light colours, since paper is white.

import { html, svg } from "./page.js";

const SHARP = 2;
const FONT = '"Noto Sans", "Noto Sans CJK JP", "Helvetica Neue", Arial, sans-serif';

/** The picture as a text of its own that needs no style sheet. */
function picture({ canvas }) {
  const [x, y, width, height] = canvas.viewBox;
  const copy = canvas.layer.cloneNode(true);
  for (const mark of copy.querySelectorAll(".netlab-mark")) mark.remove();
  for (const one of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of ["data-id", "tabindex", "role", "aria-label", "aria-current", "style", "class"]) one.removeAttribute(name);
  }
  const size = { viewBox: `${x} ${y} ${width} ${height}`, width: Math.round((width * 4) / 3), height: Math.round((height * 4) / 3) };
  const paper = svg("rect", { x, y, width, height, rx: 10, fill: "#ffffff" });
  const root = svg("svg", { ...size, "font-family": FONT }, paper, copy);
  const text = new XMLSerializer().serializeToString(root);
  // A colour is written var(--netlab-ink, #1e293b): the light one stands in it.
  return { ...size, text: text.replace(/var\(--[\w-]+,\s*([^()]+)\)/g, "$1") };
}

function download(view, blob, ending) {
  const href = URL.createObjectURL(blob);
  const link = html("a", { href, download: `${view.model.get("lab")}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

export function saveSvg(view) {
  download(view, new Blob([picture(view).text], { type: "image/svg+xml" }), "svg");
}

export async function savePng(view) {
  const { text, width, height } = picture(view);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = html("canvas", { width: width * SHARP, height: height * SHARP });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => download(view, blob, "png"), "image/png");
}
