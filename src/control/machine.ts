import { PressureGate } from '../core/pressure/gate.ts';
import { RESOURCES, type Resource, type ResourcesConfig } from '../core/pressure/resources.ts';
import type { GovernorEvent } from './governor-ports.ts';

/**
 * What the samplers say of the machine, and what is made of it: the gate, and
 * word of every change of it.
 */

/** What each source tells of those that move the gate. */
const TOLD_BY: Readonly<Record<string, readonly Resource[]>> = {
  cpu: ['cpu'],
  memory: ['heap', 'memory'],
  event_loop: ['event_loop'],
};

/** By then every source has spoken twice; until then it is no news that something is not known, ms. */
const BEGINNING_MS = 3000;

/** Figures kept, whatever sources there are. */
const FIGURES_MAX = 128;

export type GateState = 'open' | 'degraded' | 'closed';

type Say = (event: GovernorEvent, now: number) => void;

export class Machine {
  readonly gate: PressureGate;
  readonly #say: Say;
  readonly #startedAt: number;
  readonly #figures = new Map<string, number>();
  readonly #figuresOf = new Map<string, readonly string[]>();
  readonly #failing = new Set<string>();
  /** as it was said last; null until the first word */
  #state: GateState | null = null;
  #open = true;
  #openSince: number;

  constructor(config: ResourcesConfig, say: Say, now: number) {
    this.gate = new PressureGate(config, now);
    this.#say = say;
    this.#startedAt = now;
    this.#openSince = now;
  }

  /** Everything that is measured, name by name, as it was said last. */
  get figures(): Record<string, number> {
    return Object.fromEntries(this.#figures);
  }

  figure(name: string): number | null {
    return this.#figures.get(name) ?? null;
  }

  /** When the gate last opened or closed, monotonic ms. */
  get openSince(): number {
    return this.#openSince;
  }

  /** Whether to do without what can be done without. Not at the beginning already, when nothing is known. */
  isPressed(now: number): boolean {
    const level = this.gate.level(now);
    return level === 'critical' || (level === 'elevated' && !this.#begins(now));
  }

  sampled(source: string, figures: Readonly<Record<string, number>>, now: number): void {
    const names = Object.keys(figures);
    this.#figuresOf.set(source, names);
    for (const name of names) {
      if (this.#figures.size < FIGURES_MAX || this.#figures.has(name))
        this.#figures.set(name, figures[name]!);
    }
    for (const resource of TOLD_BY[source] ?? []) {
      const value = figures[resource];
      if (value !== undefined) this.gate.sample(resource, value, now);
    }
    if (this.#failing.delete(source)) {
      this.#say(
        { kind: 'sampler', detail: `${source} is measured again`, facts: { source, cause: null } },
        now,
      );
    }
    this.watch(now);
  }

  failed(source: string, cause: string, now: number): void {
    for (const resource of TOLD_BY[source] ?? []) this.gate.fail(resource, cause, now);
    // What was said before is void: an old figure looks like one of now.
    for (const name of this.#figuresOf.get(source) ?? []) this.#figures.delete(name);
    if (!this.#failing.has(source)) {
      this.#failing.add(source);
      const detail = `${source} cannot be measured, and is taken for elevated: ${cause}`;
      this.#say({ kind: 'sampler', detail, facts: { source, cause } }, now);
    }
    this.watch(now);
  }

  /** Notices what changed, also by the clock alone. */
  watch(now: number): void {
    const denial = this.gate.check(now, false);
    if ((denial === null) !== this.#open) {
      this.#open = denial === null;
      this.#openSince = now;
    }
    const state = denial !== null ? 'closed' : this.gate.level(now) === 'nominal' ? 'open' : 'degraded';
    if (this.#state === null && state === 'open') this.#state = state;
    if (state === this.#state || this.#isStarting(state, now)) return;
    const was = this.#state;
    this.#state = state;
    const causes = this.#pressed(now);
    const facts = {
      state,
      was,
      reason: denial?.reason ?? null,
      causes,
      // Rounded up: a promise in whole milliseconds must not come early.
      retry_after_ms: Math.ceil(denial?.retryAfterMs ?? 0),
    };
    this.#say({ kind: 'gate', detail: `${WORDS[state]}${causes === '' ? '' : `: ${causes}`}`, facts }, now);
  }

  /** Each resource that is not at ease, with what is known of it. */
  #pressed(now: number): string {
    const pressed: string[] = [];
    for (const resource of RESOURCES) {
      const gauge = this.gate.gauge(resource);
      if (gauge === null || gauge.level(now) === 'nominal') continue;
      const value = gauge.value(now);
      const { degrade, close } = gauge.marks;
      const marks = `marks ${amount(resource, degrade)} and ${amount(resource, close)}`;
      pressed.push(
        value === null ? `${resource} unknown` : `${resource} at ${amount(resource, value)}, ${marks}`,
      );
    }
    return pressed.join('; ');
  }

  /** A gate that is degraded until the samplers have spoken is what every start begins with. */
  #isStarting(state: GateState, now: number): boolean {
    return this.#state === null && state === 'degraded' && this.#begins(now);
  }

  #begins(now: number): boolean {
    return now - this.#startedAt < BEGINNING_MS;
  }
}

const WORDS: Readonly<Record<GateState, string>> = {
  open: 'the gate is open to everybody',
  degraded: 'the gate lets in by priority and by what streams cost',
  closed: 'the gate is closed',
};

function amount(resource: Resource, value: number): string {
  return resource === 'event_loop' ? `${Math.round(value)} ms` : `${Math.round(value * 100)} %`;
}
