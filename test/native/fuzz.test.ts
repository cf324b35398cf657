import { expect, test } from 'vitest';
import { run } from './native-build.ts';

/** Of all targets together: long enough for the seeds and a look around; CI looks longer. */
const QUICK_SECONDS = 8;
const CI_SECONDS = 60;

/** Compiling the targets takes most of a quick run. */
const BUILD_TIMEOUT_MS = 600_000;

const seconds = Number(
  process.env['FUZZ_SECONDS'] ?? (process.env['CI'] === undefined ? QUICK_SECONDS : CI_SECONDS),
);

/** Each target's share of the time: the more states it has, the longer. */
const TARGETS = [
  ['demux', 0.3, 'arbitrary chunk streams break no bound, and mean the same however they are split'],
  ['ts', 0.3, 'of an arbitrary transport stream whole packets pass, and every byte is counted once'],
  ['ts_flv', 0.25, 'an arbitrary transport stream becomes well-formed messages, or none'],
  ['stream_id', 0.15, 'arbitrary stream ids are refused, or safe to use'],
] as const;

test.each(TARGETS)(
  '%s, %d of the time: %s',
  async (target, share) => {
    const { code, output } = await run('native/fuzz/run.sh', [target, String(Math.ceil(seconds * share))]);
    expect(code, output.slice(-5000)).toBe(0);
    expect(output).toContain('DONE');
  },
  seconds * 1000 + BUILD_TIMEOUT_MS,
);
