import { afterAll, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { Draws } from '../support/draws.ts';
import { nextRudeness, politeWords } from '../support/fuzz.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { until } from '../support/server.ts';

/**
 * Half-mad clients: conversations in the grammar of RTMP with something wrong
 * in them, many at once, all drawn from one seed. Replay one by FUZZ_SEED=n.
 */

const FUZZ_MS = 10_000;
const TOGETHER = 12;
/** Messages of one client before it leaves. */
const WORDS_MAX = 60;

/** What the server may have grown by after thousands of them; some 10 MiB are seen. */
const GROWTH_BYTES_MAX = 48 * 1024 * 1024;

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(performance.timeOrigin % 2 ** 31));

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

async function oneClient(draws: Draws): Promise<number> {
  const client = await RtmpClient.open({
    port: arena.server.ports.rtmp,
    localAddress: `127.70.0.${draws.whole(1, 200)}`,
    handshake: 'none',
  });
  client.socket.setTimeout(2_000, () => client.vanish());
  const words = [...politeWords(draws)];
  const spoken = draws.whole(1, WORDS_MAX);
  for (let i = 0; i < spoken && !client.closed; i += 1) {
    const bytes = words.shift() ?? nextRudeness(draws);
    const said = draws.chance(0.15) ? nextRudeness(draws) : bytes;
    // Cut anywhere: two writes that arrive as they please.
    const cut = draws.whole(0, said.length);
    client.write(said.subarray(0, cut));
    client.write(said.subarray(cut));
    if (draws.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
  await client.drained().catch(() => {});
  if (draws.chance(0.5)) client.vanish();
  else client.socket.end();
  await client.whenClosed;
  return spoken;
}

test(`clients that talk nonsense for ${FUZZ_MS / 1_000} s (FUZZ_SEED=${seed}) break nothing`, async () => {
  console.info(`FUZZ_SEED=${seed}`);
  const before = arena.server.rss();
  const end = performance.now() + FUZZ_MS;
  let clients = 0;
  let words = 0;
  const threads = Array.from({ length: TOGETHER }, async (_, thread) => {
    for (let round = 0; performance.now() < end; round += 1) {
      const said = await oneClient(new Draws(seed + thread * 1_000_003 + round));
      words += said;
      clients += 1;
      expect(arena.server.alive).toBe(true);
    }
  });
  await Promise.all(threads);
  const published = arena.server.log.filter(({ msg }) => msg === 'stream started').length;
  console.info(`${clients} clients said ${words} things, ${published} published`);
  expect(clients).toBeGreaterThan(TOGETHER);
  await arena.unharmed();
  const grownBy = arena.server.rss() - before;
  console.info(`grown by ${Math.round(grownBy / 2 ** 20)} MiB`);
  expect(grownBy).toBeLessThan(GROWTH_BYTES_MAX);
  // Both ends of the grammar were reached: some published, some were cut for nonsense.
  const refused = await until(
    () => arena.server.metric('headgate_denied_total', '{reason="protocol_error"}'),
    'refusals',
  );
  expect(refused).toBeGreaterThan(10);
  expect(published).toBeGreaterThan(10);
}, 60_000);
