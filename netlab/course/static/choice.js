// A prediction: radio buttons that commit at once, and marks when the kernel has answered.

import { settle } from "./settle.js";

function render({ model, el }) {
  const words = model.get("words");
  const name = `netlab-choice-${Math.random()}`; // the radio buttons of this question share it, and no others do
  const box = document.createElement("fieldset");
  box.className = "netlab-course netlab-choice";
  box.lang = model.get("language");

  const legend = document.createElement("legend");
  legend.innerHTML = `<span class="title">◇ ${words.title}</span> ${model.get("question")}`;
  box.append(legend);

  const options = model.get("options").map((html, number) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = name;
    radio.addEventListener("change", () => {
      model.set("chosen", number);
      model.save_changes();
    });
    const text = document.createElement("span");
    text.innerHTML = `<b>${"ABCDEF"[number]}.</b> ${html}`;
    const mark = document.createElement("span");
    mark.className = "mark";
    label.append(radio, text, mark);
    box.append(label);
    return { label, radio, mark };
  });

  const status = document.createElement("p");
  status.setAttribute("role", "status");
  box.append(status);

  function update() {
    const chosen = model.get("chosen");
    const right = model.get("right");
    options.forEach(({ label, radio, mark }, number) => {
      radio.checked = number === chosen;
      radio.disabled = right >= 0;
      label.classList.toggle("graded", right >= 0);
      const wrong = right >= 0 && number === chosen && number !== right;
      label.classList.toggle("right", number === right);
      label.classList.toggle("wrong", wrong);
      mark.textContent = number === right ? "✓" : wrong ? "✗" : "";
    });
    status.textContent = right >= 0 ? words.graded : chosen >= 0 ? words.committed : words.ask;
  }

  model.on("change:chosen", update);
  model.on("change:right", update);
  update();
  const leave = settle(model, el, box);
  return () => {
    leave();
    model.off("change:chosen", update);
    model.off("change:right", update);
  };
}

export default { render };
