// xterm's DOM renderer writes <style> elements and style attributes, which a CSP without 'unsafe-inline' forbids, and has no option
// for it (its `documentOverride` misses two of its four places). Here the same styles go through the CSSOM, which the CSP allows.

/** Opens a terminal: every style element made meanwhile is a style sheet of the document instead. Returns how to take them away. */
export function openStrictly(open: () => void): () => void {
  const sheets = new Set<CSSStyleSheet>();
  const real = Document.prototype.createElement;
  document.createElement = function (this: Document, name: string, options?: ElementCreationOptions) {
    if (name !== "style") return real.call(this, name, options);
    const sheet = new CSSStyleSheet();
    sheets.add(sheet);
    document.adoptedStyleSheets.push(sheet);
    return standInFor(sheet, real.call(this, "span"));
  };
  try {
    open();
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.has(sheet));
  };
}

/** An invisible element whose text is a style sheet's. */
function standInFor(sheet: CSSStyleSheet, element: HTMLElement): HTMLElement {
  element.hidden = true;
  Object.defineProperty(element, "textContent", { set: (css: string) => sheet.replaceSync(css) });
  return element;
}

/** Cells of 24-bit colour: xterm sets the `style` attribute of their spans. React never does, so nothing else is changed by this. */
HTMLSpanElement.prototype.setAttribute = function (name: string, value: string) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
