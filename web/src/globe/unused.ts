// Stands in for libraries of the engine that decode models and point clouds. The globe shows none, and several of
// them start WebAssembly as soon as they are imported, which a strict content policy refuses.

const unused: unknown = undefined;

export const MeshoptDecoder = unused;
export const loadSpz = unused;
export default unused;
