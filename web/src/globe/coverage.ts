// What the sensors see, as volumes of the scene: they don't move, so the earth is drawn anew only when they change.

import {
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  EllipsoidGeometry,
  GeometryInstance,
  PerInstanceColorAppearance,
  Primitive,
  PrimitiveCollection,
  Transforms,
  type Scene,
} from "@cesium/engine";

import type { Sensor } from "../lib/wire";

const DEGREES = 180 / Math.PI;
const FAINTNESS = 0.13;

export class Coverage {
  #volumes = new PrimitiveCollection();
  #key = "";

  constructor(readonly scene: Scene) {
    scene.primitives.add(this.#volumes);
  }

  draw(sensors: Sensor[], colour: string): void {
    const key = JSON.stringify([sensors, colour]);
    if (key === this.#key) return;
    this.#key = key;
    this.#volumes.removeAll();
    const paint = Color.fromCssColorString(colour).withAlpha(FAINTNESS);
    for (const sensor of sensors) this.#add(sensor, paint);
    this.scene.requestRender();
  }

  /** All within its reach and above its lowest elevation, as a thin shell. */
  #add(sensor: Sensor, paint: Color): void {
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
    const attributes = { color: ColorGeometryInstanceAttribute.fromColor(paint) };
    const instance = new GeometryInstance({ geometry, modelMatrix: Transforms.eastNorthUpToFixedFrame(at), attributes });
    const appearance = new PerInstanceColorAppearance({ flat: true, translucent: true, closed: false });
    this.#volumes.add(new Primitive({ geometryInstances: instance, appearance, asynchronous: false, allowPicking: false }));
  }
}
