// Who acknowledges: the person signed in, or the name typed on this machine where nobody signs in.

const KEY = "beaconfire-person";

export class Person {
  name = $state(localStorage.getItem(KEY) ?? "");
  signedIn = $state(false);
  /** The name was needed and is missing. */
  missing = $state(false);
  failed = $state(false);

  async ask(): Promise<void> {
    try {
      const answer = (await (await fetch("/api/session")).json()) as { person: string; signed_in: boolean };
      this.signedIn = answer.signed_in;
      if (answer.signed_in) this.name = answer.person;
    } catch {
      this.signedIn = false;
    }
  }

  keep(): void {
    this.missing = false;
    localStorage.setItem(KEY, this.name);
  }

  async acknowledge(event_id: string): Promise<void> {
    this.missing = this.name.trim() === "";
    if (this.missing) return;
    try {
      const address = `/api/events/${encodeURIComponent(event_id)}/acknowledgement`;
      const answer = await fetch(address, { method: "POST", body: JSON.stringify({ person: this.name.trim() }) });
      this.failed = !answer.ok;
    } catch {
      this.failed = true;
    }
  }
}
