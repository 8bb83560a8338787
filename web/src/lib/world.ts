// The coast lines, fetched once for map and sandbox.

import type { Topology } from "topojson-specification";
import worldUrl from "world-atlas/countries-50m.json?url";

import { readWorld, type World } from "./draw";

let loading: Promise<World> | null = null;

/** The world; a failure is not remembered, so that the next one who asks tries again. */
export function loadWorld(): Promise<World> {
  loading ??= fetchWorld().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchWorld(): Promise<World> {
  const answer = await fetch(worldUrl);
  if (!answer.ok) throw new Error(String(answer.status));
  return readWorld((await answer.json()) as Topology);
}
