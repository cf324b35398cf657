/**
 * What Prometheus costs: `node bench/load/scrape.ts [STREAMS] [SCRAPES]`, once with the default number of streams that
 * have a series of their own and once with all. Prints how long a scrape takes, from the request to the last byte,
 * and the CPU it costs the server. The bar: 2,000 streams under 50 ms.
 */
import { LightStreams, median } from './light-streams.ts';

const count = Number(process.argv[2] ?? 2_000);
const scrapes = Number(process.argv[3] ?? 60);

/** Between two scrapes: the API lets a client ask only so often. */
const PAUSE_MS = 250;

for (const series of [100, count]) {
  const node = await LightStreams.start(count, `metrics: { max_streams: ${series} }`);
  const tookMs: number[] = [];
  let bytes = 0;
  const rest = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const idle = await node.cpuDuring(async () => {
    for (let i = 0; i < scrapes; i++) await rest();
  });
  const busy = await node.cpuDuring(async () => {
    for (let i = 0; i < scrapes; i++) {
      await node.whileStill(async () => {
        const began = performance.now();
        const answer = await fetch(node.server.url('/metrics'));
        bytes = (await answer.arrayBuffer()).byteLength;
        tookMs.push(performance.now() - began);
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      });
      await rest();
    }
  });
  await node.stop();
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (fraction: number) => (sorted[Math.floor(sorted.length * fraction)] ?? Number.NaN).toFixed(1);
  const cpuMs = (busy - idle) * (PAUSE_MS + median(tookMs));
  console.log(
    `${count} streams, ${series} with a series: a scrape takes ${at(0.5)} ms (p95 ${at(0.95)}, longest ${at(0.999)}), ` +
      `${(bytes / 1000).toFixed(0)} kB, ${cpuMs.toFixed(1)} ms of CPU`,
  );
}
