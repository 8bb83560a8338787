// What is looked at, kept in the address: ?event=…&at=…&lang=…&theme=…&dim=3&coverage=1&areas=0&labels=0&borders=0&disputed=1&help=1

import { LANGUAGES, type Language } from "./texts.svelte";

export type Theme = "auto" | "dark" | "light";
export type Route = "display" | "sandbox";
const THEMES: Theme[] = ["auto", "dark", "light"];
const RATES = [1, 2, 5, 10, 20, 60];

export class View {
  route = $state<Route>("display");
  event = $state<string | null>(null);
  theme = $state<Theme>("auto");
  language = $state<Language>("en");
  globe = $state(false);
  coverage = $state(false);
  areas = $state(true);
  labels = $state(true);
  symbols = $state(false);
  borders = $state(true);
  disputed = $state(false);
  help = $state(false);
  /** Moment of the replay, microseconds UTC; null shows what is live. */
  at_us = $state<number | null>(null);
  rate = $state(1);
  playing = $state(false);

  #languageChosen = false;

  constructor() {
    this.read();
    addEventListener("popstate", () => this.read());
  }

  read(): void {
    const query = new URLSearchParams(location.search);
    const theme = query.get("theme") as Theme | null;
    this.route = location.pathname === "/sandbox" ? "sandbox" : "display";
    this.event = query.get("event");
    this.theme = theme !== null && THEMES.includes(theme) ? theme : "auto";
    this.#readLanguage(query.get("lang"));
    this.globe = query.get("dim") === "3";
    this.coverage = query.get("coverage") === "1";
    this.areas = query.get("areas") !== "0";
    this.labels = query.get("labels") !== "0";
    this.symbols = query.get("symbols") === "1";
    this.borders = query.get("borders") !== "0";
    this.disputed = query.get("disputed") === "1";
    this.help = query.get("help") === "1";
    const at = query.get("at");
    this.at_us = at !== null && /^\d{1,16}$/.test(at) ? Number(at) : null;
    const rate = Number(query.get("rate"));
    this.rate = RATES.includes(rate) ? rate : 1;
  }

  #readLanguage(asked: string | null): void {
    this.#languageChosen = LANGUAGES.some((language) => language === asked);
    const wanted = [asked, ...navigator.languages.map((language) => language.slice(0, 2)), "en"];
    this.language = wanted.find((one): one is Language => LANGUAGES.some((language) => language === one))!;
  }

  get rates(): number[] {
    return RATES;
  }

  /** The address of this view. */
  get address(): string {
    const query = new URLSearchParams();
    if (this.event !== null) query.set("event", this.event);
    if (this.at_us !== null) query.set("at", String(Math.round(this.at_us)));
    if (this.rate !== 1) query.set("rate", String(this.rate));
    if (this.#languageChosen) query.set("lang", this.language);
    if (this.theme !== "auto") query.set("theme", this.theme);
    if (this.globe) query.set("dim", "3");
    if (this.coverage) query.set("coverage", "1");
    if (!this.areas) query.set("areas", "0");
    if (!this.labels) query.set("labels", "0");
    if (this.symbols) query.set("symbols", "1");
    if (!this.borders) query.set("borders", "0");
    if (this.disputed) query.set("disputed", "1");
    if (this.help) query.set("help", "1");
    const path = this.route === "sandbox" ? "/sandbox" : "/";
    return query.size > 0 ? `${path}?${query}` : path;
  }

  /** Puts the view into the address; another event or route is a step back in the history, the rest is not. */
  write(step = false): void {
    if (step) history.pushState(null, "", this.address);
    else history.replaceState(null, "", this.address);
  }

  choose(event: string | null): void {
    if (event === this.event) return;
    this.event = event;
    this.write(true);
  }

  go(route: Route): void {
    this.route = route;
    this.write(true);
  }

  speak(language: Language): void {
    this.language = language;
    this.#languageChosen = true;
    this.write();
  }

  nextTheme(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length]!;
    this.write();
  }

  toggle(what: "globe" | "coverage" | "areas" | "labels" | "symbols" | "borders" | "disputed"): void {
    this[what] = !this[what];
    this.write();
  }

  toggleHelp(shown: boolean = !this.help): void {
    this.help = shown;
    this.write();
  }

  /** Shows a moment of the past. */
  seek(at_us: number): void {
    this.at_us = Math.round(at_us);
    this.write();
  }

  live(): void {
    this.at_us = null;
    this.playing = false;
    this.write();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.write();
  }
}
