// The globe: the engine's scene without its widgets, with a bundled picture of the earth and nothing from elsewhere.

import {
  ArcType,
  BoundingSphere,
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  Ellipsoid,
  GeometryInstance,
  Globe,
  HeadingPitchRange,
  ImageryLayer,
  Matrix4,
  PerInstanceColorAppearance,
  Primitive,
  Scene,
  SimplePolylineGeometry,
  TileMapServiceImageryProvider,
  buildModuleUrl,
} from "@cesium/engine";

import type { World } from "../lib/draw";

const FILES = "/assets/cesium/";
const PITCH_RAD = -0.85;
const LINE_HEIGHT_M = 800;

/** The engine starts its workers by name: only files of this package may be one. */
interface PolicyMaker {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

function allowWorkers(): void {
  const maker = (globalThis as { trustedTypes?: PolicyMaker }).trustedTypes;
  maker?.createPolicy("default", {
    createScriptURL(url) {
      const path = new URL(url, location.href);
      if (path.origin === location.origin && path.pathname.startsWith(`${FILES}Workers/`)) return url;
      throw new TypeError(`not a worker of this page: ${url}`);
    },
  });
}

allowWorkers();
// what the engine's declarations leave out
(buildModuleUrl as unknown as { setBaseUrl(url: string): void }).setBaseUrl(FILES);

/** A scene on a canvas; throws where there is no WebGL. */
export class Earth {
  readonly scene: Scene;
  #frame = 0;

  constructor(readonly canvas: HTMLCanvasElement, background: string, sea: string) {
    this.scene = new Scene({
      canvas,
      creditContainer: document.createElement("div"),
      requestRenderMode: true,
      maximumRenderTimeChange: Infinity,
      msaaSamples: 1,
      contextOptions: { webgl: { alpha: false, antialias: false, powerPreference: "low-power" } },
    });
    const { scene } = this;
    scene.globe = new Globe(Ellipsoid.WGS84);
    scene.globe.baseColor = Color.fromCssColorString(sea);
    scene.globe.showGroundAtmosphere = false;
    scene.globe.tileCacheSize = 60;
    scene.globe.maximumScreenSpaceError = 3;
    scene.backgroundColor = Color.fromCssColorString(background);
    scene.fog.enabled = false;
    scene.highDynamicRange = false;
    scene.postProcessStages.fxaa.enabled = false;
    scene.screenSpaceCameraController.minimumZoomDistance = 20_000;
    scene.screenSpaceCameraController.maximumZoomDistance = 4e7;
    const url = buildModuleUrl("Assets/Textures/NaturalEarthII");
    const layer = ImageryLayer.fromProviderAsync(TileMapServiceImageryProvider.fromUrl(url, {}), { brightness: 0.75, saturation: 0.55 });
    scene.imageryLayers.add(layer);
  }

  /** Renders whenever something changed, until `stop`. */
  start(): void {
    const turn = (): void => {
      this.#frame = requestAnimationFrame(turn);
      this.render();
    };
    turn();
  }

  render(): void {
    (this.scene as unknown as { initializeFrame(): void }).initializeFrame();
    this.scene.render();
  }

  resize(width: number, height: number): void {
    this.canvas.width = Math.max(1, Math.round(width));
    this.canvas.height = Math.max(1, Math.round(height));
    const frustum = this.scene.camera.frustum as { aspectRatio?: number };
    frustum.aspectRatio = this.canvas.width / this.canvas.height;
    this.scene.requestRender();
  }

  /** Coasts and borders as thin lines; they don't change. */
  addLines(world: World, coast: string, border: string): void {
    const instances = [
      ...linesOf(world.land).map((line) => lineInstance(line, coast)),
      ...linesOf(world.borders).map((line) => lineInstance(line, border)),
    ];
    this.scene.primitives.add(
      new Primitive({
        geometryInstances: instances,
        appearance: new PerInstanceColorAppearance({ flat: true, translucent: false }),
        asynchronous: false,
        allowPicking: false,
      }),
    );
    this.scene.requestRender();
  }

  /** Looks from the south at what matters. */
  look(points: Cartesian3[]): void {
    if (points.length === 0) return;
    const sphere = BoundingSphere.fromPoints(points);
    sphere.radius = Math.max(sphere.radius, 400_000);
    this.scene.camera.viewBoundingSphere(sphere, new HeadingPitchRange(0, PITCH_RAD, 2.1 * sphere.radius));
    this.scene.camera.lookAtTransform(Matrix4.IDENTITY);
    this.scene.requestRender();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.scene.destroy();
  }
}

type Ring = [number, number][];

/** Every line of a GeoJSON shape, thinned: the globe is never looked at from near. */
function linesOf(shape: unknown): Ring[] {
  const one = shape as { type: string; coordinates?: never; geometry?: unknown; geometries?: unknown[]; features?: unknown[] };
  if (one.features) return one.features.flatMap(linesOf);
  if (one.geometry) return linesOf(one.geometry);
  if (one.geometries) return one.geometries.flatMap(linesOf);
  const parts = one.coordinates as unknown as Ring | Ring[] | Ring[][];
  if (one.type === "MultiPolygon") return (parts as Ring[][]).flat().map(thinned);
  if (one.type === "Polygon" || one.type === "MultiLineString") return (parts as Ring[]).map(thinned);
  return one.type === "LineString" ? [thinned(parts as Ring)] : [];
}

function thinned(ring: Ring): Ring {
  return ring.filter((_, index) => index % 3 === 0 || index === ring.length - 1);
}

function lineInstance(line: Ring, colour: string): GeometryInstance {
  const positions = line.map(([longitude, latitude]) => Cartesian3.fromDegrees(longitude, latitude, LINE_HEIGHT_M));
  return new GeometryInstance({
    geometry: new SimplePolylineGeometry({ positions, arcType: ArcType.NONE }),
    attributes: { color: ColorGeometryInstanceAttribute.fromColor(Color.fromCssColorString(colour)) },
  });
}
