// One view of a lab: it shows what Python sends, and asks Python for what the reader wants to know or do.

import { Camera } from "./camera.js";
import { Canvas } from "./canvas.js";
import { Folding } from "./folding.js";
import { History } from "./history.js";
import { Keyboard } from "./keyboard.js";
import { fill, html, svg } from "./page.js";
import { Packets } from "./packets.js";
import { Panel } from "./panel.js";
import { Search } from "./search.js";
import { Speaker } from "./speaker.js";
import { Toolbar } from "./toolbar.js";

const PATIENCE = 3000; // ms

export class View {
  constructor(model, element) {
    this.model = model;
    this.element = element;
    this.id = Math.random().toString(36).slice(2);
    this.texts = model.get("texts");
    this.alive = true; // until the kernel that draws has ended
    this.chosen = null;
    this.#build();
    this.#listen();
    this.#whole(model.get("picture"));
    this.ask("whole");
    this.#settle();
  }

  /** Send a question or a wish to Python. */
  ask(type, values = {}) {
    if (this.alive) this.model.send({ type, view: this.id, ...values });
  }

  close() {
    this.ask("bye");
    for (const [event, hear] of this.heard) this.model.off(event, hear);
    this.arrival.disconnect();
    this.camera.close();
    this.packets.close();
    this.speaker.close();
    this.folding.close();
    this.root.remove();
  }

  // ── what comes from Python ─────────────────────────────────────────────────────────────────────────────────────

  #receive(message) {
    if (message.view && message.view !== this.id) return;
    const hear = {
      whole: () => this.#whole(message),
      change: () => this.#change(message),
      picture: () => this.#past(message),
      panel: () => this.panel.show(message),
      outcome: () => this.panel.outcome(message),
      packets: () => this.history.isNow && this.packets.move(message.moves),
      state: () => this.setState(message.state, message.text),
    }[message.type];
    hear?.();
  }

  #whole(message) {
    this.asked = null;
    this.history.fillWith(message.history);
    this.show(message);
  }

  /** Show everything anew. */
  show(message) {
    this.revision = message.revision;
    this.keyboard.hold();
    this.canvas.whole(message);
    this.folding.set(message.foldable);
    this.setState(message.state.state, message.state.text);
    this.history.goNow();
    this.#drawn();
  }

  #change(message) {
    if (message.entry) {
      this.history.add(message.entry);
      for (const sentence of message.entry.sentences) this.speaker.say(sentence);
    }
    if (message.foldable) this.folding.set(message.foldable);
    if (!this.history.isNow) return;
    if (message.after !== this.revision) {
      this.#askForWhole();
      return;
    }
    this.revision = message.revision;
    this.keyboard.hold();
    this.canvas.change(message);
    this.#drawn();
  }

  /** Ask for everything anew, once; again only if no answer has come: it may have been lost with a connection. */
  #askForWhole() {
    const now = performance.now();
    if (this.asked !== null && now - this.asked < PATIENCE) return;
    this.asked = now;
    this.ask("whole");
  }

  /** Show the lab as it was, or say that nobody remembers. */
  #past(message) {
    if (message.missing) {
      this.history.forget(message.revision);
      this.speaker.say(this.texts.missing);
      return;
    }
    this.history.arrive(message);
    this.keyboard.hold();
    this.canvas.whole(message);
    this.canvas.mark(message.marks);
    this.#drawn();
  }

  #drawn() {
    this.root.dataset.revision = this.revision;
    this.camera.setWorld(this.canvas.viewBox, true);
    this.#makeRoom();
    this.keyboard.refresh();
    this.#point();
    if (this.wanted && this.canvas.nodes.has(this.wanted)) {
      const found = this.wanted;
      this.wanted = null;
      this.find(found);
    }
  }

  /** Give the picture the height that it needs, up to what a screen shows; it never shrinks while somebody looks. */
  #makeRoom() {
    const [, , width, height] = this.canvas.viewBox;
    const scale = Math.min(4 / 3, (this.stage.clientWidth || 800) / width);
    const wanted = Math.min(Math.max(260, height * scale), Math.max(420, innerHeight * 0.62));
    const room = Math.max(wanted, this.room ?? 0);
    if (room === this.room) return;
    this.room = room;
    this.body.style.height = `${Math.round(room)}px`;
  }

  // ── what the reader does ───────────────────────────────────────────────────────────────────────────────────────

  /** Choose an element and ask Python about it; null: nothing. */
  choose(id) {
    this.chosen = id;
    this.#point();
    if (id) this.panel.open(id, this.canvas.elements[id], this.alive);
    else this.panel.close();
    this.ask("select", { id });
  }

  /** Show an element that may be hidden in a folded network, and choose it. */
  find(id) {
    if (!this.canvas.nodes.has(id)) {
      this.wanted = id;
      const { fold } = this.canvas.elements[id] ?? {};
      if (fold) this.ask("fold", { id: fold, folded: false });
      return;
    }
    this.choose(id);
    this.camera.reveal(this.canvas.box(id), true);
    this.keyboard.focus(id);
  }

  /** Say in what state the lab is: live, closed, failed, or without the kernel that drew it. */
  setState(state, text = "") {
    this.root.dataset.state = state;
    this.notice.textContent = text;
    this.notice.hidden = !text;
    this.bar.setState(state);
  }

  #end() {
    if (!this.alive) return;
    this.alive = false;
    this.setState("ended", this.texts.ended);
    this.folding.set([]); // nobody is there to fold,
    this.history.fillWith([]); // or to remember
    this.speaker.say(this.texts.ended);
  }

  #point() {
    for (const one of this.picture.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    this.ring.replaceChildren();
    const node = this.canvas.nodes.get(this.chosen);
    if (!node) return;
    node.setAttribute("aria-current", "true");
    const { x, y, width, height } = this.canvas.box(this.chosen);
    this.ring.append(svg("rect", { x: x - 4, y: y - 4, width: width + 8, height: height + 8, rx: 10 }));
  }

  // ── the page ───────────────────────────────────────────────────────────────────────────────────────────────────

  #build() {
    const { texts } = this;
    this.picture = svg("svg", { class: "netlab-picture", role: "group", "aria-label": fill(texts.picture, { lab: this.model.get("lab") }) });
    this.stage = html("div", { className: "netlab-stage" }, this.picture);
    this.canvas = new Canvas(this.picture);
    this.ring = svg("g", { class: "netlab-ring" });
    this.canvas.above.append(this.ring);
    this.camera = new Camera(this.stage, this.picture, (target) => this.#click(target));
    this.keyboard = new Keyboard(this);
    this.packets = new Packets(this.canvas, texts);
    this.panel = new Panel(this);
    this.history = new History(this);
    this.folding = new Folding(this);
    this.search = new Search(this);
    this.speaker = new Speaker(texts);
    this.notice = html("p", { className: "netlab-notice", hidden: true });
    this.body = html("div", { className: "netlab-body" }, this.stage, this.panel.root);
    this.bar = new Toolbar(this);
    this.root = html("section", {
      className: "netlab-live",
      lang: this.model.get("language"),
      ariaLabel: fill(texts.diagram, { lab: this.model.get("lab") }),
      dataset: { lmSuppressShortcuts: "true", state: "live" }, // else JupyterLab takes the arrow keys
    });
    this.root.append(this.bar.root, this.notice, this.body, this.history.root, this.speaker.root);
    this.root.addEventListener("dblclick", (event) => this.#unfold(event.target));
    this.element.replaceChildren(this.root);
  }

  /** Move out of the output itself, so that Python can take the widget out of what is saved (see the contract). */
  #settle() {
    this.arrival = new ResizeObserver(() => {
      const output = this.element.parentElement;
      if (!output?.matches(".jp-OutputArea-child > .jp-OutputArea-output")) return; // it is a part of another widget
      const place = output.parentElement;
      this.arrival.disconnect();
      place.append(this.root);
      this.ask("settled");
    });
    this.arrival.observe(this.element); // it is nowhere yet when anywidget calls
  }

  #listen() {
    this.heard = [
      ["msg:custom", (message) => this.#receive(message)],
      ["comm_live_update", () => this.#end()],
      ["comm:close", () => this.#end()],
      ["destroy", () => this.#end()],
    ];
    for (const [event, hear] of this.heard) this.model.on(event, hear);
  }

  #click(target) {
    const node = target.closest?.("[role][data-id]");
    this.choose(node ? node.dataset.id : null);
    if (node) this.keyboard.focus(node.dataset.id);
  }

  #unfold(target) {
    const id = target.closest?.("[data-id]")?.dataset.id;
    if (this.canvas.elements[id]?.kind === "fold") this.ask("fold", { id, folded: false });
  }
}
