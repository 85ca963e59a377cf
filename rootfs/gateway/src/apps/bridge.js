// window.MatrixOS: how an app speaks with the desktop around it. It says nothing about who it is: the desktop knows that
// by the frame a message comes from.
(() => {
  "use strict";
  const waiting = new Map();
  let count = 0;
  const post = (message) => parent.postMessage({ matrixos: 1, ...message }, "*");
  const call = (action, input) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      post({ id, action, ...input });
    });
  addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== parent || !message || message.matrixos !== 1) return;
    if (message.event === "theme") {
      document.documentElement.dataset.theme = message.theme === "dark" ? "dark" : "light";
      document.documentElement.style.colorScheme = document.documentElement.dataset.theme;
      return;
    }
    const asked = waiting.get(message.id);
    if (!asked) return;
    waiting.delete(message.id);
    if (message.ok) asked.resolve(message.value);
    else asked.reject(new Error(String(message.error || "That did not work.")));
  });
  let told = 0;
  const added = {lines};
  const crashed = (text, line) => {
    if (told++ < 5) post({ action: "crashed", error: String(text).slice(0, 2000), line: line > added ? line - added : line || 0 });
  };
  addEventListener("error", (event) => {
    if (event.message) crashed(event.message, event.lineno);
  });
  addEventListener("unhandledrejection", (event) => {
    const why = event.reason;
    crashed((why && (why.stack || why.message)) || why);
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      post({ action: "palette" });
    }
    // The desktop's keys for windows: this frame would keep them to itself.
    const moves = event.ctrlKey && event.altKey && !event.getModifierState("AltGraph");
    if (moves && /^(arrow(left|right|up|down)|[mwnd])$/i.test(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      post({ action: "window", key: event.key });
    }
  }, true);
  Object.defineProperty(window, "MatrixOS", {
    value: Object.freeze({
      app: Object.freeze({ name: "{app}" }),
      readData: (key) => call("readData", { key: String(key) }),
      writeData: (key, value) => call("writeData", { key: String(key), value: value === undefined ? null : value }),
      generate: (prompt) => call("generate", { prompt: String(prompt) }),
      navigate: (app) => call("navigate", { app: String(app) }),
    }),
  });
  addEventListener("DOMContentLoaded", () => post({ action: "ready" }));
})();
