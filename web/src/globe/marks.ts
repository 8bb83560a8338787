// What lies over the globe, on a canvas of its own: the map's own marks, lines and words, seen from the camera.
// So the earth under it is only drawn anew when the camera moves; see docs/adr/0034.

import type { Cartesian3 } from "@cesium/engine";

import { circleCorners } from "../lib/areas";
import { drawCross, drawLaunch, drawObject, drawPlace, drawRadar, drawStamp, FONT, Labels, type Palette, type Pixel } from "../lib/glyphs";
import { Paths } from "../lib/paths";
import { eventsInOrder, isDetailed, placesInOrder, type Scene } from "../lib/scene";
import type { EventLine, Place, Sensor } from "../lib/wire";
import { heaviest, isOpen } from "../lib/words";
import type { Sight } from "./sight";
import { inAir, onGround, ringOf, Solids, type Solid } from "./solids";

const NEAR_PX = 24;
const CROSS_PX = 4;
const EXTENT_EVENTS_MAX = 32;

interface Brush {
  scene: Scene;
  sight: Sight;
  palette: Palette;
}

export class Marks {
  #context: CanvasRenderingContext2D;
  #density = 1;
  #labels = new Labels();
  #paths = new Paths();
  #solids = new Solids();
  #rings = new Map<string, Cartesian3[]>();
  #handles: { id: string; at: Pixel }[] = [];

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d")!;
  }

  resize(width: number, height: number, density: number): void {
    this.#density = density;
    this.canvas.width = Math.max(1, Math.round(width * density));
    this.canvas.height = Math.max(1, Math.round(height * density));
  }

  draw(scene: Scene, sight: Sight, palette: Palette): void {
    const context = this.#context;
    const brush = { scene, sight, palette };
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.clearRect(0, 0, sight.width, sight.height);
    context.font = FONT;
    this.#labels.clear();
    this.#handles = [];
    for (const place of placesInOrder(scene)) this.#drawPlace(place, brush);
    for (const sensor of scene.sensors) this.#drawSensor(sensor, brush);
    for (const event of eventsInOrder(scene)) this.#drawEvent(event, brush);
  }

  /** The event whose mark is nearest to a point, within 24 pixels. */
  at(x: number, y: number): string | null {
    let best: [number, string | null] = [NEAR_PX, null];
    for (const { id, at } of this.#handles) {
      const distance = Math.hypot(at[0] - x, at[1] - y);
      if (distance < best[0]) best = [distance, id];
    }
    return best[1];
  }

  /** Where to look: the chosen event with its whole path, launch, object and area of the open ones, else the own places. */
  extent(scene: Scene): Cartesian3[] {
    const open = scene.events.filter((event) => event.event_id !== scene.chosen && isOpen(event)).slice(0, EXTENT_EVENTS_MAX);
    const chosen = scene.events.filter((event) => event.event_id === scene.chosen);
    const points = [...chosen, ...open].flatMap((event) => {
      const areas = [event.launch, heaviest(event.impact)].flatMap((area) => (area ? [onGround(area)] : []));
      const fix = this.#paths.now(event, scene.utc_us);
      return fix ? [...areas, inAir(fix)] : areas;
    });
    for (const event of chosen) points.push(...this.#solid(event).trail, ...this.#solid(event).ahead);
    return points.length > 0 ? points : scene.places.map(onGround);
  }

  #solid(event: EventLine): Solid {
    return this.#solids.of(event, (one) => this.#paths.of(one));
  }

  #stroke(points: Cartesian3[], sight: Sight, colour: string, width: number, dash: number[] = []): void {
    const context = this.#context;
    context.beginPath();
    sight.trace(context, points);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }

  #ring(key: string, make: () => Cartesian3[]): Cartesian3[] {
    const held = this.#rings.get(key) ?? make();
    this.#rings.set(key, held);
    return held;
  }

  #drawPlace(place: Place, { scene, sight, palette }: Brush): void {
    const ring = this.#ring(`${place.name} ${place.longitude_deg} ${place.latitude_deg} ${place.radius_m}`, () => ringOf(circleCorners(place, place.radius_m, 48)));
    this.#stroke(ring, sight, palette.place, 1.4);
    const pixel = sight.pixel(onGround(place));
    if (pixel === null) return;
    drawPlace(this.#context, pixel, palette);
    if (scene.labels) this.#labels.put(this.#context, place.name, pixel, palette.place, palette.halo);
  }

  #drawSensor(sensor: Sensor, { scene, sight, palette }: Brush): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined) return;
    const at = { longitude_deg: sensor.longitude_deg, latitude_deg: sensor.latitude_deg };
    const reach_m = sensor.maximum_range_m;
    if (scene.coverage && reach_m !== undefined) {
      const rim = this.#ring(`${sensor.id} ${at.longitude_deg} ${at.latitude_deg} ${reach_m}`, () => ringOf(circleCorners(at, reach_m, 96)));
      this.#stroke(rim, sight, palette.sensor, 1.2, [8, 4]);
    }
    const pixel = sight.pixel(onGround(at));
    if (pixel === null) return;
    if (scene.symbols !== null) drawStamp(this.#context, scene.symbols.radar(scene.mode, this.#density), pixel);
    else drawRadar(this.#context, pixel, palette);
    const beside = scene.symbols === null ? 0 : 8;
    if (scene.labels) this.#labels.put(this.#context, sensor.id, [pixel[0] + beside, pixel[1]], palette.sensor, palette.halo);
  }

  #drawEvent(event: EventLine, brush: Brush): void {
    const { scene, sight, palette } = brush;
    const context = this.#context;
    const chosen = event.event_id === scene.chosen;
    const detailed = isDetailed(event, scene);
    context.globalAlpha = isOpen(event) || chosen ? 1 : 0.45;
    if (detailed) this.#drawLines(event, chosen, brush);
    const fix = this.#paths.now(event, scene.utc_us);
    const pixel = fix && sight.pixel(inAir(fix));
    if (fix && pixel) {
      this.#handles.push({ id: event.event_id, at: pixel });
      if (detailed) this.#stroke([inAir(fix), onGround(fix)], sight, palette.ink, 0.8, [1, 3]);
      if (scene.symbols !== null) drawStamp(context, scene.symbols.event(event, this.#density), pixel);
      else drawObject(context, pixel, event.status, palette);
      if (scene.labels && detailed && isOpen(event)) {
        this.#labels.put(context, scene.height(Math.round(fix.height_m / 1_000)), [pixel[0] + 2, pixel[1] - 10], palette.ink, palette.halo);
      }
    }
    context.globalAlpha = 1;
  }

  #drawLines(event: EventLine, chosen: boolean, brush: Brush): void {
    const { scene, sight, palette } = brush;
    const solid = this.#solid(event);
    if (scene.areas) this.#drawAreas(event, solid, chosen, brush);
    this.#stroke(solid.boost, sight, palette.launch, chosen ? 2.5 : 1.6);
    this.#stroke(solid.trail, sight, palette.track, chosen ? 3 : 1.8);
    this.#context.lineCap = "round";
    this.#stroke(solid.ahead, sight, palette.track, 2, [2, 5]);
    this.#context.lineCap = "butt";
  }

  #drawAreas(event: EventLine, solid: Solid, chosen: boolean, { sight, palette }: Brush): void {
    const context = this.#context;
    const before = context.globalAlpha;
    for (const { ring, faintness } of chosen ? solid.past : []) {
      context.globalAlpha = before * faintness;
      this.#stroke(ring, sight, palette.impact, 1.2);
    }
    context.globalAlpha = before;
    for (const { stated, nested } of solid.impacts) {
      this.#fill(stated, sight, palette.impact, before);
      this.#stroke(stated, sight, palette.impact, chosen ? 2.5 : 1.5);
      for (const { ring, wider } of chosen ? nested : []) this.#stroke(ring, sight, palette.impact, 1.2, wider ? [7, 4] : []);
    }
    for (const impact of event.impact) {
      const pixel = sight.pixel(onGround(impact));
      if (pixel) drawCross(context, pixel, CROSS_PX, palette);
    }
    this.#stroke(solid.launch, sight, palette.launch, 1.6, [5, 3]);
    const from = event.launch && sight.pixel(onGround(event.launch));
    if (from) drawLaunch(context, from, palette);
  }

  /** An area that is partly behind the horizon is left empty: what would close it there is not its outline. */
  #fill(ring: Cartesian3[], sight: Sight, colour: string, alpha: number): void {
    const context = this.#context;
    context.beginPath();
    if (!sight.trace(context, ring)) return;
    context.globalAlpha = 0.18 * alpha;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = alpha;
  }
}
