// The coast lines, fetched once for map and sandbox.

import type { GeoPermissibleObjects } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import worldUrl from "world-atlas/countries-50m.json?url";

export interface World {
  land: GeoPermissibleObjects;
  borders: GeoPermissibleObjects;
  disputed: GeoPermissibleObjects;
}

/** Land, the borders on which both sides have a country code, and those on which one has none: those are disputed. */
function readWorld(topology: Topology): World {
  const countries = topology.objects.countries as GeometryCollection;
  return {
    land: feature(topology, topology.objects.land as GeometryCollection),
    borders: mesh(topology, countries, (a, b) => a !== b && a.id !== undefined && b.id !== undefined),
    disputed: mesh(topology, countries, (a, b) => a !== b && (a.id === undefined || b.id === undefined)),
  };
}

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
