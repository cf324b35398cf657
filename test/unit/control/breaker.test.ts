import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Breaker } from '../../../src/control/breaker.ts';

const SETTINGS = { failures: 3, answerMs: 500, pause: { minMs: 1_000, maxMs: 4_000 } };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work whose outcome is told from outside, and which counts how often it was asked. */
function work() {
  const asked: { succeed(): void; fail(): void }[] = [];
  const call = () =>
    new Promise<string>((resolve, reject) => {
      asked.push({ succeed: () => resolve('done'), fail: () => reject(new Error('no such luck')) });
    });
  return { asked, call };
}

const failing = () => Promise.reject(new Error('no such luck'));

async function opened(): Promise<Breaker> {
  const breaker = new Breaker('the disk', SETTINGS);
  for (let i = 0; i < SETTINGS.failures; i++)
    await expect(breaker.run(failing)).rejects.toThrow('no such luck');
  return breaker;
}

test('a closed circuit hands on what the work gives and how it fails', async () => {
  const breaker = new Breaker('the disk', SETTINGS);
  expect(await breaker.run(() => 7)).toBe(7);
  await expect(breaker.run(failing)).rejects.toThrow('no such luck');
  expect(breaker.state).toBe('closed');
});

test('only failures in a row open it', async () => {
  const breaker = new Breaker('the disk', SETTINGS);
  for (let i = 0; i < 10; i++) {
    await expect(breaker.run(failing)).rejects.toThrow();
    await expect(breaker.run(failing)).rejects.toThrow();
    await breaker.run(() => 'done');
  }
  expect(breaker.state).toBe('closed');
});

test('an open circuit troubles nobody, and says why', async () => {
  const breaker = await opened();
  expect(breaker.state).toBe('open');
  const { asked, call } = work();
  await expect(breaker.run(call)).rejects.toThrow('the disk is left alone for a while: no such luck');
  vi.advanceTimersByTime(SETTINGS.pause.minMs - 1);
  await expect(breaker.run(call)).rejects.toThrow('left alone');
  expect(asked).toHaveLength(0);
});

test('after the pause exactly one call is let through, and closes it', async () => {
  const breaker = await opened();
  vi.advanceTimersByTime(SETTINGS.pause.minMs);
  const { asked, call } = work();
  const probe = breaker.run(call);
  expect(breaker.state).toBe('half_open');
  const others = await Promise.allSettled(Array.from({ length: 20 }, () => breaker.run(call)));
  expect(others.every(({ status }) => status === 'rejected')).toBe(true);
  expect(asked).toHaveLength(1);
  asked[0]?.succeed();
  expect(await probe).toBe('done');
  expect(breaker.state).toBe('closed');
  expect(await breaker.run(() => 7)).toBe(7);
});

test('a probe that fails makes the pause twice as long, up to the most', async () => {
  const breaker = await opened();
  for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
    vi.advanceTimersByTime(pauseMs - 1);
    await expect(breaker.run(failing)).rejects.toThrow('left alone');
    vi.advanceTimersByTime(1);
    await expect(breaker.run(failing)).rejects.toThrow(/^no such luck$/);
    expect(breaker.state).toBe('open');
  }
  expect(breaker.opened).toBe(5);
});

test('a pause is short again after the circuit was closed', async () => {
  const breaker = await opened();
  vi.advanceTimersByTime(1_000);
  await expect(breaker.run(failing)).rejects.toThrow();
  vi.advanceTimersByTime(2_000);
  await breaker.run(() => 'done');
  for (let i = 0; i < SETTINGS.failures; i++) await expect(breaker.run(failing)).rejects.toThrow();
  vi.advanceTimersByTime(1_000);
  expect(await breaker.run(() => 'done')).toBe('done');
});

test.each([
  ['back by an hour', -3_600_000],
  ['forward by an hour', 3_600_000],
])('a wall clock that is set %s changes no pause', async (_which, byMs) => {
  const breaker = await opened();
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    vi.setSystemTime(Date.now() + byMs);
    vi.advanceTimersByTime(pauseMs - 1);
    await expect(breaker.run(failing)).rejects.toThrow('left alone');
    vi.advanceTimersByTime(1);
    await expect(breaker.run(failing)).rejects.toThrow(/^no such luck$/);
  }
  vi.setSystemTime(Date.now() + byMs);
  vi.advanceTimersByTime(4_000);
  expect(await breaker.run(() => 'done')).toBe('done');
});

test('no answer in time is a failure', async () => {
  const breaker = new Breaker('the disk', SETTINGS);
  for (let i = 0; i < SETTINGS.failures; i++) {
    const { call } = work();
    const run = expect(breaker.run(call)).rejects.toThrow('timed out');
    await vi.advanceTimersByTimeAsync(SETTINGS.answerMs);
    await run;
  }
  expect(breaker.state).toBe('open');
});

test('calls that are never answered do not add up, and those that are at last make room', async () => {
  const breaker = new Breaker('the disk', SETTINGS);
  const { asked, call } = work();
  for (let i = 0; i < 12; i++) {
    const run = breaker.run(call).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(SETTINGS.pause.maxMs);
    await run;
  }
  expect(asked).toHaveLength(SETTINGS.failures);
  for (const one of asked) one.succeed();
  await vi.advanceTimersByTimeAsync(SETTINGS.pause.maxMs);
  expect(await breaker.run(() => 'done')).toBe('done');
  expect(breaker.state).toBe('closed');
});
