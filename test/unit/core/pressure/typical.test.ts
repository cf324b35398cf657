import { expect, it } from 'vitest';
import { Typical } from '../../../../src/core/pressure/typical.ts';

it('goes by its guess until something was seen, then by what it saw', () => {
  const typical = new Typical(1000);
  expect(typical.mean).toBe(1000);
  typical.observe(300);
  expect(typical.mean).toBe(300);
  expect(typical.upper).toBe(600);
});

it('comes to lie above nearly all, and close above them when they are alike', () => {
  const typical = new Typical(1);
  for (let i = 0; i < 200; i++) typical.observe(i % 2 === 0 ? 90 : 110);
  expect(typical.mean).toBeGreaterThan(95);
  expect(typical.mean).toBeLessThan(105);
  expect(typical.upper).toBeGreaterThan(110);
  expect(typical.upper).toBeLessThan(130);
});

it('is not carried away by one that is out of all proportion', () => {
  const typical = new Typical(100);
  for (let i = 0; i < 50; i++) typical.observe(100);
  typical.observe(1e9);
  expect(typical.mean).toBeLessThan(125);
  for (const nothing of [0, -1, Number.NaN]) typical.observe(nothing);
  expect(typical.mean).toBeGreaterThan(100);
});

it('follows what changes for good', () => {
  const typical = new Typical(100);
  for (let i = 0; i < 50; i++) typical.observe(100);
  for (let i = 0; i < 200; i++) typical.observe(5000);
  expect(typical.mean).toBeGreaterThan(4900);
});
