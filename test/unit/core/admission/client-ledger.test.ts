import { describe, expect, it } from 'vitest';
import { ClientLedger, publishWaitMs } from '../../../../src/core/admission/client-ledger.ts';

const RATE = { count: 1, periodMs: 1000 };

describe('ClientLedger', () => {
  it('forgets idle clients as new ones come', () => {
    const ledger = new ClientLedger(100);
    for (let i = 0; i < 10_000; i++) {
      ledger.remove(ledger.add(undefined, `c${i}`, RATE, i * 1000));
    }
    expect(ledger.remembered).toBeLessThan(10);
    expect(ledger.forgotten).toBe(0);
  });

  it('keeps at most its capacity of clients that hold nothing, and counts whom it forgets', () => {
    const ledger = new ClientLedger(100);
    for (let i = 0; i < 1000; i++) ledger.remove(ledger.add(undefined, `c${i}`, RATE, 0));
    expect(ledger.remembered).toBe(100);
    expect(ledger.forgotten).toBe(900);
  });

  it('never forgets a client that holds a stream', () => {
    const ledger = new ClientLedger(1);
    const held = ledger.add(undefined, 'held', RATE, 0);
    for (let i = 0; i < 100; i++) ledger.remove(ledger.add(undefined, `c${i}`, RATE, 0));
    ledger.evictIdle(1e9, 1000);
    expect(ledger.find('held')).toBe(held);
    expect([...ledger.holding()]).toEqual([held]);
    ledger.remove(held);
    ledger.evictIdle(1e9, 1000);
    expect(ledger.find('held')).toBeUndefined();
    expect(ledger.remembered).toBe(0);
  });

  it('keeps what a client owes until it is paid', () => {
    const ledger = new ClientLedger(10);
    ledger.remove(ledger.add(undefined, 'alice', RATE, 0));
    ledger.evictIdle(999, 10);
    expect(publishWaitMs(ledger.find('alice'), RATE, 999)).toBeCloseTo(1, 2);
    ledger.evictIdle(1000, 10);
    expect(ledger.find('alice')).toBeUndefined();
  });

  it('lets an unlimited rate pass and a rate of zero never', () => {
    const ledger = new ClientLedger(10);
    const unlimited = { count: Number.POSITIVE_INFINITY, periodMs: 1000 };
    let use = ledger.find('alice');
    for (let i = 0; i < 100; i++) {
      expect(publishWaitMs(use, unlimited, 0)).toBe(0);
      use = ledger.add(use, 'alice', unlimited, 0);
    }
    expect(use?.tat).toBe(0);
    expect(publishWaitMs(undefined, { count: 0, periodMs: 1000 }, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});
