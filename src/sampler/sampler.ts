import { monotonicMs } from '../lib/clock.ts';

/**
 * Asks every source for its figures, again and again, and says what it was
 * told. It has no opinion of the figures. A source that fails, or that does
 * not answer in time, is reported as failed, and while it owes an answer it is
 * not asked again: silence is never taken for zero.
 */

/** Between two readings of a source, ms. Two readings make a reaction, within a second. */
export const SAMPLE_PERIOD_MS = 500;

/** A source that takes longer hangs, ms. */
const ANSWER_MS = 2_000;

/** What one source measures, name by name: `cpu`, `heap`, ... */
export type Figures = Readonly<Record<string, number>>;

export interface Source {
  /** names it in reports of failure */
  readonly name: string;
  /**
   * The figures of the time since the last call; null when there is nothing
   * new to tell, as with the first call of what is measured from one to the
   * next. Rejects or throws when they cannot be had.
   */
  read(now: number): Figures | null | Promise<Figures | null>;
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
  #stopped = false;

  constructor(sources: readonly Source[], sink: SampleSink) {
    this.#sources = sources;
    this.#sink = sink;
  }

  /** Reads all once, so that there is a beginning to measure from, then every `periodMs`. */
  start(periodMs = SAMPLE_PERIOD_MS): void {
    this.#round();
    this.#timer = setInterval(() => this.#round(), periodMs);
    this.#timer.unref();
  }

  /** Nothing is said after this. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const source of this.#sources) source.close?.();
  }

  /** Asks every source that has answered the last time. */
  #round(): void {
    for (const source of this.#sources) if (!this.#pending.has(source)) this.#ask(source);
  }

  #ask(source: Source): void {
    let answer: ReturnType<Source['read']>;
    try {
      answer = source.read(monotonicMs());
    } catch (error) {
      this.#failed(source, error);
      return;
    }
    if (answer instanceof Promise) this.#await(source, answer);
    else this.#sampled(source, answer);
  }

  #await(source: Source, answer: Promise<Figures | null>): void {
    this.#pending.add(source);
    const late = setTimeout(() => this.#failed(source, `no answer within ${ANSWER_MS} ms`), ANSWER_MS);
    late.unref();
    const answered = (): void => {
      clearTimeout(late);
      this.#pending.delete(source);
    };
    answer.then(
      (figures) => {
        answered();
        this.#sampled(source, figures);
      },
      (error: unknown) => {
        answered();
        this.#failed(source, error);
      },
    );
  }

  #sampled(source: Source, figures: Figures | null): void {
    if (!this.#stopped && figures !== null) this.#sink.sampled(source.name, figures, monotonicMs());
  }

  #failed(source: Source, cause: unknown): void {
    if (this.#stopped) return;
    this.#sink.failed(source.name, cause instanceof Error ? cause.message : String(cause), monotonicMs());
  }
}
