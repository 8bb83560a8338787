// Paths ahead and where an object is on them: computed once per state, drawn many times.

import { fixAt, fixOf, fixSoon, predictedPath, type Fix } from "./flight";
import type { EventLine } from "./wire";
import { isOpen } from "./words";

/** Computes each path once per state: the free flight of a state never changes. */
export class Paths {
  #held = new Map<string, { key: string; path: Fix[] }>();

  /** Where an open event is now, from its newest state; null where that can't be said. */
  at(event: EventLine, utc_us: number | null): Fix | null {
    if (event.state === null || event.state.phase === "BOOST" || utc_us === null || !isOpen(event)) return null;
    return fixSoon(event.state, utc_us) ?? fixAt(this.of(event), utc_us);
  }

  /** Where to draw an event's mark: where it is now, else its newest state; null where it has none. */
  now(event: EventLine, utc_us: number | null): Fix | null {
    if (event.state === null) return null;
    return this.at(event, utc_us) ?? fixOf(event.state.position_ecef_m, event.state.epoch_us);
  }

  of(event: EventLine): Fix[] {
    if (event.state === null || event.state.phase === "BOOST") return [];
    const key = `${event.revision}`;
    const held = this.#held.get(event.event_id);
    if (held?.key === key) return held.path;
    const path = predictedPath(event.state);
    if (this.#held.size >= 2_048) this.#held.clear();
    this.#held.set(event.event_id, { key, path });
    return path;
  }
}
