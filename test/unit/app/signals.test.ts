import { expect, test } from 'vitest';
import { Signals } from '../../../src/app/signals.ts';
import type { Reason } from '../../../src/core/reasons.ts';

class Counters {
  denied: Partial<Record<Reason, number>> = {};
  admitted = { count: 0, seconds: 0 };
  readonly signals = new Signals(() => ({ denied: { ...this.denied }, admitted: { ...this.admitted } }));

  admit(times: number, eachMs: number): void {
    this.admitted.count += times;
    this.admitted.seconds += (times * eachMs) / 1_000;
  }

  deny(reason: Reason, times: number): void {
    this.denied[reason] = (this.denied[reason] ?? 0) + times;
  }
}

test('when nobody came nothing went wrong', () => {
  expect(new Counters().signals.read(0)).toEqual({ error_rate: 0, decision_latency: 0 });
});

test('what failed for want of something is a part of all that was tried', () => {
  const counters = new Counters();
  counters.signals.read(0);
  counters.admit(30, 2);
  counters.deny('resource_cpu', 8);
  counters.deny('resource_heap', 2);
  const { error_rate, decision_latency } = counters.signals.read(250);
  expect(error_rate).toBe(0.25);
  expect(decision_latency).toBeCloseTo(2);
});

test('a lone publisher that is refused and knocks again and again says nothing of the server', () => {
  const counters = new Counters();
  counters.signals.read(0);
  for (let now = 1_000; now <= 60_000; now += 1_000) {
    counters.deny('resource_cpu', 1);
    expect(counters.signals.read(now).error_rate).toBe(0);
  }
  // With those of the last seconds these are ten.
  counters.deny('resource_cpu', 4);
  counters.admit(2, 1);
  expect(counters.signals.read(60_250).error_rate).toBeCloseTo(0.8);
});

test('strangers cannot make it look bad', () => {
  const counters = new Counters();
  counters.signals.read(0);
  counters.admit(1, 1);
  for (const reason of [
    'auth_failed',
    'ip_connection_rate',
    'global_connection_rate',
    'handshake_timeout',
  ] as const) {
    counters.deny(reason, 10_000);
  }
  expect(counters.signals.read(250).error_rate).toBe(0);
});

test('those who are kept out by shedding bring down nobody else', () => {
  const counters = new Counters();
  counters.signals.read(0);
  counters.admit(1, 1);
  counters.deny('shed', 100);
  expect(counters.signals.read(250).error_rate).toBe(0);
});

test('what happened more than some seconds ago is forgotten, and no more is kept', () => {
  const counters = new Counters();
  counters.signals.read(0);
  counters.deny('resource_memory', 100);
  for (let now = 50; now <= 4_900; now += 50) expect(counters.signals.read(now).error_rate).toBe(1);
  counters.admit(1, 1);
  expect(counters.signals.read(10_500).error_rate).toBe(0);
});
