// Builds the desktop. Nothing is inlined, so that a CSP of `default-src 'self'` suffices (see README.md).
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// In development a gateway runs beside it; what the platform's proxy does elsewhere, adding the bearer, is done here.
const gateway = {
  target: "http://127.0.0.1:4000",
  ws: true,
  headers: { authorization: "Bearer development" },
};

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { port: 5174, proxy: { "/api": gateway, "/files": gateway, "/apps": gateway, "/ws": gateway, "/health": gateway } },
  test: { css: true },
});
