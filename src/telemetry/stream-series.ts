/**
 * Which streams get a time series of their own. Taking the highest bitrates at
 * every scrape would make series appear and vanish with each fluctuation; so a
 * path that has a series keeps it while its stream lives, and places that
 * become free go to the newcomers with the highest bitrate (ties: by path).
 */
import { printable } from './printable.ts';

export interface ChosenSeries {
  /** bitrate in bits per second, and the path */
  readonly samples: readonly (readonly [number, string])[];
  /** live streams without a series */
  readonly omitted: number;
}

export class StreamSeries {
  #told = new Set<string>();

  choose(
    streams: Iterable<{ readonly path: string; readonly bitrateBps: number }>,
    max: number,
  ): ChosenSeries {
    const samples: [number, string][] = [];
    const newcomers: [number, string][] = [];
    const seen = new Set<string>();
    for (const { path, bitrateBps } of streams) {
      const label = printable(path);
      if (seen.has(label)) continue;
      seen.add(label);
      if (this.#told.has(label) && samples.length < max) samples.push([bitrateBps, label]);
      else newcomers.push([bitrateBps, label]);
    }
    newcomers.sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? -1 : 1));
    const room = Math.max(0, max - samples.length);
    samples.push(...newcomers.slice(0, room));
    this.#told = new Set(samples.map(([, path]) => path));
    return { samples, omitted: newcomers.length - Math.min(room, newcomers.length) };
  }
}
