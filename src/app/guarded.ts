import { BREAKER_STATES, Breaker, type BreakerSettings } from '../control/breaker.ts';
import type { Figures, Source } from '../sampler/sampler.ts';

/**
 * Samplers behind circuit breakers: the machine's own books can be slow to
 * read, or not there, and asking again twice a second mends nothing.
 */

/** Sources that ask the operating system; the others ask this process itself. */
const OUTSIDE: ReadonlySet<string> = new Set(['cpu', 'network', 'descriptors']);

/** A source that fails for two seconds is left alone for as long, and at last asked once a minute. */
const SETTINGS: BreakerSettings = { failures: 4, answerMs: 2_000, pause: { minMs: 2_000, maxMs: 60_000 } };

/** The same sources, those that ask outside each with a breaker; and one that tells how the breakers stand. */
export function guarded(sources: readonly Source[]): Source[] {
  const breakers = new Map<string, Breaker>();
  const behind = sources.map((source) => {
    if (!OUTSIDE.has(source.name)) return source;
    const breaker = new Breaker(`the sampler of ${source.name}`, SETTINGS);
    breakers.set(`breaker_${source.name}`, breaker);
    return guardedBy(breaker, source);
  });
  return [...behind, new BreakerSource(breakers)];
}

function guardedBy(breaker: Breaker, source: Source): Source {
  const { name } = source;
  return {
    name,
    read: (now) => breaker.run(() => source.read(now)),
    close: () => source.close?.(),
  };
}

/** How the breakers stand, by what they guard: `breaker_cpu` is 0 closed, 1 half-open, 2 open. */
class BreakerSource implements Source {
  readonly name = 'breakers';
  readonly #breakers: ReadonlyMap<string, Breaker>;

  constructor(breakers: ReadonlyMap<string, Breaker>) {
    this.#breakers = breakers;
  }

  read(): Figures {
    const figures: Record<string, number> = {};
    for (const [name, { state }] of this.#breakers) figures[name] = BREAKER_STATES.indexOf(state);
    return figures;
  }
}
