import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The folder is beside the server that serves it; the Python build runs this and refuses to go on without index.html.
export default defineConfig({
  plugins: [svelte()],
  base: "/",
  publicDir: false,
  build: {
    outDir: "../src/beaconfire/adapters/web/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
