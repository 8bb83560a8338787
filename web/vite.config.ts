import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const HERE = dirname(fileURLToPath(import.meta.url));
const ENGINE = join(HERE, "node_modules/@cesium/engine");
/** What of the engine's files the globe asks for while it runs; the rest of them stays out of the package. */
const WORKERS = ["incrementallyBuildTerrainPicker.js", "createVerticesFromHeightmap.js", "transferTypedArrayTest.js"];
const TEXTURES = "Source/Assets/Textures/NaturalEarthII";

function withImports(folder: string, names: string[]): Set<string> {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const [, other] of readFileSync(join(folder, name), "utf8").matchAll(/from\s*"\.\/([\w.-]+)"/g)) waiting.push(other!);
  }
  return found;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** Puts the few files that the globe loads by name beside the built ones. */
function globeFiles(): Plugin {
  return {
    name: "globe-files",
    generateBundle() {
      if (!existsSync(ENGINE)) this.error("@cesium/engine is not installed");
      const workers = join(ENGINE, "Build/Workers");
      for (const name of withImports(workers, WORKERS)) {
        this.emitFile({ type: "asset", fileName: `assets/cesium/Workers/${name}`, source: readFileSync(join(workers, name)) });
      }
      const textures = join(ENGINE, TEXTURES);
      for (const path of filesIn(textures)) {
        const fileName = `assets/cesium/Assets/Textures/NaturalEarthII/${relative(textures, path)}`;
        this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
      }
    },
  };
}

// The folder is beside the server that serves it; the Python build runs this and refuses to go on without index.html.
export default defineConfig({
  plugins: [svelte(), globeFiles()],
  base: "/",
  publicDir: false,
  resolve: {
    alias: [
      { find: /^\.\/CreditDisplay\.js$/, replacement: join(HERE, "src/globe/credits.ts") },
      { find: /^\.\/Iau2006XysData\.js$/, replacement: join(HERE, "src/globe/sun.ts") },
      { find: /^milsymbol\//, replacement: join(HERE, "node_modules/milsymbol/src/") },
      { find: /^(meshoptimizer|@spz-loader\/core|@cesium\/wasm-splats)$/, replacement: join(HERE, "src/globe/unused.ts") },
    ],
  },
  build: {
    outDir: "../src/beaconfire/adapters/web/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4_000,
  },
});
