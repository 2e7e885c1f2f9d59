// The live diagram of a lab: where anywidget begins. Each view of the widget is a View of its own.

import { View } from "./view.js";

function render({ model, el }) {
  let view = new View(model, el);
  const again = () => {
    view.close();
    view = new View(model, el);
  };
  model.on("change:texts", again); // another language
  return () => {
    model.off("change:texts", again);
    view.close();
  };
}

export default { render };
