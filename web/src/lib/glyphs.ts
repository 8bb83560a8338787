// Marks and words that map and globe put on their canvas alike, in map pixels: page pixels, on a wall larger ones.

import type { Status } from "./wire";

export type Pixel = [number, number];

export const FONT = "12px system-ui, 'DejaVu Sans', 'Noto Sans CJK JP', sans-serif";
const LABEL_MAX = 28;

const WALL_PX = 2_200;

/** Canvas pixels for each page pixel: fine screens get fine lines, up to a bound. */
export function density(): number {
  return Math.min(2, devicePixelRatio);
}

/** Page pixels for each map pixel: a wall is read from afar, as the style sheet has it for everything else. */
export function magnification(): number {
  return innerWidth >= WALL_PX ? 1.6 : 1;
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

/** An image, where in it the point is that it stands for, and its size in page pixels. */
export interface Stamp {
  image: HTMLCanvasElement;
  x: number;
  y: number;
  width: number;
  height: number;
}

export function drawStamp(context: CanvasRenderingContext2D, stamp: Stamp, [x, y]: Pixel): void {
  context.drawImage(stamp.image, x - stamp.x, y - stamp.y, stamp.width, stamp.height);
}

function triangle(context: CanvasRenderingContext2D, [x, y]: Pixel, up: number, half: number, down: number): void {
  context.beginPath();
  context.moveTo(x, y - up);
  context.lineTo(x + half, y + down);
  context.lineTo(x - half, y + down);
  context.closePath();
}

/** The plain mark of an own radar. */
export function drawRadar(context: CanvasRenderingContext2D, at: Pixel, palette: Palette): void {
  triangle(context, at, 6, 5.5, 4);
  context.fillStyle = palette.sensor;
  context.fill();
  context.strokeStyle = palette.halo;
  context.lineWidth = 1;
  context.stroke();
}

/** The plain mark of an object: hollow while it is tentative. */
export function drawObject(context: CanvasRenderingContext2D, at: Pixel, status: Status, palette: Palette): void {
  triangle(context, at, 8, 7, 6);
  context.fillStyle = status === "TENTATIVE" ? palette.halo : palette.track;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = status === "TENTATIVE" ? palette.track : palette.halo;
  context.stroke();
}

export function drawPlace(context: CanvasRenderingContext2D, [x, y]: Pixel, palette: Palette): void {
  context.fillStyle = palette.place;
  context.fillRect(x - 2.5, y - 2.5, 5, 5);
}

export function drawLaunch(context: CanvasRenderingContext2D, [x, y]: Pixel, palette: Palette): void {
  context.beginPath();
  context.arc(x, y, 3, 0, 2 * Math.PI);
  context.fillStyle = palette.launch;
  context.fill();
}

/** The middle of an impact area: a cross with arms of that length. */
export function drawCross(context: CanvasRenderingContext2D, [x, y]: Pixel, arm: number, palette: Palette): void {
  context.beginPath();
  for (const [dx, dy] of [[-arm, -arm], [arm, -arm]] as const) {
    context.moveTo(x + dx, y + dy);
    context.lineTo(x - dx, y - dy);
  }
  context.strokeStyle = palette.impact;
  context.lineWidth = 2;
  context.stroke();
}

/** Words beside points where they cover no other word. */
export class Labels {
  #boxes: [number, number, number, number][] = [];

  /** Forgets the words of the last picture. */
  clear(): void {
    this.#boxes = [];
  }

  /** A word right, left, below or above of a point; left out where none is free. */
  put(context: CanvasRenderingContext2D, text: string, [px, py]: Pixel, colour: string, halo: string): void {
    const short = text.length > LABEL_MAX ? `${text.slice(0, LABEL_MAX - 1)}…` : text;
    const width = context.measureText(short).width;
    const spots: Pixel[] = [[px + 8, py + 4], [px - 8 - width, py + 4], [px - width / 2, py + 18], [px - width / 2, py - 10]];
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
