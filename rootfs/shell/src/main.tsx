// Starts the desktop.
import "@matrixos/look/base.css";
import "./shell.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { watchTheme } from "./desktop/theme/store.ts";
import { Desktop } from "./desktop/Desktop.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
watchTheme();
createRoot(root).render(
  <StrictMode>
    <Desktop />
  </StrictMode>,
);
