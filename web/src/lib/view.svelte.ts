// What is looked at, kept in the address: ?event=…&theme=…&borders=0&help=1

export type Theme = "auto" | "dark" | "light";
const THEMES: Theme[] = ["auto", "dark", "light"];

export class View {
  event = $state<string | null>(null);
  theme = $state<Theme>("auto");
  borders = $state(true);
  help = $state(false);

  constructor() {
    this.read();
    addEventListener("popstate", () => this.read());
  }

  read(): void {
    const query = new URLSearchParams(location.search);
    const theme = query.get("theme") as Theme | null;
    this.event = query.get("event");
    this.theme = theme !== null && THEMES.includes(theme) ? theme : "auto";
    this.borders = query.get("borders") !== "0";
    this.help = query.get("help") === "1";
  }

  /** Puts the view into the address; a chosen event is a step back in the history, the rest is not. */
  write(step: boolean): void {
    const query = new URLSearchParams();
    if (this.event !== null) query.set("event", this.event);
    if (this.theme !== "auto") query.set("theme", this.theme);
    if (!this.borders) query.set("borders", "0");
    if (this.help) query.set("help", "1");
    const address = query.size > 0 ? `/?${query}` : "/";
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  choose(event: string | null): void {
    if (event === this.event) return;
    this.event = event;
    this.write(true);
  }

  nextTheme(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length]!;
    this.write(false);
  }

  toggleBorders(): void {
    this.borders = !this.borders;
    this.write(false);
  }

  toggleHelp(shown: boolean = !this.help): void {
    this.help = shown;
    this.write(false);
  }
}
