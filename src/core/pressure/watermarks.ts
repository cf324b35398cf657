/**
 * The four watermarks of a resource. An operator writes two, where a level is
 * entered; each is left further down, so that a value which hovers at a mark
 * does not flap. Between the two written marks pressure rises from 0 to 1 in a
 * straight line.
 */

/** As the config writes it, in the resource's base unit (a fraction 0..1, or ms); `degrade < close`. */
export interface WatermarkConfig {
  readonly degrade: number;
  readonly close: number;
  /** averaging window, ms */
  readonly window?: number;
}

/** How far below its mark a level is left, as a part of the band between the marks: as wide as noise can be before it matters. */
const HYSTERESIS_BAND = 0.5;

/** The same at most, as a part of the mark itself: event-loop delays have a band wider than their lower mark. */
const HYSTERESIS_MARK = 0.2;

export interface Watermarks {
  /** elevated is entered here, and left below `relax` */
  readonly degrade: number;
  readonly relax: number;
  /** critical is entered here, and left below `reopen` */
  readonly close: number;
  readonly reopen: number;
}

/** Throws RangeError for marks that are not in order: config is validated before. */
export function watermarksOf({ degrade, close }: WatermarkConfig): Watermarks {
  if (!(degrade > 0 && degrade < close)) {
    throw new RangeError(`watermarks rise from above 0, unlike degrade ${degrade} and close ${close}`);
  }
  const gap = HYSTERESIS_BAND * (close - degrade);
  return { degrade, close, relax: degrade - Math.min(gap, HYSTERESIS_MARK * degrade), reopen: close - gap };
}

/** 0 at `degrade` and 1 at `close`; beyond both it goes on, so that two pressed resources can be told apart. */
export function strainOf({ degrade, close }: Watermarks, value: number): number {
  return (value - degrade) / (close - degrade);
}
