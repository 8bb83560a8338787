// Where points of the earth's frame stand on the canvas, and which of them the earth hides.

import { Cartesian3, Matrix4, type Scene } from "@cesium/engine";

import type { Pixel } from "../lib/glyphs";

const SEMI_MAJOR_M = 6_378_137.0;
const SEMI_MINOR_M = 6_356_752.314_245;

/** One look of the camera: good until the camera moves or the canvas changes its size. */
export class Sight {
  #matrix: Matrix4;
  /** The camera in a frame in which the earth is a ball of radius 1. */
  #camera: Cartesian3;
  /** Square of the distance from the camera to its horizon, in that frame. */
  #horizon: number;

  constructor(scene: Scene, readonly width: number, readonly height: number) {
    const { camera } = scene;
    this.#matrix = Matrix4.multiply(camera.frustum.projectionMatrix, camera.viewMatrix, new Matrix4());
    this.#camera = scaled(camera.positionWC);
    this.#horizon = Cartesian3.magnitudeSquared(this.#camera) - 1;
  }

  /** Whether no earth lies between the camera and a point. */
  isFree(point: Cartesian3): boolean {
    const { x, y, z } = this.#camera;
    const [dx, dy, dz] = [point.x / SEMI_MAJOR_M - x, point.y / SEMI_MAJOR_M - y, point.z / SEMI_MINOR_M - z];
    const towards = -(dx * x + dy * y + dz * z);
    return towards <= this.#horizon || towards * towards <= this.#horizon * (dx * dx + dy * dy + dz * dz);
  }

  /** The pixel of a point; null behind the camera and behind the earth. */
  pixel(point: Cartesian3): Pixel | null {
    const m = this.#matrix as unknown as number[];
    const { x, y, z } = point;
    const depth = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
    if (depth <= 0 || !this.isFree(point)) return null;
    const across = (m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / depth;
    const along = (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / depth;
    return [((1 + across) / 2) * this.width, ((1 - along) / 2) * this.height];
  }

  /** Adds a line to the path of a canvas, with gaps where the earth hides it; returns whether it is whole. */
  trace(context: CanvasRenderingContext2D, points: Cartesian3[]): boolean {
    let [drawing, whole] = [false, true];
    for (const point of points) {
      const pixel = this.pixel(point);
      if (pixel === null) [drawing, whole] = [false, false];
      else if (drawing) context.lineTo(...pixel);
      else {
        context.moveTo(...pixel);
        drawing = true;
      }
    }
    return whole;
  }
}

function scaled(point: Cartesian3): Cartesian3 {
  return new Cartesian3(point.x / SEMI_MAJOR_M, point.y / SEMI_MAJOR_M, point.z / SEMI_MINOR_M);
}
