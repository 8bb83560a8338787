// The drawn symbols, fetched once when they are first asked for.

import type { SymbolSet } from "./scene";

class Held {
  /** Null until they are here, and where they do not load: then the plain marks stay. */
  set = $state.raw<SymbolSet | null>(null);
  #asked = false;

  want(): void {
    if (this.#asked) return;
    this.#asked = true;
    void import("./symbols").then((loaded) => (this.set = loaded.symbols), () => (this.#asked = false));
  }
}

export const symbolSet = new Held();
