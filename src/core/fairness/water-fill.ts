/**
 * Weighted max-min fairness by water-filling (Bertsekas and Gallager, Data
 * Networks, section 6.5.2).
 *
 * Every claim is a vessel as wide as its weight, with a bottom at its floor
 * and a lid at its ceiling. Water is poured over all of them at once; where
 * the level stands when the capacity is used up, everybody has what is fair:
 * nobody can be given more without taking from somebody who has less, weight
 * for weight. Whoever needs less than the level gets all it needs, and the
 * rest is shared by the others.
 */

/** Claims as columns, so that ten thousand of them are three arrays and no object. */
export interface Claims {
  /** share of the water, > 0 */
  readonly weights: Float64Array;
  /** given before anything is shared, >= 0 */
  readonly floors: Float64Array;
  /** never given more; a ceiling below the floor wins over it; Infinity allowed */
  readonly ceilings: Float64Array;
}

/** Steps towards the level. A dozen are common; halving alone needs two thousand to cross the range of a double. */
const STEPS_MAX = 2_500;

/** Part of the capacity by which the shares may miss it: the rounding of a sum of ten thousand. */
const EXACT_PART = 1e-12;

/**
 * Writes what each of the claims `start` to `end` (exclusive) gets of `capacity`
 * (units of the claims' own, >= 0, may be Infinity) into `out`.
 *
 * When even the floors do not fit, they are scaled down together. Otherwise
 * the sum of `out` is the lesser of capacity and ceilings, to within rounding.
 * Returns the level: what one unit of weight is worth. Infinity when there is
 * enough for everybody.
 */
export function fillWater(
  claims: Claims,
  start: number,
  end: number,
  capacity: number,
  out: Float64Array,
): number {
  const { floors, ceilings } = claims;
  let floor = 0;
  let ceiling = 0;
  for (let i = start; i < end; i++) {
    floor += Math.min(floors[i]!, ceilings[i]!);
    ceiling += ceilings[i]!;
  }
  if (ceiling <= capacity) {
    for (let i = start; i < end; i++) out[i] = ceilings[i]!;
    return Number.POSITIVE_INFINITY;
  }
  if (floor >= capacity) {
    const scale = floor > 0 ? capacity / floor : 0;
    for (let i = start; i < end; i++) out[i] = Math.min(floors[i]!, ceilings[i]!) * scale;
    return 0;
  }
  const level = levelOf(claims, start, end, capacity);
  for (let i = start; i < end; i++) out[i] = shareAt(claims, i, level);
  return level;
}

function shareAt({ weights, floors, ceilings }: Claims, i: number, level: number): number {
  return Math.min(ceilings[i]!, Math.max(floors[i]!, weights[i]! * level));
}

/**
 * The level at which the shares add up to `capacity`. Their sum grows with the
 * level in straight pieces: from any level, the piece it lies on says where it
 * would meet the capacity. That is exact as soon as the piece is the right one;
 * until then the level stays bracketed, and halving the bracket is the fallback.
 */
function levelOf(
  { weights, floors, ceilings }: Claims,
  start: number,
  end: number,
  capacity: number,
): number {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let level = firstLevel(weights, start, end, capacity);
  for (let i = 0; i < STEPS_MAX; i++) {
    let fixed = 0;
    let weight = 0;
    for (let at = start; at < end; at++) {
      const share = weights[at]! * level;
      if (share >= ceilings[at]!) fixed += ceilings[at]!;
      else if (share <= floors[at]!) fixed += Math.min(floors[at]!, ceilings[at]!);
      else weight += weights[at]!;
    }
    const missing = capacity - fixed - weight * level;
    if (Math.abs(missing) <= capacity * EXACT_PART) return level;
    if (missing > 0) low = level;
    else high = level;
    const met = weight > 0 ? (capacity - fixed) / weight : Number.NaN;
    if (met > low && met < high) level = met;
    else level = high === Number.POSITIVE_INFINITY ? level * 2 : low + (high - low) / 2;
  }
  return low;
}

/** Where the level would be if nobody had a floor or a ceiling. */
function firstLevel(weights: Float64Array, start: number, end: number, capacity: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += weights[i]!;
  return capacity / sum;
}
