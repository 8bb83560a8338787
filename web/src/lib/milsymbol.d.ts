// What is used of milsymbol's parts; its own types describe only the whole.

declare module "milsymbol/milsymbol.js" {
  type Icons = Record<string, unknown>;

  interface Part {
    type: "number";
    iconParts: (icons: Icons, metadata: { affiliation: string }, colours: { iconColor: Record<string, string> }) => void;
    icons: (entities: Icons, first: Icons, second: Icons, boxes: Icons, symbolSet: string, icons: Icons) => void;
  }

  export const ms: {
    addIcons: (part: Part) => void;
    Symbol: new (sidc: string, options: Record<string, unknown>) => {
      asCanvas: (factor?: number) => HTMLCanvasElement;
      getAnchor: () => { x: number; y: number };
    };
  };
}

declare module "milsymbol/numbersidc/sidc/airmissile.js" {
  const part: import("milsymbol/milsymbol.js").Part;
  export default part;
}
