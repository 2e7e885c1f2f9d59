"""The live diagram: follows the kernel, compares, draws and speaks to the page that shows it. `static/` is that page."""
