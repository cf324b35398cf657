/**
 * What watching the machine costs at the default period, as CPU of one core:
 * all sources together as the server runs them, each by itself, and for
 * comparison systeminformation, whose shell's CPU counts too. An idle process is
 * the worst case: each reading wakes it up, to cold caches.
 *
 *   node bench/micro/sampler.ts
 */
import { readFileSync } from 'node:fs';
import { currentLoad } from 'systeminformation';
import { SAMPLE_PERIOD_MS, Sampler } from '../../src/sampler/sampler.ts';
import { machineSources } from '../../src/sampler/sources.ts';

const GOAL = 0.005;
/** Long enough for hundreds of wake-ups, ms. */
const RUN_MS = 20_000;
/** Readings of one source in a row. */
const READINGS = 2000;
/** Each starts three processes. */
const SHELL_READINGS = 20;
/** systeminformation answers from memory when it is asked again sooner, ms. */
const SHELL_APART_MS = 210;
/** Ticks of /proc/self/stat in a second. */
const TICKS_PER_SECOND = 100;

const percent = (fraction: number) => `${(fraction * 100).toFixed(3)} %`;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function usedMs(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** CPU of this process while it does nothing but `during`, as a part of one core. */
async function idling(during: () => void): Promise<number> {
  await pause(500);
  const before = process.cpuUsage();
  const from = performance.now();
  during();
  await pause(RUN_MS);
  return usedMs(before) / (performance.now() - from);
}

/** The same with all processes started and waited for, in ticks of 10 ms. */
function ticksMs(): number {
  const columns = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = columns.slice(11);
  return ((user + system + childrenUser + childrenSystem) * 1000) / TICKS_PER_SECOND;
}

const nothing = await idling(() => undefined);
let samples = 0;
let failures = 0;
const sampler = new Sampler(
  machineSources(() => 0),
  { sampled: () => samples++, failed: () => failures++ },
);
const watching = await idling(() => sampler.start());
sampler.stop();
const own = watching - nothing;
console.log(
  `all sources every ${SAMPLE_PERIOD_MS} ms: ${percent(own)} of one core (goal ${percent(GOAL)}) over ${RUN_MS / 1000} s; ${samples} samples, ${failures} failures`,
);

for (const source of machineSources(() => 0)) {
  const before = process.cpuUsage();
  // Each reading believes that a period has passed: those that are read less often count with their share.
  for (let i = 0; i < READINGS; i++) await source.read(i * SAMPLE_PERIOD_MS);
  source.close?.();
  const us = (usedMs(before) * 1000) / READINGS;
  console.log(
    `  ${source.name.padEnd(12)} ${us.toFixed(1).padStart(7)} us a reading, ${percent(us / 1000 / SAMPLE_PERIOD_MS)}`,
  );
}

await currentLoad();
const before = ticksMs();
let longestMs = 0;
for (let i = 0; i < SHELL_READINGS; i++) {
  await pause(SHELL_APART_MS);
  const from = performance.now();
  await currentLoad();
  longestMs = Math.max(longestMs, performance.now() - from);
}
const shellMs = (ticksMs() - before) / SHELL_READINGS;
console.log(
  `systeminformation's currentLoad: ${shellMs.toFixed(1)} ms a reading, ${percent(shellMs / SAMPLE_PERIOD_MS)}; longest ${longestMs.toFixed(1)} ms, the event loop waiting`,
);
if (own > GOAL || failures > 0) process.exitCode = 1;
