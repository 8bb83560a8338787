// What the server sends: the line of events.jsonl with what the screen adds. Degrees, metres, microseconds UTC.

export type Status = "TENTATIVE" | "CONFIRMED" | "LOST" | "ENDED" | "WITHDRAWN";
export type Sharing = "alone" | "bilateral" | "trilateral";
export type Vector = [number, number, number];

export interface Area {
  latitude_deg: number;
  longitude_deg: number;
  semi_major_m: number;
  semi_minor_m: number;
  bearing_deg: number;
  probability: number;
}

export interface Launch extends Area {
  time_us: number;
  sigma_time_s: number;
}

export interface Impact extends Launch {
  weight: number;
  /** 50, 95 and 99 % about the same centre and bearing; empty where they aren't stated. */
  ellipses?: { probability: number; semi_major_m: number; semi_minor_m: number }[];
  /** Latitude and longitude in degrees, where an ellipse does not fit. */
  contours?: { probability: number; points_deg: [number, number][] }[];
}

export interface State {
  epoch_us: number;
  position_ecef_m: Vector;
  velocity_ecef_m_s: Vector;
  phase: "BOOST" | "COAST" | "REENTRY";
}

export interface PlaceTime {
  place: string;
  kind: "IMPACT" | "OVERFLIGHT";
  earliest_us: number;
  probability: number;
}

export interface Contribution {
  nation: string;
  track: string;
  first_detected_at_us: number | null;
  observed_at_us: number;
  received_at_us: number;
  sensors: string[];
  basis: string[];
}

export interface Milestones {
  first_detection_us: number | null;
  confirmed_us: number | null;
  area_100km_us: number | null;
}

export interface WarningLine {
  action: "issue" | "update" | "cancel";
  revision: number;
  issued_at_us: number;
  alone: boolean;
  places: PlaceTime[];
  text: string;
  /** The same words by language code. */
  texts: Record<string, string>;
}

export interface Acknowledged {
  person: string;
  at_us: number;
}

export interface Release {
  recipient: string;
  outcome: "RELEASED" | "DEGRADED" | "REFUSED";
  reason: string | null;
  rule: string;
  groups: string[];
  degraded: string[];
  withheld: string[];
  basis: string[];
  first_us: number;
  last_us: number;
  count: number;
  report_id: string;
}

export interface LogLine {
  revision: number;
  as_of_us: number;
  status: Status;
  contributors: string[];
  semi_major_m: number | null;
}

/** One revision, as the REST interface gives it. */
export interface Revision {
  nation: string;
  event_id: string;
  revision: number;
  as_of_us: number;
  observed_at_us: number;
  mode: string;
  status: Status;
  contributors: string[];
  references: string[];
  contributions: Contribution[];
  manoeuvring: boolean;
  thrust_possible: boolean;
  raid_id: string | null;
  apogee_m: number | null;
  launch: Launch | null;
  state: State | null;
  impact: Impact[];
  places: PlaceTime[];
}

export interface TrailPoint {
  epoch_us: number;
  position_ecef_m: Vector;
}

export type PastArea = Impact & { as_of_us: number };

/** The newest revision and all that is shown with it. */
export interface EventLine extends Revision {
  age_s: number;
  revisions: number;
  fused_at_us: number | null;
  milestones: Partial<Record<Sharing, Milestones>>;
  warning: WarningLine | null;
  acknowledged: Acknowledged | null;
  releases: Release[];
  trail: TrailPoint[];
  areas: PastArea[];
  log: LogLine[];
}

export interface Place {
  name: string;
  latitude_deg: number;
  longitude_deg: number;
  radius_m: number;
}

export interface Sensor {
  id: string;
  kind: "radar" | "ir";
  latitude_deg?: number;
  longitude_deg?: number;
  height_m?: number;
  minimum_elevation_deg?: number;
  maximum_range_m?: number;
}

export interface LinkHealth {
  peer: string;
  lane: string;
  up: boolean;
  round_trip_ms: number | null;
  silent_for_s: number | null;
  queued: number;
}

export interface Health {
  source: string;
  at_us: number;
  links: LinkHealth[];
  counters: Record<string, number>;
  age_s: number;
  behind_us: number;
}

export interface Notice {
  code: string;
  severity: "information" | "caution" | "fault";
  text: string;
  at_us: number;
  source: string;
  arguments?: Record<string, string | number>;
}

export interface Chain {
  records: number;
  logs: string[];
  flaw: string;
}

export interface Arrangement {
  arrangement: string;
  version: number;
  parties: string[];
  digest: string;
  valid_until_us: number;
  suspended_by: string[];
  silent: string[];
}

export interface Can {
  acknowledge: boolean;
  sandbox: boolean;
  audit: boolean;
}

export interface AuditLine {
  log: string;
  index: number;
  at_us: number;
  outcome: "RELEASED" | "DEGRADED" | "REFUSED";
  originator: string;
  recipient: string;
  report_id: string;
  reason: string | null;
  rule: string;
  groups: string[];
  degraded: string[];
  basis: string[];
}

export interface Clock {
  utc_us: number;
  speed: number;
}

export interface Banner {
  level: string;
  releasability: string;
  mode: string;
}

interface Head {
  sequence: number;
  clock: Clock;
  events: EventLine[];
}

export interface SnapshotFrame extends Head {
  type: "snapshot";
  nation: string;
  hub: boolean;
  mode: string;
  in_force: Sharing;
  banner: Banner;
  places: Place[];
  sensors: Sensor[];
  arrangements: Arrangement[];
  can: Can;
  audit: Chain | null;
  health: Health[];
  notices: Notice[];
  rejected: Record<string, number>;
}

export interface EventFrame extends Head {
  type: "event";
  gone?: string[];
}

export interface HealthFrame extends Head {
  type: "health";
  arrangements: Arrangement[];
  audit: Chain | null;
  health: Health[];
  notices: Notice[];
  rejected: Record<string, number>;
}

export type Frame = SnapshotFrame | EventFrame | HealthFrame;
