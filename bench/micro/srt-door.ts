/**
 * What the SRT door costs: one judgement in libsrt's receive thread, with the
 * tables of a busy server, and what pushing new tables costs the main thread.
 * The listener's thread receives everybody's media meanwhile, so a judgement
 * has 5 us.
 *
 *   node bench/micro/srt-door.ts
 */
import { loadNative, type SrtDoorProbe } from '../../src/native/binding.ts';
import type { SrtDoorPolicy, SrtEntry, SrtRules } from '../../src/native/srt.ts';

const KEYS = 10_000;
const ENTRIES = 1000;
/** policies with a passphrase: each is looked at until one matches */
const POLICIES = 20;
const NETWORKS = 1000;
const CALLERS = 10_000;
const ROUNDS = 20;
const GOAL_NS = 5000;
const NOW_MS = 1000;

const { SrtDoorProbe: Probe } = loadNative();

function rules(mode: 'open' | 'keys'): SrtRules {
  const policies: SrtDoorPolicy[] = Array.from({ length: POLICIES }, (_, i) => ({
    app: 'show-*',
    stream: `cam-${i}*`,
    network: '',
    client: '',
    tier: '',
    passphrase: 'a passphrase of a policy',
  }));
  return {
    mode,
    ipv6Prefix: 64,
    passphrase: 'the passphrase of a listener',
    allow: ['192.0.2.0/24', '2001:db8:a::/48'],
    deny: Array.from({ length: NETWORKS }, (_, i) => `203.${i >> 8}.${i & 255}.0/24`),
    keys:
      mode === 'open'
        ? []
        : Array.from({ length: KEYS }, (_, i) => ({
            secret: `k-${i}-0123456789abcdef`,
            client: `client-${i}`,
            tier: 'pro',
            name: `name-${i}`,
            keyId: `k-${i.toString(16).padStart(16, '0')}`,
            passphrase: '',
          })),
    policies,
  };
}

/** A crowded server: addresses and clients over their limits, cooldowns, and a live path for each of the rest. */
function entries(): SrtEntry[] {
  const until = Number.POSITIVE_INFINITY;
  return Array.from({ length: ENTRIES }, (_, i): SrtEntry => {
    if (i % 5 === 0)
      return { kind: 'address', code: 1402, until: NOW_MS + 500, address: `10.9.${i >> 8}.${i & 255}` };
    if (i % 5 === 1) return { kind: 'client', code: 1402, until, name: `client-${KEYS - i}` };
    if (i % 5 === 2)
      return { kind: 'key', code: 1403, until, name: `k-${(KEYS - i).toString(16).padStart(16, '0')}` };
    return { kind: 'path', code: 1409, until, name: `/live/busy-${i}`, ownerKey: `k-${i}` };
  });
}

const addresses = Array.from({ length: CALLERS }, (_, i) =>
  i % 4 === 0
    ? `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`
    : `10.${i >> 12}.${(i >> 6) & 63}.${i & 63}`,
);
const idsOf = (write: (i: number) => string): string[] => Array.from({ length: CALLERS }, (_, i) => write(i));

let missed = false;

function measure(
  name: string,
  door: SrtDoorProbe,
  ips: readonly string[],
  ids: readonly string[],
  wanted: number,
): void {
  const { code } = door.judge(ips[0]!, Buffer.from(ids[0]!), NOW_MS);
  if (code !== wanted) throw new Error(`${name}: answered ${code}, not ${wanted}`);
  const ns = door.time(ips, ids, ROUNDS, NOW_MS);
  missed ||= ns >= GOAL_NS;
  console.log(`${name.padEnd(58)} ${ns.toFixed(0).padStart(6)} ns`);
}

function measurePush(name: string, push: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    push();
    best = Math.min(best, performance.now() - began);
  }
  console.log(`${name.padEnd(58)} ${(best * 1000).toFixed(0).padStart(6)} us`);
}

const keyed = new Probe();
keyed.setRules(rules('keys'));
keyed.setEntries(entries(), 1);
const open = new Probe();
open.setRules(rules('open'));
open.setEntries(entries(), 1);

console.log(`${KEYS} keys, ${ENTRIES} entries, ${POLICIES} policies, ${NETWORKS} denied networks`);
measure(
  'let in: a key as name',
  keyed,
  addresses,
  idsOf((i) => `live/k-${i % 8000}-0123456789abcdef`),
  0,
);
measure(
  'let in: standard form, own name and key, policies asked',
  keyed,
  addresses,
  idsOf((i) => `#!::r=show-1/stream-${i},m=publish,s=k-${i % 8000}-0123456789abcdef,u=someone,t=stream`),
  0,
);
measure(
  'let in: open mode',
  open,
  addresses,
  idsOf((i) => `live/cam-${i}`),
  0,
);
measure(
  'refused: unknown key',
  keyed,
  addresses,
  idsOf((i) => `live/k-${i}-fedcba9876543210`),
  1401,
);
measure(
  'refused: path taken',
  open,
  addresses,
  idsOf((i) => `publish:live/busy-${3 + 5 * (i % 190)}`),
  1409,
);
measure(
  'refused: stream id of 512 bytes',
  open,
  addresses,
  idsOf(() => `live/${'a'.repeat(507)}`),
  1400,
);
measure(
  'refused: denied network',
  open,
  ['203.1.2.3'],
  idsOf((i) => `live/cam-${i}`),
  1403,
);
measurePush('main thread: push the rules', () => keyed.setRules(rules('keys')));
const crowd = entries();
measurePush('main thread: push the entries', () => keyed.setEntries(crowd, 2));
console.log(`goal: < ${GOAL_NS} ns a judgement: ${missed ? 'MISSED' : 'reached'}`);
