import { monotonicMs } from '../lib/clock.ts';

/**
 * Asks every source for its figures, again and again, and says what it was
 * told. It has no opinion of the figures. A source that fails, or that does
 * not answer in time, is reported as failed and not asked again before it has
 * answered: silence is never taken for zero.
 */

/** Between two readings of a source, ms. Two readings make a reaction, within a second. */
const PERIOD_MS = 500;

/** A source that takes longer hangs, ms. */
const ANSWER_MS = 2_000;

/** What one source measures, name by name: `cpu`, `heap`, ... */
export type Figures = Readonly<Record<string, number>>;

export interface Source {
  /** names it in reports of failure */
  readonly name: string;
  /** The figures of the time since the last call. Rejects or throws when they cannot be had. */
  read(now: number): Figures | Promise<Figures>;
  /** Gives back what it holds. */
  close?(): void;
}

export interface SampleSink {
  sampled(source: string, figures: Figures, now: number): void;
  failed(source: string, cause: string, now: number): void;
}

export class Sampler {
  readonly #sources: readonly Source[];
  readonly #sink: SampleSink;
  readonly #pending = new Set<Source>();
  #timer: NodeJS.Timeout | null = null;

  constructor(sources: readonly Source[], sink: SampleSink) {
    this.#sources = sources;
    this.#sink = sink;
  }

  /** Reads all once, so that there is a beginning to measure from, then every `periodMs`. */
  start(periodMs = PERIOD_MS): void {
    this.round();
    this.#timer = setInterval(() => this.round(), periodMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const source of this.#sources) source.close?.();
  }

  /** Asks every source that has answered the last time. */
  round(): void {
    for (const source of this.#sources) if (!this.#pending.has(source)) void this.#ask(source);
  }

  async #ask(source: Source): Promise<void> {
    this.#pending.add(source);
    const late = setTimeout(() => {
      this.#sink.failed(source.name, `no answer within ${ANSWER_MS} ms`, monotonicMs());
    }, ANSWER_MS);
    late.unref();
    try {
      const figures = await source.read(monotonicMs());
      this.#sink.sampled(source.name, figures, monotonicMs());
    } catch (error) {
      this.#sink.failed(source.name, error instanceof Error ? error.message : String(error), monotonicMs());
    } finally {
      clearTimeout(late);
      this.#pending.delete(source);
    }
  }
}
