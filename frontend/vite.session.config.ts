/** The session core as one JavaScript module without dependencies, `build/session.js`, for Node and for any page. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  publicDir: false,
  build: {
    outDir: "build",
    target: "es2023",
    minify: false, // it is for reading, too
    lib: { entry: "src/session/index.ts", formats: ["es"], fileName: "session" },
  },
});
