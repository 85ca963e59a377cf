// Builds the platform's pages. Nothing is inlined: the pages' CSP allows no data: fonts and no inline script or style.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { standIn } from "./dev/stand-in.ts";

export default defineConfig({
  plugins: [react(), standIn()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { port: 5173 },
  test: { css: true },
});
