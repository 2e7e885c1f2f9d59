// What a screen reader says: changes, politely, and never a flood of them.

import { fill, html } from "./page.js";

const WAIT = 400;
const MOST = 3;

export class Speaker {
  constructor(texts) {
    this.texts = texts;
    this.root = html("div", { className: "netlab-unseen netlab-said", role: "status", "aria-live": "polite" });
    this.waiting = [];
  }

  /** Say a sentence; what comes in one breath is said together. */
  say(sentence) {
    this.waiting.push(sentence);
    this.timer ??= setTimeout(() => this.#speak(), WAIT);
  }

  close() {
    clearTimeout(this.timer);
  }

  #speak() {
    const more = this.waiting.length - MOST;
    const said = this.waiting.slice(0, MOST);
    if (more > 0) said.push(fill(this.texts.more, { count: more }));
    this.root.textContent = said.join(" · ");
    this.waiting = [];
    this.timer = null;
  }
}
