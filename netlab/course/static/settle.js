// Move a widget's element out of the output itself, so that Python can take the widget out of what is saved.

/** Keys that are pressed in a widget are its own; with Shift, Ctrl and the like they are commands to JupyterLab. */
function keepKeys(box) {
  const hear = (event) => {
    const command = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey;
    const alone = ["Shift", "Control", "Meta", "Alt", "Tab"].includes(event.key);
    box.toggleAttribute("data-lm-suppress-shortcuts", !command);
    if (!command || alone) event.stopPropagation(); // else the notebook gives the focus to its active cell
  };
  box.toggleAttribute("data-lm-suppress-shortcuts", true);
  box.addEventListener("keydown", hear); // Shift itself is heard before the key that it goes with
  box.addEventListener("keyup", hear);
}

export function settle(model, el, box) {
  keepKeys(box);
  el.append(box);
  const arrival = new ResizeObserver(() => {
    const place = el.closest(".jp-OutputArea-child");
    if (!place) return;
    arrival.disconnect();
    place.append(box);
    model.send({ type: "settled" });
  });
  arrival.observe(el); // it is nowhere yet when anywidget calls
  return () => {
    arrival.disconnect();
    box.remove();
  };
}
