import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Draws } from '../support/draws.ts';
import { until } from '../support/server.ts';
import { SrtArena, type StrangerOptions } from '../support/srt-arena.ts';
import { EXTENSION, extension, helloExtension, keyMaterial, streamIdExtension } from '../support/srt-wire.ts';

/** Callers who do not know the passphrase, or talk nonsense about keys: none is let in, none is told more than that. */

const PASSPHRASE = 'open sesame, please';
/** Callers that speak at the same time. */
const TOGETHER = 20;

const PUBLISH = '#!::r=live/stranger,m=publish';

let arena: SrtArena;

beforeAll(async () => {
  arena = await SrtArena.open(
    { listen: `  srt: { address: "127.0.0.1:0", passphrase: "${PASSPHRASE}" }` },
    PASSPHRASE,
  );
});
afterEach(() => arena.unharmed());
afterAll(async () => {
  const log = JSON.stringify(arena.server.log);
  await arena.close();
  expect(log).not.toContain(PASSPHRASE);
});

test('the right passphrase is let in, with keys of every length', async () => {
  for (const [keyBytes, encryption] of [
    [16, 2],
    [24, 3],
    [32, 4],
  ] as const) {
    const { answer, caller } = await arena.call({
      streamId: PUBLISH,
      km: keyMaterial(PASSPHRASE, keyBytes),
      conclusion: { encryption },
    });
    expect(answer).toEqual({ accepted: true });
    caller.hangUp();
    await until(async () => (await arena.server.totals()).connections === 1, 'it to be gone');
  }
});

test.each([
  ['wrong', { km: keyMaterial('not the passphrase') }],
  ['missing', {}],
])('a passphrase that is %s is refused, with a receipt', async (_what, options) => {
  const { caller, answer } = await arena.call({ streamId: PUBLISH, ...options });
  expect(answer.accepted).toBe(false);
  const receipt = await arena.receipt(caller, 'auth_failed', /passphrase/i);
  expect(receipt).toMatchObject({ action: 'refuse', protocol: 'srt' });
  expect(JSON.stringify(receipt)).not.toContain(PASSPHRASE);
});

test('guessing a hundred passphrases a second is told in few receipts', async () => {
  const localAddress = arena.freshAddress();
  const lines = arena.server.log.length;
  let turnedAway = 0;
  for (let round = 0; round < 100 / TOGETHER; round += 1) {
    const calls = Array.from({ length: TOGETHER }, (_, i) =>
      arena.call({ localAddress, streamId: PUBLISH, km: keyMaterial(`guess number ${round}-${i}`) }),
    );
    for (const { answer, caller } of await Promise.all(calls)) {
      expect(answer.accepted).toBe(false);
      if (!answer.accepted && answer.refused === 1401) turnedAway += 1;
      caller.vanish();
    }
  }
  // A key costs the thread that receives for everybody a millisecond: after a few, none is derived for this address.
  expect(turnedAway).toBeGreaterThan(50);
  const honest = await arena.call({ streamId: PUBLISH, km: keyMaterial(PASSPHRASE) });
  expect(honest.answer).toEqual({ accepted: true });
  honest.caller.hangUp();
  const mine = async () =>
    (await arena.server.receipts('?reason=auth_failed')).filter(({ ip }) => ip === localAddress);
  await until(
    async () => (await mine()).reduce((sum, { count }) => sum + count, 0) >= 95,
    'the refusals to be counted',
  );
  expect((await mine()).length).toBeLessThan(30);
  expect(arena.server.log.length - lines).toBeLessThan(200);
});

test('key messages of any shape are survived', async () => {
  const draws = new Draws(5);
  const sound = keyMaterial('not the passphrase');
  const odd: Buffer[] = [0, 1, 4, 16, 31, 60, 71, 72, 76, 100, 104, 105, 108, 400, 1_200].map((length) =>
    Buffer.concat([sound, Buffer.alloc(1_200, 0x55)]).subarray(0, length),
  );
  // Each byte of the head, one after the other, set to something else; the lengths of salt and key above all.
  for (let at = 0; at < 16; at += 1) {
    for (const byte of at >= 14 ? [0, 1, 2, 3, 4, 5, 8, 16, 64, 255] : [0, 0xff, draws.whole(1, 254)])
      odd.push(keyMaterial('not the passphrase', 16, [[at, byte]]));
  }
  for (let i = 0; i < 100; i += 1) {
    const bytes = Buffer.from(keyMaterial('not the passphrase', draws.pick([16, 24, 32])));
    for (let n = draws.whole(1, 6); n > 0; n -= 1)
      bytes[draws.whole(0, bytes.length - 1)] = draws.whole(0, 255);
    odd.push(bytes.subarray(0, draws.chance(0.3) ? draws.whole(0, bytes.length) : bytes.length));
  }
  const strange = odd.map((km): StrangerOptions => {
    const words = draws.chance(0.2) ? draws.whole(0, 60) : undefined;
    return {
      extensions: Buffer.concat([
        helloExtension(120),
        extension(EXTENSION.KMREQ, km, words),
        streamIdExtension(PUBLISH),
      ]),
      conclusion: { extensionField: 7, encryption: draws.pick([0, 2, 3, 4, 7]) },
    };
  });
  for (let at = 0; at < strange.length; at += TOGETHER) {
    const talks = strange.slice(at, at + TOGETHER).map(async (options) => {
      const caller = await arena.stranger(options);
      await caller.induce();
      caller.sendConclusion();
    });
    await Promise.all(talks);
  }
});
