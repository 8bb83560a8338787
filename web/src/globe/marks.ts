// What moves on the globe, as primitives: flights, areas of uncertainty, what the sensors cover, places.

import {
  Cartesian2,
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  EllipsoidGeometry,
  GeometryInstance,
  LabelCollection,
  LabelStyle,
  Material,
  PerInstanceColorAppearance,
  PointPrimitiveCollection,
  PolylineCollection,
  Primitive,
  PrimitiveCollection,
  Transforms,
  type Scene,
} from "@cesium/engine";

import { areaCorners, Paths, type Palette } from "../lib/draw";
import { fixOf } from "../lib/flight";
import type { Area, EventLine, Place, Sensor } from "../lib/wire";
import { heaviest, isOpen } from "../lib/words";

const GROUND_M = 1_500;
const SHRUNK = 1.22;
const PAST_AREAS_MAX = 12;
const DETAILED_MAX = 40;
const BOOST_STEPS = 24;
const DEGREES = 180 / Math.PI;
const FONT = "14px system-ui, 'DejaVu Sans', 'Noto Sans CJK JP', sans-serif";

export interface Shown {
  events: EventLine[];
  chosen: string | null;
  places: Place[];
  sensors: Sensor[];
  utc_us: number | null;
  areas: boolean;
  labels: boolean;
  coverage: boolean;
  height: (km: number) => string;
}

function colour(css: string, alpha = 1): Color {
  return Color.fromCssColorString(css).withAlpha(alpha);
}

export class Marks {
  #lines = new PolylineCollection();
  #points = new PointPrimitiveCollection();
  #labels: LabelCollection;
  #fixed = new PolylineCollection();
  #cover = new PrimitiveCollection();
  #fixedKey = "";
  #linesKey = "";
  #paths = new Paths();

  constructor(readonly scene: Scene, readonly palette: Palette) {
    this.#labels = new LabelCollection({ scene });
    for (const one of [this.#cover, this.#fixed, this.#lines, this.#points, this.#labels]) scene.primitives.add(one);
  }

  draw(shown: Shown): void {
    this.#drawFixed(shown);
    this.#drawLines(shown);
    this.#drawObjects(shown);
    this.scene.requestRender();
  }

  /** Where to look: launch, object and area of what is chosen or open, else the own places. */
  extent(shown: Shown): Cartesian3[] {
    const wanted = shown.events.filter((event) => event.event_id === shown.chosen || isOpen(event)).slice(0, 32);
    const points = wanted.flatMap((event) => {
      const areas = [event.launch, heaviest(event.impact)].flatMap((area) => (area ? [onGround(area)] : []));
      return [...areas, ...event.trail.map((point) => vector(point.position_ecef_m)), ...this.#path(event)];
    });
    return points.length > 0 ? points : shown.places.map(onGround);
  }

  #path(event: EventLine): Cartesian3[] {
    return this.#paths.of(event).map((fix) => Cartesian3.fromDegrees(fix.longitude_deg, fix.latitude_deg, fix.height_m));
  }

  #drawFixed(shown: Shown): void {
    const key = JSON.stringify([shown.coverage, shown.places, shown.sensors]);
    if (key === this.#fixedKey) return;
    this.#fixedKey = key;
    this.#fixed.removeAll();
    this.#cover.removeAll();
    for (const place of shown.places) {
      const circle = { ...place, semi_major_m: place.radius_m, semi_minor_m: place.radius_m, bearing_deg: 0, probability: 1 };
      this.#ring(this.#fixed, circle, colour(this.palette.place), 2, 48);
    }
    if (shown.coverage) for (const sensor of shown.sensors) this.#addVolume(sensor);
  }

  /** What a sensor sees: all within its reach and above its lowest elevation, as a thin shell. */
  #addVolume(sensor: Sensor): void {
    if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined || sensor.maximum_range_m === undefined) return;
    const at = Cartesian3.fromDegrees(sensor.longitude_deg, sensor.latitude_deg, sensor.height_m ?? 0);
    const reach = sensor.maximum_range_m;
    const geometry = new EllipsoidGeometry({
      radii: new Cartesian3(reach, reach, reach),
      maximumCone: (90 - (sensor.minimum_elevation_deg ?? 0)) / DEGREES,
      stackPartitions: 24,
      slicePartitions: 48,
      vertexFormat: PerInstanceColorAppearance.FLAT_VERTEX_FORMAT,
    });
    const attributes = { color: ColorGeometryInstanceAttribute.fromColor(colour(this.palette.sensor, 0.13)) };
    const instance = new GeometryInstance({ geometry, modelMatrix: Transforms.eastNorthUpToFixedFrame(at), attributes });
    const appearance = new PerInstanceColorAppearance({ flat: true, translucent: true, closed: false });
    this.#cover.add(new Primitive({ geometryInstances: instance, appearance, asynchronous: false, allowPicking: false }));
    const rim = { longitude_deg: sensor.longitude_deg, latitude_deg: sensor.latitude_deg, semi_major_m: reach, semi_minor_m: reach, bearing_deg: 0, probability: 1 };
    this.#ring(this.#fixed, rim, colour(this.palette.sensor, 0.9), 1.5, 96);
  }

  #drawLines(shown: Shown): void {
    const detailed = shown.events.filter((event) => event.event_id === shown.chosen || shown.events.length <= DETAILED_MAX);
    const key = detailed.map((event) => `${event.event_id}/${event.revision}/${event.status}`).join() + `|${shown.chosen}|${shown.areas}`;
    if (key === this.#linesKey) return;
    this.#linesKey = key;
    this.#lines.removeAll();
    for (const event of detailed) this.#drawEvent(event, event.event_id === shown.chosen, shown.areas);
  }

  #drawEvent(event: EventLine, chosen: boolean, areas: boolean): void {
    const flown = event.trail.map((point) => vector(point.position_ecef_m));
    const alpha = isOpen(event) || chosen ? 1 : 0.45;
    this.#line(flown, colour(this.palette.track, alpha), chosen ? 4 : 2.5);
    this.#line(this.#path(event), colour(this.palette.track, 0.8 * alpha), 2, true);
    if (event.launch && flown[0]) this.#line(boostArc(onGround(event.launch), flown[0]), colour(this.palette.launch, alpha), 3);
    if (!areas) return;
    if (event.launch) this.#ring(this.#lines, event.launch, colour(this.palette.launch, alpha), 2, 48);
    for (const impact of event.impact) this.#ring(this.#lines, impact, colour(this.palette.impact, alpha), chosen ? 4 : 2.5, 64);
    if (chosen) this.#drawPastAreas(event);
  }

  #drawPastAreas(event: EventLine): void {
    let size_m = event.areas.at(-1)?.semi_major_m ?? 0;
    let alpha = 0.7;
    let drawn = 0;
    for (const area of [...event.areas].reverse()) {
      if (area.semi_major_m < SHRUNK * size_m || drawn >= PAST_AREAS_MAX) continue;
      [size_m, alpha, drawn] = [area.semi_major_m, Math.max(0.12, 0.82 * alpha), drawn + 1];
      this.#ring(this.#lines, area, colour(this.palette.impact, alpha), 1.5, 48);
    }
  }

  #drawObjects(shown: Shown): void {
    this.#points.removeAll();
    this.#labels.removeAll();
    for (const sensor of shown.sensors) {
      if (sensor.longitude_deg === undefined || sensor.latitude_deg === undefined) continue;
      this.#mark(Cartesian3.fromDegrees(sensor.longitude_deg, sensor.latitude_deg, GROUND_M), this.palette.sensor, 8, shown.labels ? sensor.id : "");
    }
    const open = shown.events.filter((event) => event.event_id === shown.chosen || isOpen(event));
    const concerned = new Set(open.slice(0, DETAILED_MAX).flatMap((event) => event.places.map((one) => one.place)));
    for (const place of shown.places) this.#mark(onGround(place), this.palette.place, 6, shown.labels && concerned.has(place.name) ? place.name : "");
    for (const event of shown.events) this.#drawObject(event, shown);
  }

  #drawObject(event: EventLine, shown: Shown): void {
    if (event.state === null) return;
    const fix = this.#paths.at(event, shown.utc_us) ?? fixOf(event.state.position_ecef_m, event.state.epoch_us);
    const detailed = event.event_id === shown.chosen || shown.events.length <= DETAILED_MAX;
    const text = shown.labels && detailed && isOpen(event) ? shown.height(Math.round(fix.height_m / 1_000)) : "";
    this.#mark(Cartesian3.fromDegrees(fix.longitude_deg, fix.latitude_deg, fix.height_m), this.palette.track, event.event_id === shown.chosen ? 14 : 10, text);
  }

  #mark(position: Cartesian3, css: string, size: number, text: string): void {
    this.#points.add({ position, color: colour(css), pixelSize: size, outlineColor: colour(this.palette.halo), outlineWidth: 2 });
    if (text === "") return;
    this.#labels.add({
      position,
      text: text.slice(0, 28),
      font: FONT,
      fillColor: colour(this.palette.ink),
      outlineColor: colour(this.palette.halo),
      outlineWidth: 4,
      style: LabelStyle.FILL_AND_OUTLINE,
      pixelOffset: new Cartesian2(10, -8),
    });
  }

  #line(positions: Cartesian3[], paint: Color, width: number, dashed = false): void {
    if (positions.length < 2) return;
    const material = dashed ? Material.fromType("PolylineDash", { color: paint, dashLength: 12 }) : Material.fromType("Color", { color: paint });
    this.#lines.add({ positions, width, material });
  }

  #ring(lines: PolylineCollection, area: Area, paint: Color, width: number, corners: number): void {
    const positions = areaCorners(area, corners).map(([longitude, latitude]) => Cartesian3.fromDegrees(longitude, latitude, GROUND_M));
    lines.add({ positions, width, material: Material.fromType("Color", { color: paint }) });
  }
}

function vector([x, y, z]: [number, number, number]): Cartesian3 {
  return new Cartesian3(x, y, z);
}

function onGround(place: { longitude_deg: number; latitude_deg: number }): Cartesian3 {
  return Cartesian3.fromDegrees(place.longitude_deg, place.latitude_deg, GROUND_M);
}

/** A curve that leaves the launch point upwards and meets the first known state: to look at only. */
function boostArc(from: Cartesian3, to: Cartesian3): Cartesian3[] {
  const up = Cartesian3.multiplyByScalar(Cartesian3.normalize(from, new Cartesian3()), 0.6 * Cartesian3.distance(from, to), new Cartesian3());
  const bend = Cartesian3.add(from, up, new Cartesian3());
  return Array.from({ length: BOOST_STEPS + 1 }, (_, index) => {
    const part = index / BOOST_STEPS;
    const one = Cartesian3.lerp(from, bend, part, new Cartesian3());
    return Cartesian3.lerp(one, Cartesian3.lerp(bend, to, part, new Cartesian3()), part, new Cartesian3());
  });
}
