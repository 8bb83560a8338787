// Numbers and states as a watch officer reads them.

import type { EventLine, Impact, Place, PlaceTime, Release, Sharing, Status } from "./wire";

/** Two-sided 95 % of a normal distribution, in standard deviations. */
const TWO_SIDED_95 = 1.959_964;

/** A shape for each state: read without colour and in every language. */
export const ICON: Record<Status, string> = { TENTATIVE: "◌", CONFIRMED: "▲", LOST: "?", ENDED: "■", WITHDRAWN: "×" };

/** Minutes and seconds of an interval, a sign only where it is negative. */
export function minutes(interval_s: number): string {
  const whole = Math.floor(Math.abs(interval_s));
  const text = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return interval_s < 0 && whole > 0 ? `−${text}` : text;
}

export function age(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Fresh, amber from 3 s, red from 10 s. */
export function freshness(seconds: number): "fresh" | "amber" | "red" {
  if (seconds < 3) return "fresh";
  return seconds < 10 ? "amber" : "red";
}

export function kilometres(metres: number): string {
  const km = metres / 1_000;
  return `${km < 10 ? km.toFixed(1) : Math.round(km).toLocaleString("en")} km`;
}

export function clockTime(utc_us: number): string {
  return new Date(utc_us / 1_000).toISOString().slice(11, 19);
}

export function day(utc_us: number): string {
  return new Date(utc_us / 1_000).toISOString().slice(0, 10);
}

export function degrees(latitude_deg: number, longitude_deg: number): string {
  const lat = `${Math.abs(latitude_deg).toFixed(2)}° ${latitude_deg < 0 ? "S" : "N"}`;
  const east = ((longitude_deg + 540) % 360) - 180;
  return `${lat} ${Math.abs(east).toFixed(2)}° ${east < 0 ? "W" : "E"}`;
}

export function heaviest(impact: Impact[]): Impact | null {
  return impact.reduce<Impact | null>((best, one) => (best === null || one.weight > best.weight ? one : best), null);
}

/** How long a place that was reached stays the one to look at. */
const REACHED_S = 60;

/** The own place to count down to: the earliest still ahead or just reached, else the last reached; null if none. */
export function firstOwnPlace(event: EventLine, own: Place[], utc_us: number | null): PlaceTime | null {
  const names = new Set(own.map((place) => place.name));
  const mine = event.places.filter((place) => names.has(place.place)).sort((a, b) => a.earliest_us - b.earliest_us);
  const after_us = (utc_us ?? 0) - REACHED_S * 1e6;
  return mine.find((place) => place.earliest_us > after_us) ?? mine.at(-1) ?? null;
}

/** Half width in seconds of the 95 % interval of the time of impact, or null. */
export function spread95(event: EventLine): number | null {
  const impact = heaviest(event.impact);
  return impact === null ? null : TWO_SIDED_95 * impact.sigma_time_s;
}

export function isOpen(event: EventLine): boolean {
  return event.status === "TENTATIVE" || event.status === "CONFIRMED";
}

/** Open ones first, the one with least time left on top, then the newest. */
export function byUrgency(events: EventLine[], own: Place[]): EventLine[] {
  const due = (event: EventLine): number => firstOwnPlace(event, own, null)?.earliest_us ?? Infinity;
  return [...events].sort(
    (a, b) =>
      Number(isOpen(b)) - Number(isOpen(a)) ||
      (due(a) === due(b) ? 0 : due(a) - due(b)) ||
      b.as_of_us - a.as_of_us ||
      (a.event_id < b.event_id ? -1 : 1),
  );
}

/** A share in per cent as a person says it: whole, and never 0 or 100: nothing here is that sure. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return "< 1";
  return share > 0.994 ? "> 99" : String(Math.round(100 * share));
}

/** An interval in seconds with its sign, a tenth where it is short. */
export function signedSeconds(seconds: number, digits = 1): string {
  return `${seconds > 0 ? "+" : seconds < 0 ? "−" : ""}${Math.abs(seconds).toFixed(digits)} s`;
}

export function milliseconds(interval_ms: number): string {
  if (Math.abs(interval_ms) >= 1_000) return `${(interval_ms / 1_000).toFixed(1)} s`;
  return `${interval_ms.toFixed(Math.abs(interval_ms) < 10 ? 1 : 0)} ms`;
}

export type Mark = { at_us: number; id: string; values: Record<string, string>; shape: string };

/** What happened in an event, and what is still to come, for the time bar; in order of time. */
export function marksOf(event: EventLine, own: Place[], inForce: Sharing): Mark[] {
  const marks: Mark[] = [];
  const mark = (at_us: number | null | undefined, id: string, shape: string, values: Record<string, string> = {}): void => {
    if (at_us !== null && at_us !== undefined) marks.push({ at_us, id, shape, values });
  };
  mark(event.launch?.time_us, "mark-launch-time", "▵");
  for (const one of event.contributions) mark(one.first_detected_at_us, "mark-first-seen", "◆", { nation: one.nation });
  mark(event.milestones[inForce]?.confirmed_us, "mark-confirmed", "▲");
  mark(event.fused_at_us, "mark-fused", "⊕");
  for (const [party, at_us] of firstReleases(event.releases)) mark(at_us, "mark-released", "⇢", { party });
  mark(event.warning?.issued_at_us, "mark-warned", "!");
  mark(firstOwnPlace(event, own, null)?.earliest_us, "mark-due", "⌂");
  mark(heaviest(event.impact)?.time_us, "mark-down", "✕");
  return marks.sort((a, b) => a.at_us - b.at_us);
}

function firstReleases(releases: Release[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const one of releases) if (one.outcome !== "REFUSED" && !first.has(one.recipient)) first.set(one.recipient, one.first_us);
  return first;
}
