// The lines of an event in the earth's frame: worked out once per revision, looked at from wherever the camera is.

import { Cartesian3 } from "@cesium/engine";

import { areaCorners, nestedAreas, pastAreas, statedCorners, type Corner } from "../lib/areas";
import type { Fix } from "../lib/flight";
import type { EventLine, Vector } from "../lib/wire";

/** Above the ellipsoid, so that what is on the ground is in front of the earth and never in it. */
export const GROUND_M = 1_500;
const BOOST_STEPS = 24;
const HELD_MAX = 256;

export interface Solid {
  trail: Cartesian3[];
  ahead: Cartesian3[];
  /** From the launch point to the first state that is known: to look at only. */
  boost: Cartesian3[];
  launch: Cartesian3[];
  impacts: { stated: Cartesian3[]; nested: { ring: Cartesian3[]; wider: boolean }[] }[];
  past: { ring: Cartesian3[]; faintness: number }[];
}

export function onGround(place: { longitude_deg: number; latitude_deg: number }): Cartesian3 {
  return Cartesian3.fromDegrees(place.longitude_deg, place.latitude_deg, GROUND_M);
}

export function ringOf(corners: Corner[]): Cartesian3[] {
  return corners.map(([longitude, latitude]) => Cartesian3.fromDegrees(longitude, latitude, GROUND_M));
}

export function inAir(fix: Fix): Cartesian3 {
  return Cartesian3.fromDegrees(fix.longitude_deg, fix.latitude_deg, fix.height_m);
}

function vector([x, y, z]: Vector): Cartesian3 {
  return new Cartesian3(x, y, z);
}

/** A curve that leaves the launch point upwards and meets the first known state. */
function boostArc(from: Cartesian3, to: Cartesian3): Cartesian3[] {
  const up = Cartesian3.multiplyByScalar(Cartesian3.normalize(from, new Cartesian3()), 0.6 * Cartesian3.distance(from, to), new Cartesian3());
  const bend = Cartesian3.add(from, up, new Cartesian3());
  return Array.from({ length: BOOST_STEPS + 1 }, (_, index) => {
    const part = index / BOOST_STEPS;
    const one = Cartesian3.lerp(from, bend, part, new Cartesian3());
    return Cartesian3.lerp(one, Cartesian3.lerp(bend, to, part, new Cartesian3()), part, new Cartesian3());
  });
}

function solidOf(event: EventLine, path: Fix[]): Solid {
  const trail = event.trail.map((point) => vector(point.position_ecef_m));
  return {
    trail,
    ahead: path.map(inAir),
    boost: event.launch && trail[0] ? boostArc(onGround(event.launch), trail[0]) : [],
    launch: event.launch ? ringOf(areaCorners(event.launch, 48)) : [],
    impacts: event.impact.map((impact) => ({
      stated: ringOf(statedCorners(impact, 64)),
      nested: nestedAreas(impact, 64).map(({ corners, wider }) => ({ ring: ringOf(corners), wider })),
    })),
    past: pastAreas(event.areas).map(({ area, faintness }) => ({ ring: ringOf(areaCorners(area, 48)), faintness })),
  };
}

export class Solids {
  #held = new Map<string, { event: EventLine; solid: Solid }>();

  of(event: EventLine, path: (event: EventLine) => Fix[]): Solid {
    const held = this.#held.get(event.event_id);
    if (held?.event === event) return held.solid;
    const solid = solidOf(event, path(event));
    if (this.#held.size >= HELD_MAX) this.#held.clear();
    this.#held.set(event.event_id, { event, solid });
    return solid;
  }
}
