// A challenge: what is asked, what is there, what is missing, and four buttons.

import { settle } from "./settle.js";

function element(tag, className, html) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (html !== undefined) made.innerHTML = html;
  return made;
}

function render({ model, el }) {
  const words = model.get("words");
  const box = element("section", "netlab-course netlab-sheet");
  box.lang = model.get("language");
  box.setAttribute("aria-label", model.get("title"));
  box.append(element("h4", "", model.get("title")), element("div", "task", model.get("task")));

  const checks = element("ul");
  const status = element("p");
  status.setAttribute("role", "status");
  const help = element("div", "help");
  const buttons = element("div", "buttons");
  const press = {};
  let waiting = false;
  for (const name of ["check", "hint", "solution", "reset"]) {
    press[name] = element("button", name);
    press[name].type = "button";
    press[name].textContent = words[name];
    press[name].addEventListener("click", () => {
      if (waiting || press[name].ariaDisabled === "true") return;
      waiting = true;
      status.textContent = words.working;
      model.send({ type: "press", button: name });
    });
    buttons.append(press[name]);
  }
  box.append(checks, buttons, status, help);

  function update() {
    const state = model.get("state");
    checks.replaceChildren(
      ...state.checks.map(({ text, done, missing }) => {
        const item = element("li", done ? "done" : "", text);
        if (missing) item.append(element("span", "missing", missing));
        return item;
      }),
    );
    status.textContent = state.status;
    box.classList.toggle("solved", state.solved);
    waiting = false;
    press.hint.ariaDisabled = String(!state.more); // not `disabled`, which would take the keyboard's focus away
    press.solution.ariaDisabled = String(Boolean(state.solution));
    help.replaceChildren(...state.hints.map((html, number) => element("p", "", `<b>${number + 1}.</b> ${html}`)));
    if (state.solution) {
      const lines = element("pre");
      lines.textContent = state.solution;
      help.append(lines);
    }
  }

  model.on("change:state", update);
  update();
  const leave = settle(model, el, box);
  return () => {
    leave();
    model.off("change:state", update);
  };
}

export default { render };
