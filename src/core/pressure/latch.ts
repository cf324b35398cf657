/**
 * A switch with two marks and a hold: on as soon as the value reaches `enter`,
 * and off once the value has stayed below `leave` for `holdMs`. It goes off by
 * the clock alone, at an instant it can name beforehand.
 *
 * It changes at most twice per hold, whatever the values. It is monotone: a
 * sequence that is nowhere smaller keeps it on at least as long, and so does a
 * pair of marks that is nowhere higher.
 */
export class Latch {
  enter: number;
  leave: number;
  #holdMs: number;
  #silenceMs: number;
  /** of the latest value that kept it on */
  #hotAt = Number.NEGATIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** @param silenceMs without a further value it stays on for this long at least: silence is not calm */
  constructor(enter: number, leave: number, holdMs: number, silenceMs: number) {
    this.enter = enter;
    this.leave = leave;
    this.#holdMs = holdMs;
    this.#silenceMs = silenceMs;
  }

  /** The instant it goes off if nothing else happens, -Infinity when it never was on. */
  get untilMs(): number {
    return this.#untilMs;
  }

  isOn(now: number): boolean {
    return now < this.#untilMs;
  }

  step(value: number, now: number): void {
    const on = this.isOn(now);
    if (value >= this.enter || (on && value >= this.leave)) this.heat(now);
    else if (on) {
      // A clock that was set back must not make the hold longer.
      this.#hotAt = Math.min(this.#hotAt, now);
      this.#untilMs = Math.max(now, this.#hotAt + this.#holdMs);
    }
  }

  /** On, as if the value had reached `enter`. */
  heat(now: number): void {
    this.#hotAt = now;
    this.#untilMs = now + Math.max(this.#holdMs, this.#silenceMs);
  }

  /** A new hold counts for what is running too. The marks apply from the next value on. */
  setHold(holdMs: number): void {
    this.#holdMs = holdMs;
    this.#untilMs = Math.min(this.#untilMs, this.#hotAt + Math.max(holdMs, this.#silenceMs));
  }
}
