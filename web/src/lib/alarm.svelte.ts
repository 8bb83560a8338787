// The alarm: two tones that can't be taken for one another, repeated until somebody acknowledges; a third for faults.

import type { EventLine, Place } from "./wire";
import { firstOwnPlace, isOpen } from "./words";

export type Tone = "near" | "far" | "notice";

/** Frequency in Hz, start and length in seconds of each pulse, and how often the whole is repeated. */
const TONES: Record<Tone, { pulses: [number, number, number][]; every_ms: number; shape: OscillatorType }> = {
  near: { pulses: [[880, 0, 0.16], [1_175, 0.2, 0.16], [880, 0.4, 0.16], [1_175, 0.6, 0.16]], every_ms: 1_600, shape: "square" },
  far: { pulses: [[392, 0, 0.5], [330, 0.6, 0.7]], every_ms: 5_000, shape: "sine" },
  notice: { pulses: [[220, 0, 0.25]], every_ms: Infinity, shape: "triangle" },
};
const LOUDNESS = 0.25;

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

export class Alarm {
  on = $state(true);
  blocked = $state(false);
  tone = $state<"near" | "far" | null>(null);
  /** How often a tone was really played. */
  sounded = $state(0);

  #context: AudioContext | null = null;
  #next_ms = 0;
  #faults_us = Infinity;

  /** Called several times a second with the tone that is called for. */
  tick(page_ms: number, tone: "near" | "far" | null): void {
    if (tone !== this.tone) this.#next_ms = page_ms;
    this.tone = tone;
    if (tone === null || !this.on || page_ms < this.#next_ms) return;
    this.#next_ms = page_ms + TONES[tone].every_ms;
    this.#play(tone);
  }

  /** Sounds once for a fault newer than those known; what stood there at first is known. */
  fault(newest_us: number | null): void {
    const known = this.#faults_us;
    this.#faults_us = newest_us ?? 0;
    if (known !== Infinity && newest_us !== null && newest_us > known && this.on) this.#play("notice");
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
