import { expect, test } from 'vitest';
import { run } from './native-build.ts';

/** Long enough for the seeds and a look around; CI looks longer. */
const QUICK_SECONDS = 5;
const CI_SECONDS = 60;

/** Compiling the target takes most of a quick run. */
const BUILD_TIMEOUT_MS = 600_000;

const seconds = Number(
  process.env['FUZZ_SECONDS'] ?? (process.env['CI'] === undefined ? QUICK_SECONDS : CI_SECONDS),
);

test(
  'arbitrary chunk streams break no bound, and mean the same however they are split',
  async () => {
    const { code, output } = await run('native/fuzz/run.sh', [String(seconds)]);
    expect(code, output.slice(-5000)).toBe(0);
    expect(output).toContain('DONE');
  },
  seconds * 1000 + BUILD_TIMEOUT_MS,
);
