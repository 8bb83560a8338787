// The map: land and borders once per view, everything that moves on each frame. Never the countdown or the banner.

import { geoAzimuthalEqualArea, geoDistance, geoGraticule10, geoPath, type GeoPermissibleObjects, type GeoProjection } from "d3-geo";
import { areaCorners, circleCorners, destination, EARTH_RADIUS_M, nestedAreas, pastAreas, statedCorners, type Corner } from "./areas";
import { geodetic } from "./flight";
import { drawCross, drawLaunch, drawObject, drawPlace, drawRadar, drawStamp, FONT, Labels, type Palette } from "./glyphs";
import { Paths } from "./paths";
import { eventsInOrder, isDetailed, placesInOrder, type Scene } from "./scene";
import type { Area, EventLine, Impact, Place, Sensor } from "./wire";
import { heaviest, isOpen } from "./words";
import type { World } from "./world";

const DEGREES = 180 / Math.PI;
const SMALLEST_RADIUS_DEG = 4.5;
const MARGIN_PX = 64;

function lineOf(coordinates: Corner[]): GeoPermissibleObjects {
  return { type: "LineString", coordinates };
}

export class Map2d {
  #context: CanvasRenderingContext2D;
  #ground: HTMLCanvasElement;
  #projection: GeoProjection = geoAzimuthalEqualArea().clipAngle(120).precision(0.4);
  #groundKey = "";
  #paths = new Paths();
  #labels = new Labels();
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
    this.#drawGround(scene, palette);
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#ground, 0, 0);
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.font = FONT;
    this.#labels.clear();
    if (scene.coverage) for (const sensor of scene.sensors) this.#drawCoverage(sensor, palette);
    for (const place of placesInOrder(scene)) this.#drawPlace(place, scene, palette);
    for (const sensor of scene.sensors) this.#drawSensor(sensor, scene, palette);
    for (const event of eventsInOrder(scene)) this.#drawEvent(event, scene, palette);
  }

  #handles(event: EventLine, utc_us: number | null): [number, number][] {
    const now = this.#paths.now(event, utc_us);
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

  #drawGround({ borders, disputed }: Scene, palette: Palette): void {
    const { centre, radius_deg } = this.#circle;
    const key = [centre, radius_deg, borders, disputed, palette.sea, this.world !== null].join();
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
    context.setLineDash([1, 4]);
    if (borders && disputed) stroke(this.world.disputed, palette.border, 0.8);
    context.setLineDash([]);
  }

  #drawPlace(place: Place, scene: Scene, palette: Palette): void {
    const pixel = this.#visible([place.longitude_deg, place.latitude_deg]);
    if (pixel === null) return;
    this.#stroke(lineOf(circleCorners(place, place.radius_m, 48)), palette.place, 1.4);
    drawPlace(this.#context, pixel, palette);
    if (scene.labels) this.#labels.put(this.#context, place.name, pixel, palette.place, palette.halo);
  }

  #drawSensor(sensor: Sensor, scene: Scene, palette: Palette): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined) return;
    const pixel = this.#visible([sensor.longitude_deg, sensor.latitude_deg]);
    if (pixel === null) return;
    if (scene.symbols !== null) drawStamp(this.#context, scene.symbols.radar(scene.mode, this.#density), pixel);
    else drawRadar(this.#context, pixel, palette);
    const beside = scene.symbols === null ? 0 : 8;
    if (scene.labels) this.#labels.put(this.#context, sensor.id, [pixel[0] + beside, pixel[1]], palette.sensor, palette.halo);
  }

  #drawEvent(event: EventLine, scene: Scene, palette: Palette): void {
    const context = this.#context;
    const chosen = event.event_id === scene.chosen;
    const detailed = isDetailed(event, scene);
    context.globalAlpha = isOpen(event) || chosen ? 1 : 0.45;
    if (chosen && scene.areas) this.#drawPastAreas(event, palette);
    if (scene.areas && detailed) for (const impact of event.impact) this.#drawImpact(impact, chosen, palette);
    if (scene.areas && detailed && event.launch) this.#drawLaunch(event.launch, palette);
    if (detailed) this.#drawTrack(event, chosen, palette);
    const now = this.#paths.now(event, scene.utc_us);
    const pixel = now && this.#visible([now.longitude_deg, now.latitude_deg]);
    if (pixel && scene.symbols !== null) drawStamp(context, scene.symbols.event(event, this.#density), pixel);
    else if (pixel) drawObject(context, pixel, event.status, palette);
    if (now && pixel && detailed && isOpen(event) && scene.labels) {
      this.#labels.put(context, scene.height(Math.round(now.height_m / 1_000)), [pixel[0] + 2, pixel[1] - 10], palette.ink, palette.halo);
    }
    context.globalAlpha = 1;
  }

  #drawPastAreas(event: EventLine, palette: Palette): void {
    const context = this.#context;
    const before = context.globalAlpha;
    for (const { area, faintness } of pastAreas(event.areas)) {
      context.globalAlpha = before * faintness;
      this.#stroke(lineOf(areaCorners(area, 40)), palette.impact, 1.2);
    }
    context.globalAlpha = before;
  }

  #drawImpact(impact: Impact, chosen: boolean, palette: Palette): void {
    const context = this.#context;
    const shape = lineOf(statedCorners(impact, 64));
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
    if (pixel !== null) drawCross(context, pixel, Math.max(2.5, Math.min(5, impact.semi_minor_m / this.metresPerPixel / 2)), palette);
  }

  /** The smaller area in a thin line, the larger one dashed. */
  #drawNested(impact: Impact, palette: Palette): void {
    for (const { corners, wider } of nestedAreas(impact, 64)) {
      this.#context.setLineDash(wider ? [7, 4] : []);
      this.#stroke(lineOf(corners), palette.impact, 1.2);
    }
    this.#context.setLineDash([]);
  }

  #drawLaunch(launch: Area, palette: Palette): void {
    const context = this.#context;
    context.setLineDash([5, 3]);
    this.#stroke(lineOf(areaCorners(launch, 40)), palette.launch, 1.6);
    context.setLineDash([]);
    const pixel = this.#visible([launch.longitude_deg, launch.latitude_deg]);
    if (pixel !== null) drawLaunch(context, pixel, palette);
  }

  #drawTrack(event: EventLine, chosen: boolean, palette: Palette): void {
    const context = this.#context;
    const past = event.trail.map((point) => geodetic(point.position_ecef_m).slice(0, 2) as Corner);
    this.#stroke(lineOf(past), palette.track, chosen ? 3 : 1.8);
    context.setLineDash([2, 5]);
    context.lineCap = "round";
    this.#stroke(lineOf(this.#paths.of(event).map((fix): Corner => [fix.longitude_deg, fix.latitude_deg])), palette.track, 2);
    context.setLineDash([]);
  }

  /** How far a sensor can see along the ground: its reach, shown as it is on the ground, not its volume. */
  #drawCoverage(sensor: Sensor, palette: Palette): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined || sensor.maximum_range_m === undefined) return;
    const shape = lineOf(circleCorners({ longitude_deg: sensor.longitude_deg, latitude_deg: sensor.latitude_deg }, sensor.maximum_range_m, 96));
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
