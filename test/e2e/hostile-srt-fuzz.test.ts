import { afterAll, beforeAll, expect, test } from 'vitest';
import { Draws } from '../support/draws.ts';
import { pause, until } from '../support/server.ts';
import { SrtArena } from '../support/srt-arena.ts';
import { introduction, say } from '../support/srt-fuzz.ts';
import { VideoTs } from '../support/ts-wire.ts';

/**
 * Half-mad callers: conversations in the grammar of SRT with something wrong
 * in them, many at once, all drawn from one seed. Replay one by FUZZ_SEED=n.
 */

const FUZZ_MS = 6_000;
const TOGETHER = 8;
/** Datagrams of one caller before it leaves, and between two pauses. */
const WORDS_MAX = 120;
const STRETCH = 10;
const HANDSHAKE_MS = 60;

const GROWTH_BYTES_MAX = 120 * 1024 * 1024;

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(performance.timeOrigin % 2 ** 31));

let arena: SrtArena;

beforeAll(async () => {
  arena = await SrtArena.open();
});
afterAll(() => arena.close());

async function oneCaller(draws: Draws): Promise<number> {
  const caller = await arena.stranger({
    ...introduction(draws),
    localAddress: `127.71.0.${draws.whole(1, 200)}`,
  });
  caller.sendInduction();
  await pause(HANDSHAKE_MS / 3);
  for (let i = draws.pick([1, 1, 1, 3]); i > 0; i -= 1) caller.sendConclusion();
  await pause(HANDSHAKE_MS);
  const video = new VideoTs();
  const spoken = draws.whole(1, WORDS_MAX);
  for (let i = 0; i < spoken; i += 1) {
    say(draws, caller, video);
    if (i % STRETCH === 0) await pause(draws.whole(1, 10));
  }
  if (draws.chance(0.2)) caller.vanish();
  else caller.hangUp();
  return caller.peerId === 0 ? 0 : spoken;
}

test(`callers that talk nonsense for ${FUZZ_MS / 1_000} s (FUZZ_SEED=${seed}) break nothing`, async () => {
  console.info(`FUZZ_SEED=${seed}`);
  const before = arena.server.rss();
  const end = performance.now() + FUZZ_MS;
  let callers = 0;
  let words = 0;
  const threads = Array.from({ length: TOGETHER }, async (_, thread) => {
    for (let round = 0; performance.now() < end; round += 1) {
      words += await oneCaller(new Draws(seed + thread * 1_000_003 + round));
      callers += 1;
      expect(arena.server.alive).toBe(true);
    }
  });
  await Promise.all(threads);
  const published = arena.server.log.filter(({ msg }) => msg === 'stream started').length;
  console.info(`${callers} callers, ${words} datagrams on connections, ${published} published`);
  await arena.unharmed();
  expect(arena.server.rss() - before).toBeLessThan(GROWTH_BYTES_MAX);
  // Both ends of the grammar were reached: some published, some were refused at the door.
  expect(published).toBeGreaterThan(10);
  await until(
    async () => (await arena.server.metric('headgate_denied_total', '{reason="protocol_error"}')) > 10,
    'refusals',
  );
}, 60_000);
