/**
 * How hard a resource is pressed: `nominal` below its `degrade` watermark,
 * `elevated` between that and `close`, `critical` from there on. Mildest first.
 */
export const PRESSURE_LEVELS = ['nominal', 'elevated', 'critical'] as const;

export type PressureLevel = (typeof PRESSURE_LEVELS)[number];

/** The harder of two levels. */
export function harder(a: PressureLevel, b: PressureLevel): PressureLevel {
  return PRESSURE_LEVELS.indexOf(a) >= PRESSURE_LEVELS.indexOf(b) ? a : b;
}
