/** What a metric is declared as, and how plain counts become its samples. */
import type { MetricsReading } from './metrics-source.ts';

/** One time series at scrape: its value, then its label values in the order of `labels`. */
export type Sample = readonly [value: number, ...labels: string[]];

export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly help: string;
  readonly read: (reading: MetricsReading) => Sample[];
}

/** The words of a record that were counted, with their counts. */
export function entries<Word extends string, Value>(
  counts: Readonly<Partial<Record<Word, Value>>>,
): [Word, Value][] {
  return (Object.entries(counts) as [Word, Value | undefined][]).filter(
    (entry): entry is [Word, Value] => entry[1] !== undefined,
  );
}

export function rows<Word extends string>(counts: Readonly<Partial<Record<Word, number>>>): Sample[] {
  return entries(counts).map(([word, count]) => [count, word]);
}
