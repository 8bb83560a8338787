// Symbols of MIL-STD-2525D for those who read them, drawn by milsymbol; a chunk of its own, loaded when asked for.

import { ms } from "milsymbol/milsymbol.js";
import airMissile from "milsymbol/numbersidc/sidc/airmissile.js";

import type { Stamp } from "./glyphs";
import type { SymbolSet } from "./scene";
import type { EventLine } from "./wire";

ms.addIcons(airMissile);
// The icons of land equipment weigh more than the whole page; of them this is the radar's, as milsymbol draws it.
ms.addIcons({
  type: "number",
  iconParts: (icons, metadata, colours) => {
    icons["radar"] = { type: "path", d: "M72,95 l30,-25 0,25 30,-25 M70,70 c0,35 15,50 50,50", fill: false, stroke: colours.iconColor[metadata.affiliation], strokewidth: 4 };
  },
  icons: (entities, _first, _second, _boxes, symbolSet, icons) => {
    if (symbolSet === "15") entities["220300"] = [icons["radar"]];
  },
});

const VERSION = "10";
/** What is real, exercised or simulated stands in the frame itself. */
const CONTEXT: Record<string, string> = { REAL: "0", EXERCISE: "1", SIMULATED: "2", TEST: "2" };
/** Symbol set, status, headquarters, echelon, entity, two modifiers: air missile, ballistic; land equipment, radar. */
const BALLISTIC_MISSILE = "0200001100000600";
const RADAR = "1500002203000000";
const PENDING = "0";
const UNKNOWN = "1";
const FRIEND = "3";
const SIZE_PX = 17;

/** A ballistic missile of unknown identity: what it is, never whose. Tentative ones are pending, the frame broken. */
export function codeOfEvent(event: EventLine): string {
  const identity = event.status === "TENTATIVE" ? PENDING : UNKNOWN;
  return `${VERSION}${CONTEXT[event.mode] ?? "2"}${identity}${BALLISTIC_MISSILE}`;
}

/** An own radar; notional ones bear the mark of what is simulated. */
export function codeOfRadar(mode: string): string {
  return `${VERSION}${CONTEXT[mode] ?? "2"}${FRIEND}${RADAR}`;
}

const drawn = new Map<string, Stamp>();

/** The drawn symbol of a code; there are few codes, so each is drawn once per density. */
function stampOf(code: string, density: number): Stamp {
  const key = `${code} ${density}`;
  const held = drawn.get(key);
  if (held !== undefined) return held;
  const symbol = new ms.Symbol(code, { size: SIZE_PX, infoFields: false, outlineColor: "#fff", outlineWidth: 3 });
  const image = symbol.asCanvas(density);
  const anchor = symbol.getAnchor();
  const made = { image, x: anchor.x, y: anchor.y, width: image.width / density, height: image.height / density };
  drawn.set(key, made);
  return made;
}

export const symbols: SymbolSet = {
  event: (event, density) => stampOf(codeOfEvent(event), density),
  radar: (mode, density) => stampOf(codeOfRadar(mode), density),
};
