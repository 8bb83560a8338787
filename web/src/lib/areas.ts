// Shapes on the ground that map and globe draw alike: areas of uncertainty, nested and past ones. Degrees and metres.

import type { Area, Impact, PastArea } from "./wire";

export const EARTH_RADIUS_M = 6_371_008.8;
const DEGREES = 180 / Math.PI;
/** A past area is drawn when it was this much larger than the next one drawn. */
const SHRUNK = 1.22;
const FADING = 0.82;

/** Longitude and latitude. */
export type Corner = [number, number];

/** Destination on the sphere. */
export function destination(from: Corner, bearing_rad: number, distance_m: number): Corner {
  const angle = distance_m / EARTH_RADIUS_M;
  const lat = from[1] / DEGREES;
  const sine = Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(bearing_rad);
  const east = Math.sin(bearing_rad) * Math.sin(angle) * Math.cos(lat);
  const north = Math.cos(angle) - Math.sin(lat) * sine;
  return [from[0] + Math.atan2(east, north) * DEGREES, Math.asin(Math.max(-1, Math.min(1, sine))) * DEGREES];
}

/** The closed outline of an area of uncertainty. */
export function areaCorners(area: Area, corners: number): Corner[] {
  const centre: Corner = [area.longitude_deg, area.latitude_deg];
  const ring: Corner[] = [];
  for (let index = 0; index <= corners; index++) {
    const turn = (2 * Math.PI * index) / corners;
    const [along, across] = [area.semi_major_m * Math.cos(turn), area.semi_minor_m * Math.sin(turn)];
    ring.push(destination(centre, area.bearing_deg / DEGREES + Math.atan2(across, along), Math.hypot(along, across)));
  }
  return ring;
}

/** The closed circle about a place, as far from it as `radius_m` on the ground. */
export function circleCorners(place: { longitude_deg: number; latitude_deg: number }, radius_m: number, corners: number): Corner[] {
  return areaCorners({ ...place, semi_major_m: radius_m, semi_minor_m: radius_m, bearing_deg: 0, probability: 1 }, corners);
}

function contourCorners(impact: Impact, probability: number): Corner[] | null {
  const contour = impact.contours?.find((one) => one.probability === probability);
  if (contour === undefined) return null;
  return [...contour.points_deg, ...contour.points_deg.slice(0, 1)].map(([latitude, longitude]): Corner => [longitude, latitude]);
}

/** The outline of an impact at the probability it states; a contour where an ellipse does not fit. */
export function statedCorners(impact: Impact, corners: number): Corner[] {
  return contourCorners(impact, impact.probability) ?? areaCorners(impact, corners);
}

/** An area of another probability about the same impact. */
export interface Nested {
  corners: Corner[];
  /** It holds more than the stated one: drawn dashed. */
  wider: boolean;
}

/** The areas of other probabilities than the stated one; a contour in place of the ellipse it belongs to. */
export function nestedAreas(impact: Impact, corners: number): Nested[] {
  const stated = impact.probability;
  const known = [...(impact.ellipses ?? []), ...(impact.contours ?? [])].map((one) => one.probability);
  return [...new Set(known)].filter((one) => one !== stated).map((probability) => {
    const ellipse = impact.ellipses?.find((one) => one.probability === probability);
    return { corners: contourCorners(impact, probability) ?? areaCorners({ ...impact, ...ellipse! }, corners), wider: probability > stated };
  });
}

/** Past areas that tell of the shrinking, the newest first, the older the fainter. */
export function pastAreas(areas: PastArea[]): { area: PastArea; faintness: number }[] {
  const found: { area: PastArea; faintness: number }[] = [];
  let size_m = areas.at(-1)?.semi_major_m ?? 0;
  let faintness = 0.6;
  for (const area of [...areas].reverse()) {
    if (area.semi_major_m < SHRUNK * size_m) continue;
    [size_m, faintness] = [area.semi_major_m, Math.max(0.1, FADING * faintness)];
    found.push({ area, faintness });
  }
  return found;
}
