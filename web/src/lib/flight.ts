// Where an object is between two messages, for drawing only: free flight from the newest state, and WGS-84 coordinates.

import type { State, Vector } from "./wire";

const SEMI_MAJOR_M = 6_378_137.0;
const FLATTENING = 1 / 298.257_223_563;
const ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING);
const GM_M3_S2 = 3.986_004_418e14;
const ROTATION_RAD_S = 7.292_115e-5;
const J2 = 1.082_626_683_553e-3;
const DEGREES = 180 / Math.PI;
const STEP_S = 5;
const STEPS_MAX = 1_440;
/** Up to here stepping from the state costs less than the whole path, which few events need. */
const SOON_S = 30;

export interface Fix {
  epoch_us: number;
  longitude_deg: number;
  latitude_deg: number;
  height_m: number;
}

/** Longitude, latitude in degrees and height in metres; Bowring's formula, turned twice. */
export function geodetic(position: Vector): [number, number, number] {
  const [x, y, z] = position;
  const across = Math.hypot(x, y);
  const second = ECCENTRICITY_SQUARED / (1 - ECCENTRICITY_SQUARED);
  const minor = SEMI_MAJOR_M * (1 - FLATTENING);
  let parametric = Math.atan2(z * SEMI_MAJOR_M, across * minor);
  let latitude = 0;
  for (let turn = 0; turn < 2; turn++) {
    latitude = Math.atan2(
      z + second * minor * Math.sin(parametric) ** 3,
      across - ECCENTRICITY_SQUARED * SEMI_MAJOR_M * Math.cos(parametric) ** 3,
    );
    parametric = Math.atan2(minor * Math.sin(latitude), SEMI_MAJOR_M * Math.cos(latitude));
  }
  const vertical = SEMI_MAJOR_M / Math.sqrt(1 - ECCENTRICITY_SQUARED * Math.sin(latitude) ** 2);
  const height = across * Math.cos(latitude) + z * Math.sin(latitude) - SEMI_MAJOR_M ** 2 / vertical;
  return [Math.atan2(y, x) * DEGREES, latitude * DEGREES, height];
}

function rate(s: number[]): number[] {
  const [x, y, z, vx, vy, vz] = s as [number, number, number, number, number, number];
  const r2 = x * x + y * y + z * z;
  const pull = -GM_M3_S2 / (r2 * Math.sqrt(r2));
  const bulge = 1.5 * J2 * (SEMI_MAJOR_M * SEMI_MAJOR_M) / r2;
  const polar = (5 * z * z) / r2;
  return [
    vx,
    vy,
    vz,
    pull * x * (1 + bulge * (1 - polar)) + ROTATION_RAD_S ** 2 * x + 2 * ROTATION_RAD_S * vy,
    pull * y * (1 + bulge * (1 - polar)) + ROTATION_RAD_S ** 2 * y - 2 * ROTATION_RAD_S * vx,
    pull * z * (1 + bulge * (3 - polar)),
  ];
}

function step(s: number[], h: number): number[] {
  const along = (k: number[], f: number): number[] => s.map((value, i) => value + f * (k[i] ?? 0));
  const k1 = rate(s);
  const k2 = rate(along(k1, h / 2));
  const k3 = rate(along(k2, h / 2));
  const k4 = rate(along(k3, h));
  return s.map((value, i) => value + (h / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!));
}

/** Free flight from a state to the ground, without drag: a line to look at, never an estimate. */
export function predictedPath(state: State): Fix[] {
  let current: number[] = [...state.position_ecef_m, ...state.velocity_ecef_m_s];
  const path: Fix[] = [];
  for (let index = 0; index < STEPS_MAX; index++) {
    const fix = fixOf(current.slice(0, 3) as Vector, state.epoch_us + index * STEP_S * 1e6);
    if (fix.height_m < 0 && index > 0) break;
    path.push(fix);
    current = step(current, STEP_S);
  }
  return path;
}

/** Where a state's free flight is at a moment at most `SOON_S` after it; null before it, later, or on the ground. */
export function fixSoon(state: State, utc_us: number): Fix | null {
  let left_s = (utc_us - state.epoch_us) / 1e6;
  if (left_s < 0 || left_s > SOON_S) return null;
  let current: number[] = [...state.position_ecef_m, ...state.velocity_ecef_m_s];
  for (; left_s > 0; left_s -= STEP_S) current = step(current, Math.min(STEP_S, left_s));
  const fix = fixOf(current.slice(0, 3) as Vector, utc_us);
  return fix.height_m < 0 ? null : fix;
}

export function fixOf(position: Vector, epoch_us: number): Fix {
  const [longitude_deg, latitude_deg, height_m] = geodetic(position);
  return { epoch_us, longitude_deg, latitude_deg, height_m };
}

/** The place on a path at a moment, between its two neighbours; null outside it. */
export function fixAt(path: Fix[], utc_us: number): Fix | null {
  const next = path.findIndex((fix) => fix.epoch_us > utc_us);
  if (next <= 0) return null;
  const [a, b] = [path[next - 1]!, path[next]!];
  const part = (utc_us - a.epoch_us) / (b.epoch_us - a.epoch_us);
  const turn = ((b.longitude_deg - a.longitude_deg + 540) % 360) - 180;
  return {
    epoch_us: utc_us,
    longitude_deg: a.longitude_deg + part * turn,
    latitude_deg: a.latitude_deg + part * (b.latitude_deg - a.latitude_deg),
    height_m: a.height_m + part * (b.height_m - a.height_m),
  };
}
