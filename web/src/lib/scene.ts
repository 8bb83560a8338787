// What map and globe are asked to draw, and what both of them choose of it.

import type { Stamp } from "./glyphs";
import type { EventLine, Place, Sensor } from "./wire";
import { isOpen } from "./words";

/** With more events than this only the chosen one has lines, areas and the word beside its mark. */
const DETAILED_MAX = 60;

/** What `symbols.ts`, a chunk of its own, gives. */
export interface SymbolSet {
  event: (event: EventLine, density: number) => Stamp;
  radar: (mode: string, density: number) => Stamp;
}

export interface Scene {
  events: EventLine[];
  chosen: string | null;
  places: Place[];
  sensors: Sensor[];
  utc_us: number | null;
  borders: boolean;
  /** Also those that are disputed, if borders are drawn at all. */
  disputed: boolean;
  coverage: boolean;
  areas: boolean;
  labels: boolean;
  /** Symbols of MIL-STD-2525D in place of the plain marks, once they are loaded. */
  symbols: SymbolSet | null;
  mode: string;
  /** Text of an object's height in kilometres. */
  height: (km: number) => string;
}

export function isDetailed(event: EventLine, scene: Scene): boolean {
  return event.event_id === scene.chosen || scene.events.length <= DETAILED_MAX;
}

/** Those whose places an open or the chosen event names come first: their words find room. */
export function placesInOrder(scene: Scene): Place[] {
  const watched = scene.events.filter((event) => event.event_id === scene.chosen || isOpen(event));
  const concerned = new Set(watched.flatMap((event) => event.places.map((one) => one.place)));
  return [...scene.places].sort((a, b) => Number(concerned.has(b.name)) - Number(concerned.has(a.name)));
}

/** The chosen event last: it lies on top. */
export function eventsInOrder(scene: Scene): EventLine[] {
  return [...scene.events].sort((a, b) => Number(a.event_id === scene.chosen) - Number(b.event_id === scene.chosen));
}
