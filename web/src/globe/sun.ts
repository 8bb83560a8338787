// Stands in for Cesium's table of the earth's precession and nutation, which places the sun to an arc second. No light
// falls on this globe; without the table the engine takes a series that is good to some arc minutes.

export default class Iau2006XysData {
  preload(): Promise<void> {
    return Promise.resolve();
  }

  computeXysRadians(): undefined {
    return undefined;
  }
}
