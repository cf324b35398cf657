import { expect, test } from 'vitest';
import { GivingBack } from '../../../src/app/giving-back.ts';

const MIB = 1024 * 1024;

test('memory is handed back after much of it was freed, and not again and again', () => {
  let times = 0;
  const giving = new GivingBack(() => times++);
  const seen = (mebibytes: number, now: number) => {
    giving.step(mebibytes * MIB, now);
    return times;
  };
  expect(seen(100, 0)).toBe(0);
  expect(seen(300, 250)).toBe(0);
  expect(seen(237, 500)).toBe(0);
  expect(seen(236, 750)).toBe(1);
  // Little is left that could be.
  expect(seen(200, 5_000)).toBe(1);
  expect(seen(100, 5_250)).toBe(2);
  // More goes right after: once a while has passed.
  expect(seen(0, 5_500)).toBe(2);
  expect(seen(0, 7_250)).toBe(3);
  expect(seen(0, 60_000)).toBe(3);
});
