// What is shown as a picture file, with the same marking above and below as on the screen.

import { density } from "./glyphs";

const STRIP_PX = 34;
const FONT = "bold 16px system-ui, 'DejaVu Sans', 'Noto Sans CJK JP', sans-serif";

/** Saves a canvas as PNG under the marking; `lines` stand in words below it. */
export function savePicture(source: HTMLCanvasElement, marking: string, lines: string[], name: string): void {
  const scale = density();
  const [strip, row] = [STRIP_PX * scale, 24 * scale];
  const file = document.createElement("canvas");
  file.width = source.width;
  file.height = source.height + 2 * strip + row * lines.length;
  const context = file.getContext("2d")!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, file.width, file.height);
  context.drawImage(source, 0, strip);
  context.textBaseline = "middle";
  lines.forEach((line, index) => write(context, line, strip + source.height + row * (index + 0.5), scale, "#111"));
  for (const top of [0, file.height - strip]) {
    context.fillStyle = "#f0e442";
    context.fillRect(0, top, file.width, strip);
    write(context, marking, top + strip / 2, scale, "#111");
  }
  file.toBlob((blob) => blob && save(blob, name), "image/png");
}

function write(context: CanvasRenderingContext2D, text: string, y: number, scale: number, colour: string): void {
  context.font = FONT.replace("16", String(16 * scale));
  context.fillStyle = colour;
  context.fillText(text, 12 * scale, y, context.canvas.width - 24 * scale);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
