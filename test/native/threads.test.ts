import { expect, test } from 'vitest';
import { buildProgram, run } from './native-build.ts';

/** Compiling under ThreadSanitizer takes half a minute on one slow core. */
const BUILD_TIMEOUT_MS = 300_000;

const SOURCES = [
  'native/accounting.cc',
  'native/srt_address.cc',
  'native/srt_door.cc',
  'native/srt_door_tables.cc',
  'native/srt_stream_id.cc',
  'native/test/main.cc',
  'native/test/threads_main.cc',
];

/** What ThreadSanitizer says, before the program begins, where the kernel moves memory about more than it expects. */
const UNFIT = /ThreadSanitizer: (unexpected memory mapping|failed to intercept|CHECK failed)/;

/**
 * Runs the program under ThreadSanitizer: as it is; else without the kernel's
 * moving memory about, where that is permitted; else without ThreadSanitizer,
 * which leaves what the program itself checks.
 */
async function runWithoutRaces(): Promise<{ code: number | null; output: string }> {
  const program = await buildProgram('threads', SOURCES, 'threads');
  const plainly = await run(program, []);
  if (!UNFIT.test(plainly.output)) return plainly;
  const inPlace = await run('setarch', ['-R', program]).catch(() => plainly);
  if (/^\d+ tests/m.test(inPlace.output) || inPlace.output.includes('data race')) return inPlace;
  console.warn('ThreadSanitizer does not run here (vm.mmap_rnd_bits is above 28): races are not looked for');
  return run(await buildProgram('threads', SOURCES, 'nothing'), []);
}

test(
  'tables may change while callers are judged by them, and threads may charge one budget',
  async () => {
    const { code, output } = await runWithoutRaces();
    expect(code, output.slice(0, 5000)).toBe(0);
    expect(output).toMatch(/^[1-9]\d* tests, 0 failures$/m);
  },
  BUILD_TIMEOUT_MS,
);
