/**
 * What a viewer of the dashboard costs: `node bench/load/viewers.ts [STREAMS] [ROUNDS] [SECONDS] [PROFILE_FOLDER]`.
 * The CPU of the server with 0, 1 and 5 subscribers of `/api/v1/events`, in turn, as a part of one core; what each
 * costs is the difference to none. The bar: under 5 % a viewer with 200 streams.
 */
import { LightStreams, median } from './light-streams.ts';

const streams = Number(process.argv[2] ?? 200);
const rounds = Number(process.argv[3] ?? 5);
const seconds = Number(process.argv[4] ?? 8);
const profile = process.argv[5];
const VIEWERS = [0, 1, 5];

const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
const node = await LightStreams.start(streams, '', nodeArgs);

/** Bytes that came, and how many snapshots were in them. */
interface Seen {
  bytes: number;
  snapshots: number;
}

/** One subscriber as the dashboard is one; reads and forgets. */
async function view(seen: Seen, signal: AbortSignal): Promise<void> {
  const answer = await fetch(node.server.url('/api/v1/events'), { signal });
  if (!answer.ok || answer.body === null) throw new Error(`the server answered ${answer.status}`);
  try {
    for await (const chunk of answer.body) {
      seen.bytes += chunk.byteLength;
      seen.snapshots += Buffer.from(chunk).toString('latin1').split('event: snapshot').length - 1;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const used = new Map<number, number[]>(VIEWERS.map((count) => [count, []]));
const seen: Seen = { bytes: 0, snapshots: 0 };
for (let round = 0; round < rounds; round++) {
  for (const count of VIEWERS) {
    const leave = new AbortController();
    const views = Array.from({ length: count }, () => view(seen, leave.signal));
    // What subscribing itself costs is not what looking on costs.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const cpu = await node.cpuDuring(() => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)));
    leave.abort();
    await Promise.all(views);
    used.get(count)!.push(cpu);
  }
}
await node.stop(profile === undefined ? 'SIGKILL' : 'SIGTERM');

const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;
console.log(`${streams} streams; ${(seen.bytes / seen.snapshots / 1000).toFixed(0)} kB a snapshot`);
const alone = median(used.get(0)!);
for (const [count, cpus] of used) {
  const each = count === 0 ? '' : `, ${percent((median(cpus) - alone) / count)} a viewer`;
  console.log(
    `${count} viewers: ${percent(median(cpus))} of a core (${cpus.map(percent).join(', ')})${each}`,
  );
}
process.exit(0);
