// Move a widget's element out of the output itself, so that Python can take the widget out of what is saved.

export function settle(model, el, box) {
  box.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the arrow keys
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
