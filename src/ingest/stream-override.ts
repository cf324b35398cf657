import type { StreamLimits } from '../core/limits.ts';

/** Limits an operator may change on a live stream; `null` takes an earlier change back. */
export type StreamLimitChange = {
  readonly [K in 'max_bitrate' | 'max_fps' | 'max_packets_per_sec' | 'on_exceed' | 'grace']?:
    | StreamLimits[K]
    | null;
};

/** A temporary change of one stream's limits, laid over what the config says until it runs out. */
export class StreamOverride {
  #values: Partial<StreamLimits> = {};
  #untilMs = Number.POSITIVE_INFINITY;

  /** Monotonic ms at which it ends, Infinity = with the stream; null when nothing is overridden. */
  get untilMs(): number | null {
    return Object.keys(this.#values).length === 0 ? null : this.#untilMs;
  }

  overrides(limit: keyof StreamLimits): boolean {
    return limit in this.#values;
  }

  /**
   * Keys that `change` does not name stay; all of them now end at `untilMs`,
   * unless the change only takes something back.
   */
  set(change: StreamLimitChange, untilMs: number): void {
    const adds = Object.values(change).some((value) => value !== null && value !== undefined);
    if (adds) this.#untilMs = untilMs;
    const merged: Record<string, unknown> = { ...this.#values, ...change };
    for (const [limit, value] of Object.entries(merged)) {
      if (value === null || value === undefined) delete merged[limit];
    }
    this.#values = merged as Partial<StreamLimits>;
  }

  /** True when it ran out just now. */
  expire(now: number): boolean {
    if (this.untilMs === null || now < this.#untilMs) return false;
    this.#values = {};
    return true;
  }

  apply(limits: StreamLimits): StreamLimits {
    return { ...limits, ...this.#values };
  }
}
