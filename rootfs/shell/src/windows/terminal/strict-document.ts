// xterm writes <style> elements and style attributes, which a CSP without 'unsafe-inline' forbids. It takes its document from an
// option, so we hand it one whose elements do the same through the CSSOM, which the CSP allows.

/** The document for xterm's `documentOverride`. Call `dispose` when the terminal is gone: it takes its style sheets away. */
export function strictDocument(real: Document): { document: Document; dispose: () => void } {
  const sheets = new Set<CSSStyleSheet>();
  const createElement = (name: string) => {
    if (name !== "style") return withCssomStyle(real.createElement(name));
    const sheet = new CSSStyleSheet();
    sheets.add(sheet);
    real.adoptedStyleSheets.push(sheet);
    return standInForStyle(real, sheet);
  };
  const document = new Proxy(real, {
    get(target, name) {
      if (name === "createElement") return createElement;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  const dispose = () => {
    real.adoptedStyleSheets = real.adoptedStyleSheets.filter((sheet) => !sheets.has(sheet));
  };
  return { document, dispose };
}

/** An invisible element whose text is a style sheet's. */
function standInForStyle(real: Document, sheet: CSSStyleSheet): HTMLElement {
  const element = real.createElement("span");
  element.hidden = true;
  Object.defineProperty(element, "textContent", { set: (css: string) => sheet.replaceSync(css) });
  return element;
}

function withCssomStyle(element: HTMLElement): HTMLElement {
  element.setAttribute = setAttribute;
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
