import { describe, expect, it } from 'vitest';
import * as slab from '../../src/core/meter/slab-layout.ts';
import { loadNative } from '../../src/native/binding.ts';

/** `['', 'h264']` as the addon says it: `{ NONE: 0, H264: 1 }`. */
function numbered(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name === '' ? 'NONE' : name.toUpperCase(), i]));
}

describe('the slab layout', () => {
  const { layout } = loadNative();

  it('is the same in the addon as in TypeScript', () => {
    expect(layout.NODE_STRIDE).toBe(slab.NODE_STRIDE);
    expect(layout.STREAM_STRIDE).toBe(slab.STREAM_STRIDE);
    expect(layout.NODE).toEqual(slab.NODE);
    expect(layout.STREAM).toEqual(slab.STREAM);
    expect(layout.MODE).toEqual(slab.MODE);
    expect(layout.FLAG).toEqual(slab.FLAG);
    expect(layout.CONSTRAINT).toEqual(numbered(slab.CONSTRAINTS));
    expect(layout.VIDEO_CODEC).toEqual(numbered(slab.VIDEO_CODECS));
    expect(layout.AUDIO_CODEC).toEqual(numbered(slab.AUDIO_CODECS));
  });

  it('gives every field a place of its own within its row', () => {
    for (const [fields, stride] of [
      [slab.NODE, slab.NODE_STRIDE],
      [slab.STREAM, slab.STREAM_STRIDE],
    ] as const) {
      const places: number[] = Object.values(fields);
      expect(new Set(places).size).toBe(places.length);
      expect(Math.max(...places)).toBeLessThan(stride);
      expect(stride % 8).toBe(0);
    }
  });
});
