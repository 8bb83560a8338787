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

import type { World } from "../lib/world";

const FILES = "/assets/cesium/";
const PITCH_RAD = -0.85;
const LINE_HEIGHT_M = 800;
const RADIUS_M_MIN = 400_000;
/** Of the radius of what is looked at: what may change before the camera follows. */
const SHIFT_MAX = 0.12;
const NEAR_M = 60_000;
const FAR_M = 4e7;
/** Of the height above ground, what one step of the keys moves. */
const TURN = 0.15;
const MAXIMUM_TURN_RAD = 0.15;

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
  /** Time between two pictures while the earth turns, as the machine manages; null until it turned. */
  turn_ms: number | null = null;
  #frame = 0;
  #rendered = 0;
  #lines: Primitive[] = [];
  #looked: BoundingSphere | null = null;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.scene = new Scene({
      canvas,
      creditContainer: document.createElement("div"),
      requestRenderMode: true,
      maximumRenderTimeChange: Infinity,
      msaaSamples: 1,
      // four buffers of the canvas's size less: the volumes are alike, their order does not show
      orderIndependentTranslucency: false,
      contextOptions: { webgl: { alpha: false, antialias: false, powerPreference: "low-power" } },
    });
    const { scene } = this;
    scene.globe = new Globe(Ellipsoid.WGS84);
    scene.globe.showGroundAtmosphere = false;
    scene.globe.tileCacheSize = 60;
    scene.globe.maximumScreenSpaceError = 3;
    scene.fog.enabled = false;
    scene.highDynamicRange = false;
    scene.useDepthPicking = false;
    scene.postProcessStages.fxaa.enabled = false;
    scene.screenSpaceCameraController.minimumZoomDistance = 20_000;
    scene.screenSpaceCameraController.maximumZoomDistance = FAR_M;
    scene.postRender.addEventListener(() => (this.#rendered += 1));
    const url = buildModuleUrl("Assets/Textures/NaturalEarthII");
    const layer = ImageryLayer.fromProviderAsync(TileMapServiceImageryProvider.fromUrl(url, {}), { brightness: 0.75, saturation: 0.55 });
    scene.imageryLayers.add(layer);
  }

  /** Takes the colours of a theme. */
  paint(background: string, sea: string): void {
    this.scene.backgroundColor = Color.fromCssColorString(background);
    this.scene.globe!.baseColor = Color.fromCssColorString(sea);
    this.scene.requestRender();
  }

  /** Draws whenever the camera moved or something of the scene changed, until `stop`, and tells of it. */
  start(drawn: () => void): void {
    let last_ms: number | null = null;
    const turn = (at_ms: number): void => {
      this.#frame = requestAnimationFrame(turn);
      const rendered = this.render();
      if (rendered) drawn();
      if (rendered && last_ms !== null) this.turn_ms = at_ms - last_ms;
      last_ms = rendered ? at_ms : null;
    };
    this.#frame = requestAnimationFrame(turn);
  }

  /** Draws if there is something new to see; returns whether it did. */
  render(): boolean {
    const before = this.#rendered;
    (this.scene as unknown as { initializeFrame(): void }).initializeFrame();
    this.scene.render();
    return this.#rendered !== before;
  }

  resize(width: number, height: number): void {
    this.canvas.width = Math.max(1, Math.round(width));
    this.canvas.height = Math.max(1, Math.round(height));
    const frustum = this.scene.camera.frustum as { aspectRatio?: number };
    frustum.aspectRatio = this.canvas.width / this.canvas.height;
    this.scene.requestRender();
  }

  /** Coasts and borders as thin lines; they don't move. */
  drawLines(world: World, colours: { coast: string; border: string }, shown: { borders: boolean; disputed: boolean }): void {
    for (const one of this.#lines) this.scene.primitives.remove(one);
    const lines = [this.#addLines(linesOf(world.land), colours.coast)];
    if (shown.borders) lines.push(this.#addLines(linesOf(world.borders), colours.border));
    if (shown.disputed) lines.push(this.#addLines(linesOf(world.disputed), colours.border));
    this.#lines = lines;
    this.scene.requestRender();
  }

  #addLines(lines: Ring[], colour: string): Primitive {
    const primitive = new Primitive({
      geometryInstances: lines.map((line) => lineInstance(line, colour)),
      appearance: new PerInstanceColorAppearance({ flat: true, translucent: false }),
      asynchronous: false,
      allowPicking: false,
    });
    this.scene.primitives.add(primitive);
    return primitive;
  }

  /** Looks from the south at what matters; stays where it is while that is much the same, unless asked to move. */
  look(points: Cartesian3[], anyway: boolean): void {
    if (points.length === 0) return;
    const sphere = BoundingSphere.fromPoints(points);
    sphere.radius = Math.max(sphere.radius, RADIUS_M_MIN);
    const now = this.#looked;
    const shift = now === null ? Infinity : Cartesian3.distance(now.center, sphere.center) / now.radius;
    const scale = now === null ? Infinity : sphere.radius / now.radius;
    if (!anyway && shift < SHIFT_MAX && scale < 1 + SHIFT_MAX && scale > 1 - 2 * SHIFT_MAX) return;
    this.#looked = sphere;
    this.scene.camera.viewBoundingSphere(sphere, new HeadingPitchRange(0, PITCH_RAD, 2.1 * sphere.radius));
    this.scene.camera.lookAtTransform(Matrix4.IDENTITY);
    this.scene.requestRender();
  }

  /** Turns the earth under the camera, in steps that fit the height: east and north positive. */
  turn(east: number, north: number): void {
    const { camera } = this.scene;
    const angle = Math.min(MAXIMUM_TURN_RAD, (TURN * camera.positionCartographic.height) / Ellipsoid.WGS84.maximumRadius);
    camera.rotateRight(east * angle);
    camera.rotateUp(north * angle);
  }

  /** Goes nearer by a share of the height, or farther where it is negative. */
  near(share: number): void {
    const { camera } = this.scene;
    const height = camera.positionCartographic.height;
    if (share > 0 ? height > NEAR_M : height < FAR_M) camera.zoomIn(share * height);
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
