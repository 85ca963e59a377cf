// Starts the page that the address names.
import "@matrixos/look/base.css";
import "./pages.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Pages } from "./Pages.tsx";

// A page that the browser kept and shows again (the back button) may be out of date: who is signed in may have changed.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Pages />
    </StrictMode>,
  );
}
