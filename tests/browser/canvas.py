"""What is on a canvas of the page: pixels of one of the theme's colours, in pixels of the page."""

from playwright.sync_api import Page

READ = """(canvas, name) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(canvas).getPropertyValue("--map-" + name).trim();
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const read = copy.getContext("2d", { willReadFrequently: true });
  read.drawImage(canvas, 0, 0);
  const { data, width, height } = read.getImageData(0, 0, copy.width, copy.height);
  const found = [];
  const scale = canvas.clientWidth / width;
  for (let at = 0; at < data.length; at += 4) {
    const far = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue);
    if (data[at + 3] < 128 || far >= 60) continue;
    found.push([((at / 4) % width) * scale, Math.floor(at / 4 / width) * scale]);
  }
  return found;
}"""


def pixels_of(page: Page, canvas: str, colour: str) -> list[tuple[float, float]]:
    """Return the pixels of a canvas that have a colour of the map, such as "impact"."""
    found: list[list[float]] = page.locator(canvas).evaluate(READ, colour)
    return [(across, along) for across, along in found]
