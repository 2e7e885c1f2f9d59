// The camera: which piece of the picture is on the screen. Drag to move it, Ctrl and the wheel to zoom.

import { tween } from "./motion.js";

const LARGEST = 6; // pixels for one unit of the picture
const NATURAL = 4 / 3;
const SLACK = 4; // a hand that clicks moves a little

/** What of the picture one view shows. `onclick(target)` hears a click that was no drag. */
export class Camera {
  constructor(stage, picture, onclick) {
    this.stage = stage;
    this.picture = picture;
    this.world = null; // the whole picture: left, top, width, height
    this.window = [0, 0, 1, 1]; // what of it is shown
    this.fitted = true;
    this.largest = NATURAL; // a small lab is not blown up, except in the present view
    this.stop = () => {};
    this.onclick = onclick;
    this.#listen();
    this.watch = new ResizeObserver(() => this.#resized());
    this.watch.observe(stage);
  }

  /** The picture has another size; keep showing all of it, or what is shown. */
  setWorld(world, animated) {
    const same = this.world && world.every((value, at) => value === this.world[at]);
    const first = !this.world;
    this.world = world;
    if (this.fitted && !same) this.fit(animated && !first);
  }

  /** Show all. */
  fit(animated = true) {
    this.fitted = true;
    const [x, y, width, height] = this.world;
    this.#show(this.#around(x + width / 2, y + height / 2, width, height), animated);
  }

  /** Come closer (factor > 1) or go back, around a point of the stage or its middle. */
  zoom(factor, point, animated = true) {
    const { width, height } = this.#size();
    const [across, down] = point ? [point.x / width, point.y / height] : [0.5, 0.5];
    const [x, y, wide, high] = this.target;
    const least = width / LARGEST;
    const most = Math.max(this.world[2], (this.world[3] * width) / height, width / NATURAL) * 1.5;
    const next = Math.min(most, Math.max(least, wide / factor));
    const share = next / wide;
    this.fitted = false;
    this.#show([x + (wide - next) * across, y + high * (1 - share) * down, next, high * share], animated);
  }

  /** Move by pixels. */
  pan(right, down, animated = false) {
    const scale = this.target[2] / this.#size().width;
    const [x, y, wide, high] = this.target;
    this.fitted = false;
    this.#show([x + right * scale, y + down * scale, wide, high], animated);
  }

  /** Bring a box into sight: nothing moves when it is there already and large enough to read. */
  reveal(box, closer = false) {
    if (!box) return;
    const [x, y, wide, high] = this.target;
    const seen = box.x >= x && box.y >= y && box.x + box.width <= x + wide && box.y + box.height <= y + high;
    const size = this.#size();
    if (seen && !(closer && this.scale < 1)) return;
    this.fitted = false;
    const width = size.width / (closer ? Math.max(this.scale, NATURAL) : this.scale);
    const height = (width * size.height) / size.width;
    this.#show([box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2, width, height], true);
  }

  close() {
    this.stop();
    this.watch.disconnect();
  }

  get target() {
    return this.goal ?? this.window;
  }

  #size() {
    return { width: this.stage.clientWidth || 600, height: this.stage.clientHeight || 400 };
  }

  /** A window of the stage's proportions around a point that holds at least so much. */
  #around(x, y, width, height) {
    const size = this.#size();
    const scale = Math.min(size.width / width, size.height / height, this.largest);
    const [wide, high] = [size.width / scale, size.height / scale];
    return [x - wide / 2, y - high / 2, wide, high];
  }

  #show(goal, animated) {
    this.stop();
    this.goal = goal;
    this.scale = this.#size().width / goal[2];
    const from = this.window;
    const step = (share) => {
      this.window = from.map((value, at) => value + (goal[at] - value) * share);
      this.picture.setAttribute("viewBox", this.window.map((value) => value.toFixed(2)).join(" "));
    };
    if (animated) this.stop = tween(350, step);
    else step(1);
  }

  #resized() {
    if (!this.world) return;
    if (this.fitted) {
      this.fit(false);
      return;
    }
    const { width, height } = this.#size();
    const [x, y, wide, high] = this.target;
    const [nowWide, nowHigh] = [width / this.scale, height / this.scale];
    this.#show([x + (wide - nowWide) / 2, y + (high - nowHigh) / 2, nowWide, nowHigh], false);
  }

  #listen() {
    const { stage } = this;
    let drag = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      drag = { x: event.clientX, y: event.clientY, far: false, target: event.target };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const [right, down] = [drag.x - event.clientX, drag.y - event.clientY];
      if (!drag.far && Math.hypot(right, down) < SLACK) return;
      if (!drag.far) stage.setPointerCapture(event.pointerId);
      Object.assign(drag, { x: event.clientX, y: event.clientY, far: true });
      stage.classList.add("netlab-dragged");
      this.pan(right, down);
    });
    const end = (event) => {
      if (drag && !drag.far && event.type === "pointerup") this.onclick(drag.target);
      drag = null;
      stage.classList.remove("netlab-dragged");
    };
    stage.addEventListener("pointerup", end);
    stage.addEventListener("pointercancel", end);
    const wheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      const frame = stage.getBoundingClientRect();
      const point = { x: event.clientX - frame.left, y: event.clientY - frame.top };
      this.zoom(2 ** (-Math.sign(event.deltaY) * Math.min(1, Math.abs(event.deltaY) / 200)), point, false);
    };
    stage.addEventListener("wheel", wheel, { passive: false });
  }
}
