// The map: land and borders once per view, everything that moves on each frame. Never the countdown or the banner.

import { geoAzimuthalEqualArea, geoCircle, geoDistance, geoGraticule10, geoPath, type GeoPermissibleObjects, type GeoProjection } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";

import { fixAt, fixOf, fixSoon, geodetic, predictedPath, type Fix } from "./flight";
import type { Area, EventLine, Impact, Place, Sensor } from "./wire";
import { heaviest, isOpen } from "./words";

const EARTH_RADIUS_M = 6_371_008.8;
const DEGREES = 180 / Math.PI;
const SMALLEST_RADIUS_DEG = 4.5;
const MARGIN_PX = 64;
/** A past area is drawn when it was this much larger than the next one drawn. */
const SHRUNK = 1.22;
const FONT = "12px system-ui, 'DejaVu Sans', 'Noto Sans CJK JP', sans-serif";
/** With more events than this only the chosen one has a path ahead and the word beside its mark. */
const DETAILED_MAX = 60;

/** What `lib/symbols.ts`, a chunk of its own, gives. */
export interface SymbolSet {
  event: (event: EventLine, density: number) => Stamp;
  radar: (mode: string, density: number) => Stamp;
}

/** An image, where in it the point is that it stands for, and its size in page pixels. */
export interface Stamp {
  image: HTMLCanvasElement;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface World {
  land: GeoPermissibleObjects;
  borders: GeoPermissibleObjects;
}

/** Colours of one theme, read from the style sheet so that canvas and page agree. */
export interface Palette {
  sea: string;
  land: string;
  coast: string;
  border: string;
  grid: string;
  ink: string;
  halo: string;
  place: string;
  sensor: string;
  track: string;
  impact: string;
  launch: string;
}

export interface Scene {
  events: EventLine[];
  chosen: string | null;
  places: Place[];
  sensors: Sensor[];
  utc_us: number | null;
  borders: boolean;
  coverage: boolean;
  areas: boolean;
  labels: boolean;
  /** Symbols of MIL-STD-2525D in place of the plain marks, once they are loaded. */
  symbols: SymbolSet | null;
  mode: string;
  /** Text of an object's height in kilometres. */
  height: (km: number) => string;
}

/** Land and the borders on which both sides have a country code: what has none is disputed and is left out. */
export function readWorld(topology: Topology): World {
  const countries = topology.objects.countries as GeometryCollection;
  return {
    land: feature(topology, topology.objects.land as GeometryCollection),
    borders: mesh(topology, countries, (a, b) => a !== b && a.id !== undefined && b.id !== undefined),
  };
}

/** Destination on the sphere, [longitude, latitude] in degrees. */
function destination(from: [number, number], bearing_rad: number, distance_m: number): [number, number] {
  const angle = distance_m / EARTH_RADIUS_M;
  const lat = from[1] / DEGREES;
  const sine = Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(bearing_rad);
  const east = Math.sin(bearing_rad) * Math.sin(angle) * Math.cos(lat);
  const north = Math.cos(angle) - Math.sin(lat) * sine;
  return [from[0] + Math.atan2(east, north) * DEGREES, Math.asin(Math.max(-1, Math.min(1, sine))) * DEGREES];
}

/** The closed outline of an area of uncertainty, [longitude, latitude] in degrees. */
export function areaCorners(area: Area, corners: number): [number, number][] {
  const centre: [number, number] = [area.longitude_deg, area.latitude_deg];
  const ring: [number, number][] = [];
  for (let index = 0; index <= corners; index++) {
    const turn = (2 * Math.PI * index) / corners;
    const [along, across] = [area.semi_major_m * Math.cos(turn), area.semi_minor_m * Math.sin(turn)];
    ring.push(destination(centre, area.bearing_deg / DEGREES + Math.atan2(across, along), Math.hypot(along, across)));
  }
  return ring;
}

function outline(area: Area, corners: number): GeoPermissibleObjects {
  return { type: "LineString", coordinates: areaCorners(area, corners) };
}

/** The colours of the theme that an element is in. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--map-${name}`).trim();
  return {
    sea: colour("sea"), land: colour("land"), coast: colour("coast"), border: colour("border"),
    grid: colour("grid"), ink: colour("ink"), halo: colour("halo"), place: colour("place"),
    sensor: colour("sensor"), track: colour("track"), impact: colour("impact"), launch: colour("launch"),
  };
}

/** Computes each path once per state: the free flight of a state never changes. */
export class Paths {
  #held = new Map<string, { key: string; path: Fix[] }>();

  /** Where an open event is now, from its newest state; null where that can't be said. */
  at(event: EventLine, utc_us: number | null): Fix | null {
    if (event.state === null || event.state.phase === "BOOST" || utc_us === null || !isOpen(event)) return null;
    return fixSoon(event.state, utc_us) ?? fixAt(this.of(event), utc_us);
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

export class Map2d {
  #context: CanvasRenderingContext2D;
  #ground: HTMLCanvasElement;
  #projection: GeoProjection = geoAzimuthalEqualArea().clipAngle(120).precision(0.4);
  #groundKey = "";
  #paths = new Paths();
  #labels = true;
  #boxes: [number, number, number, number][] = [];
  #held = false;
  #circle = { centre: [133, 38] as [number, number], radius_deg: 12 };
  #width = 1;
  #height = 1;
  #density = 1;
  world: World | null = null;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d")!;
    this.#ground = document.createElement("canvas");
  }

  resize(width: number, height: number, density: number): void {
    [this.#width, this.#height, this.#density] = [Math.max(1, width), Math.max(1, height), density];
    for (const canvas of [this.canvas, this.#ground]) {
      canvas.width = Math.round(this.#width * density);
      canvas.height = Math.round(this.#height * density);
    }
    this.#groundKey = "";
  }

  /** Lets the map follow the events again. */
  release(): void {
    this.#held = false;
  }

  zoom(factor: number): void {
    this.#held = true;
    this.#circle.radius_deg = Math.min(90, Math.max(0.5, this.#circle.radius_deg * factor));
  }

  pan(dx: number, dy: number): void {
    this.#held = true;
    const centre = this.#projection.invert?.([this.#width / 2 - dx, this.#height / 2 - dy]);
    if (centre && Number.isFinite(centre[0])) this.#circle.centre = [centre[0], Math.max(-85, Math.min(85, centre[1]))];
  }

  /** Metres per pixel at the centre. */
  get metresPerPixel(): number {
    return (EARTH_RADIUS_M * this.#circle.radius_deg) / DEGREES / (Math.min(this.#width, this.#height) / 2);
  }

  /** Longitude and latitude in degrees of a point of the canvas, null outside the earth. */
  placeAt(x: number, y: number): [number, number] | null {
    const place = this.#projection.invert?.([x, y]);
    return place && Number.isFinite(place[0]) ? place : null;
  }

  /** The event nearest to a point, within 24 pixels. */
  at(x: number, y: number, scene: Scene): string | null {
    let best: [number, string | null] = [24, null];
    for (const event of scene.events) {
      for (const point of this.#handles(event, scene.utc_us)) {
        const pixel = this.#projection(point);
        const distance = pixel ? Math.hypot(pixel[0] - x, pixel[1] - y) : Infinity;
        if (distance < best[0]) best = [distance, event.event_id];
      }
    }
    return best[1];
  }

  draw(scene: Scene, palette: Palette): void {
    if (!this.#held) this.#follow(scene);
    this.#aim();
    this.#drawGround(scene.borders, palette);
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#ground, 0, 0);
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.font = FONT;
    this.#labels = scene.labels;
    this.#boxes = [];
    if (scene.coverage) for (const sensor of scene.sensors) this.#drawCoverage(sensor, palette);
    const concerned = new Set(scene.events.filter((event) => event.event_id === scene.chosen || isOpen(event)).flatMap((event) => event.places.map((one) => one.place)));
    const places = [...scene.places].sort((a, b) => Number(concerned.has(b.name)) - Number(concerned.has(a.name)));
    for (const place of places) this.#drawPlace(place, palette);
    for (const sensor of scene.sensors) this.#drawSensor(sensor, scene, palette);
    const ordered = [...scene.events].sort((a, b) => Number(a.event_id === scene.chosen) - Number(b.event_id === scene.chosen));
    for (const event of ordered) this.#drawEvent(event, scene, palette);
  }

  #handles(event: EventLine, utc_us: number | null): [number, number][] {
    const now = this.#nowFix(event, utc_us);
    const impact = heaviest(event.impact);
    const points: [number, number][] = [];
    if (now) points.push([now.longitude_deg, now.latitude_deg]);
    if (impact) points.push([impact.longitude_deg, impact.latitude_deg]);
    if (event.launch) points.push([event.launch.longitude_deg, event.launch.latitude_deg]);
    return points;
  }

  /** Centre and radius that hold what matters: the chosen or open events, and the own places if they are near. */
  #follow(scene: Scene): void {
    const wanted = scene.events.filter((event) => event.event_id === scene.chosen || isOpen(event));
    const shown = wanted.length > 0 ? wanted : scene.events.slice(0, 8);
    const points: [number, number][] = shown.slice(0, 64).flatMap((event) => this.#extent(event));
    for (const place of scene.places) points.push([place.longitude_deg, place.latitude_deg]);
    if (points.length === 0) for (const s of scene.sensors) if (s.longitude_deg !== undefined) points.push([s.longitude_deg, s.latitude_deg!]);
    if (points.length === 0) return;
    const wish = this.#fitted(points);
    const now = this.#circle;
    const moved = (geoDistance(now.centre, wish.centre) * DEGREES) / wish.radius_deg;
    const scaled = wish.radius_deg / now.radius_deg;
    if (moved > 0.12 || scaled > 1.05 || scaled < 0.75) this.#circle = wish;
  }

  /** Centre and radius at which the points fill the frame, whatever its shape. */
  #fitted(points: [number, number][]): { centre: [number, number]; radius_deg: number } {
    let centre = middle(points);
    let [across, along] = [0, 0];
    for (let turn = 0; turn < 3; turn++) {
      const flat = geoAzimuthalEqualArea().rotate([-centre[0], -centre[1]]).translate([0, 0]).scale(1);
      const placed = points.map((point) => flat(point)!);
      const [xs, ys] = [placed.map((p) => p[0]), placed.map((p) => p[1])];
      const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      [across, along] = [right - left, bottom - top];
      centre = flat.invert!([(left + right) / 2, (top + bottom) / 2])!;
    }
    const [width, height] = [this.#width - 2 * MARGIN_PX, this.#height - 2 * MARGIN_PX];
    const scale = Math.min(Math.max(60, width) / across, Math.max(60, height) / along);
    const radius = 2 * Math.asin(Math.min(0.99, Math.min(this.#width, this.#height) / 2 / scale / 2)) * DEGREES;
    return { centre, radius_deg: Math.max(SMALLEST_RADIUS_DEG, radius) };
  }

  #extent(event: EventLine): [number, number][] {
    const points: [number, number][] = event.trail.slice(0, 1).map((p) => geodetic(p.position_ecef_m).slice(0, 2) as [number, number]);
    if (event.state) points.push(geodetic(event.state.position_ecef_m).slice(0, 2) as [number, number]);
    const impact = heaviest(event.impact);
    for (const area of [event.launch, event.areas[0], impact]) {
      if (!area) continue;
      const centre: [number, number] = [area.longitude_deg, area.latitude_deg];
      const reach = Math.min(area.semi_major_m, 1.5e6);
      for (const turn of [0, 180]) points.push(destination(centre, (area.bearing_deg + turn) / DEGREES, reach));
    }
    return points;
  }

  #aim(): void {
    const { centre, radius_deg } = this.#circle;
    this.#projection
      .rotate([-centre[0], -centre[1]])
      .translate([this.#width / 2, this.#height / 2])
      .scale(Math.min(this.#width, this.#height) / 2 / (2 * Math.sin(radius_deg / DEGREES / 2)));
  }

  #drawGround(borders: boolean, palette: Palette): void {
    const { centre, radius_deg } = this.#circle;
    const key = [centre, radius_deg, borders, palette.sea, this.world !== null].join();
    if (key === this.#groundKey) return;
    this.#groundKey = key;
    const context = this.#ground.getContext("2d")!;
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.fillStyle = palette.sea;
    context.fillRect(0, 0, this.#width, this.#height);
    const path = geoPath(this.#projection, context);
    const stroke = (shape: GeoPermissibleObjects, colour: string, width: number): void => {
      context.beginPath();
      path(shape);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    };
    stroke(geoGraticule10(), palette.grid, 0.6);
    if (this.world === null) return;
    context.beginPath();
    path(this.world.land);
    context.fillStyle = palette.land;
    context.fill();
    stroke(this.world.land, palette.coast, 0.8);
    context.setLineDash([3, 3]);
    if (borders) stroke(this.world.borders, palette.border, 0.8);
    context.setLineDash([]);
  }

  #drawPlace(place: Place, palette: Palette): void {
    const centre: [number, number] = [place.longitude_deg, place.latitude_deg];
    const pixel = this.#visible(centre);
    if (pixel === null) return;
    const context = this.#context;
    this.#stroke(geoCircle().center(centre).radius((place.radius_m / EARTH_RADIUS_M) * DEGREES)(), palette.place, 1.4);
    context.fillStyle = palette.place;
    context.fillRect(pixel[0] - 2.5, pixel[1] - 2.5, 5, 5);
    this.#label(place.name, pixel, palette.place, palette.halo);
  }

  #stamp(stamp: Stamp, [x, y]: [number, number]): void {
    this.#context.drawImage(stamp.image, x - stamp.x, y - stamp.y, stamp.width, stamp.height);
  }

  #drawSensor(sensor: Sensor, scene: Scene, palette: Palette): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined) return;
    const pixel = this.#visible([sensor.longitude_deg, sensor.latitude_deg]);
    if (pixel === null) return;
    if (scene.symbols !== null) {
      this.#stamp(scene.symbols.radar(scene.mode, this.#density), pixel);
      this.#label(sensor.id, [pixel[0] + 8, pixel[1]], palette.sensor, palette.halo);
      return;
    }
    const context = this.#context;
    const [x, y] = pixel;
    context.beginPath();
    context.moveTo(x, y - 6);
    context.lineTo(x + 5.5, y + 4);
    context.lineTo(x - 5.5, y + 4);
    context.closePath();
    context.fillStyle = palette.sensor;
    context.fill();
    context.strokeStyle = palette.halo;
    context.lineWidth = 1;
    context.stroke();
    this.#label(sensor.id, pixel, palette.sensor, palette.halo);
  }

  #drawEvent(event: EventLine, scene: Scene, palette: Palette): void {
    const context = this.#context;
    const chosen = event.event_id === scene.chosen;
    const detailed = chosen || scene.events.length <= DETAILED_MAX;
    context.globalAlpha = isOpen(event) || chosen ? 1 : 0.45;
    if (chosen && scene.areas) this.#drawPastAreas(event, palette);
    if (scene.areas && detailed) for (const impact of event.impact) this.#drawImpact(impact, chosen, palette);
    if (scene.areas && detailed && event.launch) this.#drawLaunch(event.launch, palette);
    if (detailed) this.#drawTrack(event, chosen, palette);
    const now = this.#nowFix(event, scene.utc_us);
    const pixel = now && this.#visible([now.longitude_deg, now.latitude_deg]);
    if (now && pixel && scene.symbols !== null) this.#stamp(scene.symbols.event(event, this.#density), pixel);
    else if (now && pixel) this.#drawObject(event, pixel, palette);
    if (now && pixel && detailed && isOpen(event)) {
      this.#label(scene.height(Math.round(now.height_m / 1_000)), [pixel[0] + 2, pixel[1] - 10], palette.ink, palette.halo);
    }
    context.globalAlpha = 1;
  }

  /** The older an area, the fainter: the eye sees it shrink. */
  #drawPastAreas(event: EventLine, palette: Palette): void {
    const context = this.#context;
    let size = event.areas.at(-1)?.semi_major_m ?? 0;
    let faintness = 0.6;
    for (const area of [...event.areas].reverse()) {
      if (area.semi_major_m < SHRUNK * size) continue;
      [size, faintness] = [area.semi_major_m, Math.max(0.1, 0.82 * faintness)];
      context.globalAlpha = faintness;
      this.#stroke(outline(area, 40), palette.impact, 1.2);
    }
    context.globalAlpha = 1;
  }

  #drawImpact(impact: Impact, chosen: boolean, palette: Palette): void {
    const context = this.#context;
    const shape = outline(impact, 64);
    const before = context.globalAlpha;
    context.globalAlpha = before * 0.18;
    context.beginPath();
    geoPath(this.#projection, context)(shape);
    context.fillStyle = palette.impact;
    context.fill();
    context.globalAlpha = before;
    this.#stroke(shape, palette.impact, chosen ? 2.5 : 1.5);
    if (chosen) this.#drawNested(impact, palette);
    const pixel = this.#visible([impact.longitude_deg, impact.latitude_deg]);
    if (pixel === null) return;
    context.beginPath();
    const arm = Math.max(2.5, Math.min(5, impact.semi_minor_m / this.metresPerPixel / 2));
    for (const [dx, dy] of [[-arm, -arm], [arm, -arm]] as const) {
      context.moveTo(pixel[0] + dx, pixel[1] + dy);
      context.lineTo(pixel[0] - dx, pixel[1] - dy);
    }
    context.strokeStyle = palette.impact;
    context.lineWidth = 2;
    context.stroke();
  }

  /** The smaller area in a thin line, the larger one dashed; a contour in place of the ellipse it belongs to. */
  #drawNested(impact: Impact, palette: Palette): void {
    const contours = impact.contours ?? [];
    for (const one of impact.ellipses ?? []) {
      if (one.probability === impact.probability || contours.some((other) => other.probability === one.probability)) continue;
      this.#drawProbable(one.probability, impact.probability, outline({ ...impact, ...one }, 64), palette);
    }
    for (const one of contours) {
      const ring = [...one.points_deg, ...one.points_deg.slice(0, 1)].map(([latitude, longitude]): [number, number] => [longitude, latitude]);
      this.#drawProbable(one.probability, impact.probability, { type: "LineString", coordinates: ring }, palette);
    }
  }

  #drawProbable(probability: number, stated: number, shape: GeoPermissibleObjects, palette: Palette): void {
    this.#context.setLineDash(probability > stated ? [7, 4] : []);
    this.#stroke(shape, palette.impact, 1.2);
    this.#context.setLineDash([]);
  }

  #drawLaunch(launch: Area, palette: Palette): void {
    const context = this.#context;
    context.setLineDash([5, 3]);
    this.#stroke(outline(launch, 40), palette.launch, 1.6);
    context.setLineDash([]);
    const pixel = this.#visible([launch.longitude_deg, launch.latitude_deg]);
    if (pixel === null) return;
    context.beginPath();
    context.arc(pixel[0], pixel[1], 3, 0, 2 * Math.PI);
    context.fillStyle = palette.launch;
    context.fill();
  }

  #drawTrack(event: EventLine, chosen: boolean, palette: Palette): void {
    const context = this.#context;
    const past = event.trail.map((point) => geodetic(point.position_ecef_m).slice(0, 2) as [number, number]);
    this.#stroke({ type: "LineString", coordinates: past }, palette.track, chosen ? 3 : 1.8);
    const path = this.#paths.of(event);
    context.setLineDash([2, 5]);
    context.lineCap = "round";
    this.#stroke({ type: "LineString", coordinates: path.map((fix) => [fix.longitude_deg, fix.latitude_deg]) }, palette.track, 2);
    context.setLineDash([]);
  }

  /** How far a sensor can see along the ground: its reach, shown as it is on the ground, not its volume. */
  #drawCoverage(sensor: Sensor, palette: Palette): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined || sensor.maximum_range_m === undefined) return;
    const shape = geoCircle().center([sensor.longitude_deg, sensor.latitude_deg]).radius((sensor.maximum_range_m / EARTH_RADIUS_M) * DEGREES)();
    const context = this.#context;
    context.globalAlpha = 0.07;
    context.beginPath();
    geoPath(this.#projection, context)(shape);
    context.fillStyle = palette.sensor;
    context.fill();
    context.globalAlpha = 0.9;
    context.setLineDash([8, 4]);
    this.#stroke(shape, palette.sensor, 1.2);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #nowFix(event: EventLine, utc_us: number | null): Fix | null {
    if (event.state === null) return null;
    return this.#paths.at(event, utc_us) ?? fixOf(event.state.position_ecef_m, event.state.epoch_us);
  }

  #drawObject(event: EventLine, [x, y]: [number, number], palette: Palette): void {
    const context = this.#context;
    context.beginPath();
    context.moveTo(x, y - 8);
    context.lineTo(x + 7, y + 6);
    context.lineTo(x - 7, y + 6);
    context.closePath();
    context.fillStyle = event.status === "TENTATIVE" ? palette.halo : palette.track;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = event.status === "TENTATIVE" ? palette.track : palette.halo;
    context.stroke();
  }

  #visible(point: [number, number]): [number, number] | null {
    if (geoDistance(point, this.#circle.centre) > 2) return null;
    const pixel = this.#projection(point);
    return pixel !== null && Number.isFinite(pixel[0]) ? pixel : null;
  }

  #stroke(shape: GeoPermissibleObjects, colour: string, width: number): void {
    const context = this.#context;
    context.beginPath();
    geoPath(this.#projection, context)(shape);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  /** A word beside a point where it covers no other word: right, left, below or above; left out where none is free. */
  #label(text: string, [px, py]: [number, number], colour: string, halo: string): void {
    if (!this.#labels) return;
    const context = this.#context;
    const short = text.length > 28 ? `${text.slice(0, 27)}…` : text;
    const width = context.measureText(short).width;
    const spots: [number, number][] = [[px + 8, py + 4], [px - 8 - width, py + 4], [px - width / 2, py + 18], [px - width / 2, py - 10]];
    const free = spots.find(([x, y]) => this.#boxes.every(([left, top, right, bottom]) => x > right || x + width < left || y - 11 > bottom || y + 3 < top));
    if (free === undefined) return;
    const [x, y] = free;
    this.#boxes.push([x, y - 11, x + width, y + 3]);
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = halo;
    context.strokeText(short, x, y);
    context.fillStyle = colour;
    context.fillText(short, x, y);
  }
}

/** The mean direction of places, [longitude, latitude] in degrees. */
function middle(points: [number, number][]): [number, number] {
  let [x, y, z] = [0, 0, 0];
  for (const [longitude, latitude] of points) {
    const [lon, lat] = [longitude / DEGREES, latitude / DEGREES];
    x += Math.cos(lat) * Math.cos(lon);
    y += Math.cos(lat) * Math.sin(lon);
    z += Math.sin(lat);
  }
  return [Math.atan2(y, x) * DEGREES, Math.atan2(z, Math.hypot(x, y)) * DEGREES];
}
