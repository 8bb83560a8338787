// The page's one copy of the nation's picture: a snapshot, then numbered frames; a gap asks for a new snapshot.

import type { Arrangement, Banner, Can, Chain, Clock, EventLine, Frame, Health, HealthFrame, Notice, Place, Sensor, Sharing, SnapshotFrame } from "./wire";

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;
const SILENT_MS_MAX = 5_000;
const HISTORY_MAX = 400;
/** The server's word that the session is over. */
const SESSION_OVER = 4_401;

/** An event and the page's own clock when it came. */
export interface Held {
  line: EventLine;
  at_ms: number;
}

export class Picture {
  nation = $state("");
  /** An instance of the hub: its links, arrangements and decisions, and no event. */
  hub = $state(false);
  banner = $state<Banner>({ level: "UNCLASSIFIED", releasability: "", mode: "SIMULATED" });
  inForce = $state<Sharing>("trilateral");
  places = $state.raw<Place[]>([]);
  sensors = $state.raw<Sensor[]>([]);
  events = $state.raw<Map<string, Held>>(new Map());
  health = $state.raw<Health[]>([]);
  notices = $state.raw<Notice[]>([]);
  arrangements = $state.raw<Arrangement[]>([]);
  audit = $state.raw<Chain | null>(null);
  can = $state.raw<Can>({ acknowledge: false, sandbox: false, audit: false });
  sessionOver = $state(false);
  rejected = $state.raw<Record<string, number>>({});
  /** Page clock of the newest frame, null before the first. */
  heard_ms = $state<number | null>(null);
  connected = $state(false);
  speed = $state(1);
  resyncs = $state(0);

  #sequence: number | null = null;
  #socket: WebSocket | null = null;
  #retry_ms = RETRY_MS_MIN;
  #origin_us = 0;
  #clockKnown = false;

  /** Event time at a moment of the page's clock, microseconds UTC; null before the first frame. */
  utcAt(page_ms: number): number | null {
    return this.#clockKnown ? this.#origin_us + page_ms * 1_000 * this.speed : null;
  }

  connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    this.#socket = socket;
    socket.onmessage = (message: MessageEvent<string>) => this.#take(JSON.parse(message.data) as Frame);
    socket.onopen = () => (this.#retry_ms = RETRY_MS_MIN);
    socket.onclose = (close) => {
      this.sessionOver = close.code === SESSION_OVER;
      this.#lost(socket);
    };
  }

  /** Closes a connection that went silent; a dead peer may never say so. */
  watch(page_ms: number): void {
    if (this.connected && this.heard_ms !== null && page_ms - this.heard_ms > SILENT_MS_MAX) this.#lost(this.#socket);
  }

  /** Asks for everything anew. */
  resync(): void {
    this.#sequence = null;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send("resync");
  }

  #lost(socket: WebSocket | null): void {
    if (socket === null || socket !== this.#socket) return;
    this.#socket = null;
    this.#sequence = null;
    this.connected = false;
    socket.close();
    setTimeout(() => this.connect(), this.#retry_ms);
    this.#retry_ms = Math.min(2 * this.#retry_ms, RETRY_MS_MAX);
  }

  #take(frame: Frame): void {
    const page_ms = performance.now();
    this.heard_ms = page_ms;
    this.connected = true;
    this.#setClock(frame.clock, page_ms);
    if (frame.type === "snapshot") {
      this.#sequence = frame.sequence;
      this.#takeSnapshot(frame, page_ms);
      return;
    }
    if (this.#sequence === null) return;
    if (frame.sequence !== this.#sequence + 1) {
      this.resyncs += 1;
      this.resync();
      return;
    }
    this.#sequence = frame.sequence;
    if (frame.type === "event") this.#takeEvents(frame.events, frame.gone ?? [], page_ms);
    else this.#takeHealth(frame);
  }

  #takeSnapshot(frame: SnapshotFrame, page_ms: number): void {
    [this.nation, this.hub] = [frame.nation, frame.hub];
    this.banner = frame.banner;
    this.inForce = frame.in_force;
    [this.places, this.sensors] = [frame.places, frame.sensors];
    [this.arrangements, this.can, this.audit] = [frame.arrangements, frame.can, frame.audit];
    [this.health, this.notices, this.rejected] = [frame.health, frame.notices, frame.rejected];
    this.events = new Map(frame.events.map((line) => [line.event_id, held(line, page_ms)]));
  }

  #takeHealth(frame: HealthFrame): void {
    [this.health, this.notices, this.rejected] = [frame.health, frame.notices, frame.rejected];
    [this.arrangements, this.audit] = [frame.arrangements, frame.audit];
  }

  #takeEvents(lines: EventLine[], gone: string[], page_ms: number): void {
    const events = new Map(this.events);
    for (const line of lines) events.set(line.event_id, held(grown(events.get(line.event_id)?.line, line), page_ms));
    for (const id of gone) events.delete(id);
    this.events = events;
  }

  /** The frame that travelled fastest tells the clock best; a step of a second or more is followed at once. */
  #setClock(clock: Clock, page_ms: number): void {
    const origin_us = clock.utc_us - page_ms * 1_000 * clock.speed;
    const step_us = origin_us - this.#origin_us;
    if (!this.#clockKnown || clock.speed !== this.speed || Math.abs(step_us) > 1e6 * clock.speed) this.#origin_us = origin_us;
    else this.#origin_us += step_us > 0 ? step_us : 0.05 * step_us;
    this.speed = clock.speed;
    this.#clockKnown = true;
  }
}

function held(line: EventLine, page_ms: number): Held {
  return { line, at_ms: page_ms - 1_000 * line.age_s };
}

/** An event with its past lengthened by what a frame brought: frames after the snapshot hold only what is new. */
function grown(before: EventLine | undefined, line: EventLine): EventLine {
  if (before === undefined) return line;
  return {
    ...line,
    trail: joined(before.trail, line.trail, (point) => point.epoch_us),
    areas: joined(before.areas, line.areas, (area) => area.as_of_us),
    log: joined(before.log, line.log, (one) => one.revision).slice(-64),
  };
}

function joined<T>(before: T[], after: T[], key: (one: T) => number): T[] {
  const newest = before.length > 0 ? key(before.at(-1)!) : -Infinity;
  const all = [...before, ...after.filter((one) => key(one) > newest)];
  return all.length <= HISTORY_MAX ? all : all.filter((_, index) => index % 2 === 0 || index === all.length - 1);
}
