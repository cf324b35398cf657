import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What computes only; these files run side by side. */
const FAST = ['unit', 'property', 'contract', 'sim', 'house'];
/** What compiles, opens ports and starts servers, ffmpeg and npm; one file at a time, or two cores starve them. */
const SLOW = ['native', 'e2e'];

const filesOf = (dirs: readonly string[]) => dirs.map((dir) => `test/${dir}/**/*.test.ts`);

export default defineConfig({
  test: {
    // The report beside the readable output is what .ci/run counts from.
    reporters: ['default', ['json', { outputFile: 'build/test-report.json' }]],
    projects: [
      {
        test: {
          name: 'fast',
          include: filesOf(FAST),
          testTimeout: 15_000,
          // All processors: vitest leaves one free by default, which is half of a small machine.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'slow',
          include: filesOf(SLOW),
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
