"""Whether letters can be read on what is behind them."""

# By WCAG 2: 4.5 is what its level AA asks of small text.
READABLE = 4.5
CONTRASTS = """root => {
    const number = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
        .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
    const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const painted = (element) => {
        const style = getComputedStyle(element);
        const color = element instanceof SVGElement ? style.fill : style.backgroundColor;
        return color !== "none" && (number(color)[3] ?? 1) > 0 ? number(color) : null;
    };
    const shapes = [...root.querySelectorAll("rect, polygon, path, ellipse")].filter(painted);
    const behind = (element) => {
        if (!(element instanceof SVGElement)) {
            while (element && !painted(element)) element = element.parentElement;
            return element ? painted(element) : [255, 255, 255];
        }
        const box = element.getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const under = shapes.filter((shape) => {
            const frame = shape.getBoundingClientRect();
            return frame.left <= x && x <= frame.right && frame.top <= y && y <= frame.bottom;
        });
        return under.length ? painted(under.at(-1)) : behind(element.closest("svg").parentElement);
    };
    const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return [...root.querySelectorAll("*")]
        .filter((element) => own(element) && !element.matches("title, style") && element.getClientRects().length)
        .map((element) => [
            element.textContent.trim(),
            contrast(light(element instanceof SVGElement ? painted(element) : number(getComputedStyle(element).color)),
                     light(behind(element))),
        ]);
}"""


def unreadable(locator, least=READABLE):
    """The pieces of text that are too faint on what is behind them."""
    found = locator.evaluate(CONTRASTS)
    assert found, "there is text"
    return [(text, round(contrast, 1)) for text, contrast in found if contrast < least]
