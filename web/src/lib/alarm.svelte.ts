// The alarm: two tones that can't be taken for one another, repeated until somebody acknowledges; a third for faults.

import type { EventLine, Notice, Place } from "./wire";
import { firstOwnPlace, isOpen } from "./words";

export type Tone = "near" | "far" | "fault" | "caution";

/** Frequency in Hz, start and length in seconds of each pulse, and how often the whole is repeated. */
const TONES: Record<Tone, { pulses: [number, number, number][]; every_ms: number; shape: OscillatorType }> = {
  near: { pulses: [[880, 0, 0.16], [1_175, 0.2, 0.16], [880, 0.4, 0.16], [1_175, 0.6, 0.16]], every_ms: 1_600, shape: "square" },
  far: { pulses: [[392, 0, 0.5], [330, 0.6, 0.7]], every_ms: 5_000, shape: "sine" },
  fault: { pulses: [[220, 0, 0.25], [165, 0.3, 0.35]], every_ms: Infinity, shape: "triangle" },
  caution: { pulses: [[262, 0, 0.18]], every_ms: Infinity, shape: "triangle" },
};
const LOUDNESS = 0.25;
/** Notices that come closer together than this sound once. */
const NOTICE_PAUSE_MS = 3_000;

/** Whether an event still waits for somebody to say that they have seen it. */
export function isUnacknowledged(line: EventLine): boolean {
  if (!isOpen(line) || line.status === "TENTATIVE") return false;
  if (line.acknowledged === null) return true;
  return line.warning?.action === "issue" && line.warning.issued_at_us > line.acknowledged.at_us;
}

/** The tone that the events call for: near where one's own place is concerned. */
export function toneFor(lines: EventLine[], places: Place[]): "near" | "far" | null {
  const waiting = lines.filter(isUnacknowledged);
  if (waiting.length === 0) return null;
  return waiting.some((line) => firstOwnPlace(line, places, null) !== null) ? "near" : "far";
}

/** Whether one of them is seen, but where it comes down can't be stated yet. */
export function isAnyUnknown(lines: EventLine[]): boolean {
  return lines.some((line) => isUnacknowledged(line) && line.impact.length === 0 && line.places.length === 0);
}

export class Alarm {
  /** The far tone sounds for want of knowledge, not because no place of one's own is concerned. */
  unknown = $state(false);
  on = $state(true);
  blocked = $state(false);
  tone = $state<"near" | "far" | null>(null);
  /** How often a tone was really played. */
  sounded = $state(0);

  #context: AudioContext | null = null;
  #next_ms = 0;
  #known: Set<string> | null = null;
  #quiet_until_ms = 0;

  /** Called several times a second with the tone that is called for. */
  tick(page_ms: number, tone: "near" | "far" | null): void {
    if (tone !== this.tone) this.#next_ms = page_ms;
    this.tone = tone;
    if (tone === null || !this.on || page_ms < this.#next_ms) return;
    this.#next_ms = page_ms + TONES[tone].every_ms;
    this.#play(tone);
  }

  /** Sounds once for faults and cautions that are new; what stood there at first is known. Never as a warning does. */
  notices(notices: Notice[], page_ms: number): void {
    const known = this.#known;
    this.#known = new Set(notices.map((one) => `${one.at_us} ${one.source} ${one.code}`));
    if (known === null || !this.on || page_ms < this.#quiet_until_ms) return;
    const fresh = notices.filter((one) => one.severity !== "information" && !known.has(`${one.at_us} ${one.source} ${one.code}`));
    if (fresh.length === 0) return;
    this.#quiet_until_ms = page_ms + NOTICE_PAUSE_MS;
    this.#play(fresh.some((one) => one.severity === "fault") ? "fault" : "caution");
  }

  /** A person touched the page: the browser lets sound through now. */
  async allow(): Promise<void> {
    this.#context ??= new AudioContext();
    await this.#context.resume().catch(() => undefined);
    this.blocked = (this.#context.state as AudioContextState) !== "running";
    this.#next_ms = 0;
  }

  toggle(): void {
    this.on = !this.on;
    if (this.on) void this.allow();
  }

  #play(tone: Tone): void {
    try {
      this.#context ??= new AudioContext();
    } catch {
      this.blocked = true;
      return;
    }
    const context = this.#context;
    // a browser that blocks sound says so; asking again before somebody touches the page would not change it
    this.blocked = context.state !== "running";
    if (this.blocked) return;
    for (const [frequency, start_s, length_s] of TONES[tone].pulses) this.#pulse(context, TONES[tone].shape, frequency, start_s, length_s);
    this.sounded += 1;
  }

  #pulse(context: AudioContext, shape: OscillatorType, frequency: number, start_s: number, length_s: number): void {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + start_s;
    tone.type = shape;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
    volume.gain.setValueAtTime(LOUDNESS, at + length_s - 0.03);
    volume.gain.linearRampToValueAtTime(0, at + length_s);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + length_s);
  }
}
