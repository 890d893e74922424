import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.ts";

const gateway = process.env.GATEWAY_URL ?? "http://localhost:8000";
const routes = ["/patient", "/sessions", "/tickets", "/healthz", "/readyz"];
const proxy = {
  ...Object.fromEntries(routes.map((route) => [route, { target: gateway }])),
  "/ws": { target: gateway, ws: true },
};

/** What the gateway writes into the page, written by the development server. */
function pageSettings(): Plugin {
  return {
    name: "page-settings",
    apply: "serve",
    transformIndexHtml: (html) =>
      html.replaceAll(
        /__(JAEGER_UI_URL|AUTH_MODE|AUTH_SIGN_IN_URL)__/g,
        (_, name: string) => process.env[name] ?? "",
      ),
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), pageSettings(), precompress()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { port: 5173, strictPort: true, proxy },
  preview: { port: 4173, strictPort: true, proxy },
  // The gateway's Content-Security-Policy takes no font out of a data: URL.
  build: { assetsInlineLimit: 0 },
  test: {
    environment: "jsdom",
    setupFiles: "src/test/setup.ts",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 20_000, // on a machine with two cores that does something else as well
    allowOnly: false,
    coverage: {
      provider: "v8",
      include: ["src/session/**", "src/protocol/**", "src/hooks/use-web-socket.ts"],
      exclude: ["src/protocol/events.gen.ts", "**/*.test.*"],
      thresholds: { lines: 90, statements: 90, functions: 90, branches: 90 },
      reporter: ["text-summary"],
    },
  },
});
