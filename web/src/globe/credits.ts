// Stands in for Cesium's credit display, which writes a style sheet and HTML into the page: a strict content policy
// allows neither. What is shown here needs one credit, Natural Earth, and the page's legend gives it in words.

export default class CreditDisplay {
  readonly container: HTMLElement;

  constructor(container?: HTMLElement) {
    this.container = container ?? document.createElement("div");
  }

  addCreditToNextFrame(): void {}
  addStaticCredit(): void {}
  removeStaticCredit(): void {}
  update(): void {}
  beginFrame(): void {}
  endFrame(): void {}
  destroy(): void {}

  isDestroyed(): boolean {
    return false;
  }
}
