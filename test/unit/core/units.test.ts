import { describe, expect, it } from 'vitest';
import {
  BITRATE,
  type Dimension,
  DURATION,
  FPS,
  formatEventRate,
  formatQuantity,
  parseEventRate,
  parsePercent,
  parseQuantity,
  quantityPattern,
  RATE,
  SIZE,
} from '../../../src/core/units.ts';

function value(text: string | number, dimension: Dimension): number | string {
  const parsed = parseQuantity(text, dimension);
  return parsed.ok ? parsed.value : parsed.problem;
}

describe('quantities with units', () => {
  it.each<[string, Dimension, number]>([
    ['6Mbps', BITRATE, 6e6],
    ['800kbps', BITRATE, 8e5],
    ['2Gbps', BITRATE, 2e9],
    ['500bps', BITRATE, 500],
    ['2.5Mbps', BITRATE, 2.5e6],
    ['25MB/s', BITRATE, 200e6],
    ['1MiB/s', BITRATE, 8 * 1048576],
    ['0.1kbps', BITRATE, 100],
    ['512MiB', SIZE, 512 * 1048576],
    ['4kB', SIZE, 4000],
    ['1.1MiB', SIZE, 1153434],
    ['2s', DURATION, 2000],
    ['150ms', DURATION, 150],
    ['10m', DURATION, 600_000],
    ['1h', DURATION, 3_600_000],
    ['7d', DURATION, 604_800_000],
    ['1.1m', DURATION, 66_000],
    ['60fps', FPS, 60],
    ['29.97fps', FPS, 29.97],
    ['2000/s', RATE, 2000],
    ['120/min', RATE, 2],
    ['007Mbps', BITRATE, 7e6],
  ])('reads %s', (text, dimension, expected) => {
    expect(value(text, dimension)).toBe(expected);
  });

  it.each<[string | number, Dimension, string]>([
    [100, BITRATE, '100 has no unit; did you mean 100bps, 100kbps, 100Mbps, 100MB/s?'],
    ['100', BITRATE, '100 has no unit; did you mean 100bps, 100kbps, 100Mbps, 100MB/s?'],
    [2.5, DURATION, '2.5 has no unit; did you mean 2.5ms, 2.5s, 2.5m, 2.5h?'],
    [60, FPS, '60 has no unit; did you mean 60fps?'],
    ['6mbps', BITRATE, 'did you mean 6Mbps or 6MB/s?'],
    ['6MBPS', BITRATE, 'did you mean 6Mbps or 6MB/s?'],
    ['6Mb/s', BITRATE, 'did you mean 6Mbps or 6MB/s?'],
    ['4KB', SIZE, 'did you mean 4kB or 4KiB?'],
    ['512mib', SIZE, 'did you mean 512MiB?'],
    ['10S', DURATION, 'did you mean 10s?'],
    ['10M', DURATION, 'did you mean 10m?'],
    ['10min', DURATION, 'did you mean 10m?'],
    ['60FPS', FPS, 'did you mean 60fps?'],
    ['100/m', RATE, 'did you mean 100/min?'],
    ['6parsecs', BITRATE, 'unknown unit "parsecs"'],
    ['6Mbps', SIZE, 'unknown unit "Mbps"'],
    ['6 Mbps', BITRATE, 'has a space in it; write 6Mbps'],
    [' 6Mbps', BITRATE, 'has a space in it; write 6Mbps'],
    ['-6Mbps', BITRATE, '-6Mbps is negative'],
    [-6, BITRATE, '-6 is negative'],
    ['2,5Mbps', BITRATE, 'has a comma'],
    ['NaN', BITRATE, '"NaN" is not a bitrate'],
    [Number.NaN, BITRATE, '"NaN" is not a bitrate'],
    ['Mbps', BITRATE, '"Mbps" is not a bitrate; expected one such as 6Mbps'],
    ['.5Mbps', BITRATE, '".5Mbps" is not a bitrate'],
    ['5.Mbps', BITRATE, 'unknown unit ".Mbps"'],
    ['1e3bps', BITRATE, 'unknown unit "e3bps"'],
    ['0x10bps', BITRATE, 'unknown unit "x10bps"'],
    ['', BITRATE, 'is empty'],
    ['999999999Gbps', BITRATE, 'is too large'],
    ['1.23456789Mbps', BITRATE, 'too many digits'],
    ['9'.repeat(50), BITRATE, 'too long'],
  ])('refuses %j with what was probably meant', (text, dimension, problem) => {
    expect(value(text, dimension)).toContain(problem);
  });

  it('keeps the period of an event rate', () => {
    expect(parseEventRate('100/min')).toEqual({ ok: true, value: { count: 100, periodMs: 60_000 } });
    expect(parseEventRate('10/h')).toEqual({ ok: true, value: { count: 10, periodMs: 3_600_000 } });
    expect(parseEventRate('0.5/s')).toMatchObject({ ok: false });
    expect(parseEventRate(100)).toMatchObject({
      ok: false,
      problem: '100 has no unit; did you mean 100/s, 100/min, 100/h?',
    });
    expect(formatEventRate({ count: 100, periodMs: 60_000 })).toBe('100/min');
  });

  it('reads percentages up to a hundred', () => {
    expect(parsePercent('85%')).toEqual({ ok: true, value: 0.85 });
    expect(parsePercent('101%')).toMatchObject({ ok: false, problem: '101% is more than 100%' });
    expect(parsePercent('0.85')).toMatchObject({ ok: false, problem: expect.stringContaining('0.85%') });
  });

  it.each<[number, Dimension, string]>([
    [6e6, BITRATE, '6Mbps'],
    [2.5e6, BITRATE, '2.5Mbps'],
    [8e5, BITRATE, '800kbps'],
    [999, BITRATE, '999bps'],
    [8 * 1048576, BITRATE, '8388608bps'],
    [4194304, SIZE, '4MiB'],
    [1500, SIZE, '1500B'],
    [150, DURATION, '150ms'],
    [90_000, DURATION, '90s'],
    [86_400_000, DURATION, '1d'],
    [0, DURATION, '0s'],
    [60, FPS, '60fps'],
    [2000, RATE, '2000/s'],
  ])('writes %d in its shortest unit', (number, dimension, text) => {
    expect(formatQuantity(number, dimension)).toBe(text);
  });

  it('gives editors a pattern that agrees with the parser', () => {
    const pattern = new RegExp(quantityPattern(BITRATE));
    for (const text of ['6Mbps', '2.5Mbps', '25MB/s']) expect(pattern.test(text)).toBe(true);
    for (const text of ['6', '6mbps', '6 Mbps', '-6Mbps', 'x6Mbps']) expect(pattern.test(text)).toBe(false);
  });
});
