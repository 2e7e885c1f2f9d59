// A table of guesses: each cell is a button that goes from nothing to ✓ to ✗, and is marked when the kernel has answered.

import { settle } from "./settle.js";

const MARK = new Map([[null, "·"], [true, "✓"], [false, "✗"]]);
const NEXT = new Map([[null, true], [true, false], [false, true]]);

function heading(text, scope) {
  const cell = document.createElement("th");
  cell.scope = scope;
  const code = document.createElement("code");
  code.textContent = text;
  cell.append(code);
  return cell;
}

function render({ model, el }) {
  const words = model.get("words");
  const box = document.createElement("div");
  box.className = "netlab-course netlab-grid";
  box.lang = model.get("language");
  const title = document.createElement("span");
  title.className = "title";
  title.textContent = `◇ ${words.title}`;
  const table = document.createElement("table");
  const columns = model.get("columns");
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"), ...columns.map((text) => heading(text, "col")));

  const body = table.createTBody();
  const buttons = model.get("rows").map((name, row) => {
    const line = body.insertRow();
    line.append(heading(name, "row"));
    return columns.map((_, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => {
        if (model.get("results").length) return;
        const guesses = structuredClone(model.get("guesses"));
        guesses[row][column] = NEXT.get(guesses[row][column]);
        model.set("guesses", guesses);
        model.save_changes();
      });
      line.insertCell().append(button);
      return button;
    });
  });

  const status = document.createElement("p");
  status.setAttribute("role", "status");
  box.append(title, table, status);

  function update() {
    const [guesses, results] = [model.get("guesses"), model.get("results")];
    buttons.forEach((line, row) =>
      line.forEach((button, column) => {
        const guess = guesses[row][column];
        const said = guess === null ? words.none : guess ? words.yes : words.no;
        button.textContent = MARK.get(guess);
        button.setAttribute("aria-label", `${model.get("rows")[row]}, ${columns[column]}: ${said}`);
        button.setAttribute("aria-disabled", results.length > 0);
        const right = results.length > 0 && guess === results[row][column];
        button.classList.toggle("right", right);
        button.classList.toggle("wrong", results.length > 0 && guess !== null && !right);
      }),
    );
    const full = guesses.every((line) => line.every((guess) => guess !== null));
    status.textContent = results.length ? words.graded : full ? words.committed : words.ask;
  }

  model.on("change:guesses", update);
  model.on("change:results", update);
  update();
  const leave = settle(model, el, box);
  return () => {
    leave();
    model.off("change:guesses", update);
    model.off("change:results", update);
  };
}

export default { render };
