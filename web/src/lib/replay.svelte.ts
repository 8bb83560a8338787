// The past of the events as the server holds it: for a moment, the newest revision of each that was there by then.

import type { Held } from "./picture.svelte";
import type { EventLine, Impact, Milestones, PastArea, Revision } from "./wire";
import { heaviest } from "./words";

const EVENTS_MAX = 24;
const REFRESH_MS = 4_000;

export class Replay {
  #held = $state.raw<Map<string, Revision[]>>(new Map());
  #asked_ms = -Infinity;
  loading = $state(false);
  failed = $state(false);

  /** Fetches the revisions of what is held now, at most every few seconds; the chosen event is always among them. */
  async load(events: Map<string, Held>, chosen: string | null, page_ms: number): Promise<void> {
    if (page_ms - this.#asked_ms < REFRESH_MS) return;
    this.#asked_ms = page_ms;
    this.loading = this.#held.size === 0;
    const ids = [...events.keys()].slice(-EVENTS_MAX);
    if (chosen !== null && events.has(chosen) && !ids.includes(chosen)) ids.push(chosen);
    try {
      const found = await Promise.all(ids.map(async (id) => [id, await revisionsOf(id)] as const));
      this.#held = new Map(found.filter(([, revisions]) => revisions.length > 0));
      this.failed = false;
    } catch {
      this.failed = true;
    }
    this.loading = false;
  }

  /** Makes the next `load` fetch again. */
  forget(): void {
    this.#asked_ms = -Infinity;
  }

  /** The events as they were shown at a moment. */
  at(at_us: number, events: Map<string, Held>): EventLine[] {
    const lines: EventLine[] = [];
    for (const [id, revisions] of this.#held) {
      const live = events.get(id)?.line;
      const past = revisions.filter((one) => one.as_of_us <= at_us);
      if (live !== undefined && past.length > 0) lines.push(lineOf(past, live, at_us));
    }
    return lines;
  }

  /** The moments at which something changed, in order. */
  moments(id: string | null): number[] {
    return (id === null ? [] : (this.#held.get(id) ?? [])).map((one) => one.as_of_us);
  }
}

async function revisionsOf(id: string): Promise<Revision[]> {
  const answer = await fetch(`/api/events/${encodeURIComponent(id)}/revisions`);
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Revision[];
}

function lineOf(past: Revision[], live: EventLine, at_us: number): EventLine {
  const newest = past.at(-1)!;
  const by = (moment_us: number | null): number | null => (moment_us !== null && moment_us <= at_us ? moment_us : null);
  const milestones: EventLine["milestones"] = {};
  for (const [sharing, one] of Object.entries(live.milestones) as [keyof EventLine["milestones"], Milestones][]) {
    milestones[sharing] = {
      first_detection_us: by(one.first_detection_us),
      confirmed_us: by(one.confirmed_us),
      area_100km_us: by(one.area_100km_us),
    };
  }
  return {
    ...newest,
    age_s: (at_us - newest.as_of_us) / 1e6,
    revisions: past.length,
    fused_at_us: by(live.fused_at_us),
    milestones,
    warning: live.warning !== null && live.warning.issued_at_us <= at_us ? live.warning : null,
    acknowledged: live.acknowledged !== null && live.acknowledged.at_us <= at_us ? live.acknowledged : null,
    releases: live.releases.filter((one) => one.first_us <= at_us),
    trail: past.flatMap((one) => (one.state ? [{ epoch_us: one.state.epoch_us, position_ecef_m: one.state.position_ecef_m }] : [])),
    areas: past.flatMap((one) => areaOf(one)),
    log: past.slice(-32).map((one) => ({
      revision: one.revision,
      as_of_us: one.as_of_us,
      status: one.status,
      contributors: one.contributors,
      semi_major_m: heaviest(one.impact)?.semi_major_m ?? null,
    })),
  };
}

function areaOf(one: Revision): PastArea[] {
  const impact: Impact | null = heaviest(one.impact);
  return impact === null ? [] : [{ ...impact, as_of_us: one.as_of_us }];
}
