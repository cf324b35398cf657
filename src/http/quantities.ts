/**
 * Quantities in requests: the same spellings as in the config file, each with
 * its unit. A bare number is refused with the units it could have meant.
 */
import { z } from 'zod';
import {
  BITRATE,
  type Dimension,
  DURATION,
  FPS,
  parseQuantity,
  quantityPattern,
  RATE,
} from '../core/units.ts';
import { BACKPRESSURE_MODES } from './ports.ts';

interface QuantityOptions {
  /** the word for Infinity: `unlimited` for rates, `never` for durations */
  readonly endless?: 'unlimited' | 'never';
  /** `null` is accepted and passed on */
  readonly nullable?: boolean;
  /** 0 is refused: as a rate it would hold a publisher for ever, and no end of it would be heard */
  readonly positive?: boolean;
  /** smallest value in base units; less is refused in the words of `minText` */
  readonly min?: number;
  readonly minText?: string;
  /** largest value in base units; more is refused in the words of `maxText` */
  readonly max?: number;
  readonly maxText?: string;
  readonly description: string;
}

/** A schema that reads `4Mbps` and the like into the base unit of `dimension`. */
function quantity(dimension: Dimension, options: QuantityOptions) {
  const { endless, nullable = false, min = 0, max = Number.POSITIVE_INFINITY } = options;
  const pattern =
    endless === undefined ? quantityPattern(dimension) : `${quantityPattern(dimension)}|^${endless}$`;
  return z
    .any()
    .transform((input: unknown, context): number | null => {
      if (input === null && nullable) return null;
      if (endless !== undefined && input === endless) return Number.POSITIVE_INFINITY;
      if (typeof input !== 'string' && typeof input !== 'number') {
        return refuse(context, `expected ${dimension.noun} such as "${dimension.example}"`);
      }
      const parsed = parseQuantity(input, dimension);
      if (!parsed.ok) return refuse(context, parsed.problem);
      if (options.positive === true && parsed.value === 0)
        return refuse(context, `${input} would let nothing through; to end the stream, disconnect it`);
      if (parsed.value < min) return refuse(context, `${input} is less than ${options.minText ?? min}`);
      if (parsed.value > max) return refuse(context, `${input} is more than ${options.maxText ?? max}`);
      return parsed.value;
    })
    .meta({
      type: (nullable ? ['string', 'null'] : 'string') as 'string',
      pattern,
      description: options.description,
      examples: [dimension.example],
    });
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

const DAY_MS = 86_400_000;

/** New limits and how long they hold. Absent keys stay as they are, null clears an override. */
export const limitChange = z
  .strictObject({
    max_bitrate: quantity(BITRATE, {
      endless: 'unlimited',
      nullable: true,
      positive: true,
      description: 'Bits per second.',
    }).optional(),
    max_fps: quantity(FPS, {
      endless: 'unlimited',
      nullable: true,
      positive: true,
      description: 'Video frames per second.',
    }).optional(),
    max_packets_per_sec: quantity(RATE, {
      endless: 'unlimited',
      nullable: true,
      positive: true,
      description: 'Messages per second.',
    }).optional(),
    on_exceed: z.enum(['observe', 'throttle', 'drop', 'disconnect']).nullable().optional(),
    grace: quantity(DURATION, {
      endless: 'never',
      nullable: true,
      description: 'Sustained excess before a cut.',
    }).optional(),
    for: quantity(DURATION, {
      min: 1_000,
      minText: '1 second',
      max: 30 * DAY_MS,
      maxText: '30 days',
      description: 'How long the change holds; until the stream ends when absent.',
    }).optional(),
  })
  .refine((change) => Object.keys(change).some((key) => key !== 'for'), {
    message: 'name at least one limit: max_bitrate, max_fps, max_packets_per_sec, on_exceed or grace',
  })
  .refine(({ for: forMs, ...limits }) => forMs === undefined || !isTakenBack(limits), {
    path: ['for'],
    message: 'goes with a new value; null takes an override back for good',
  });

/** True when every limit named is to be as configured again. */
function isTakenBack(limits: Record<string, unknown>): boolean {
  const values = Object.values(limits).filter((value) => value !== undefined);
  return values.length > 0 && values.every((value) => value === null);
}

/** Streams have priorities from 0 to this; those of the highest cannot be below another. */
const PRIORITY_MAX = 100;

/** What an operator orders of backpressure. */
export const backpressureOrder = z
  .strictObject({
    mode: z.enum(BACKPRESSURE_MODES),
    below_priority: z
      .int()
      .min(1)
      .max(PRIORITY_MAX)
      .optional()
      .meta({ description: 'With shed: streams below it are cut and refused, 1 to 100.' }),
    for: quantity(DURATION, {
      min: 1_000,
      minText: '1 second',
      max: 30 * DAY_MS,
      maxText: '30 days',
      description: 'How long off or shed hold before it is auto again; until the next order when absent.',
    }).optional(),
  })
  .refine(({ mode, below_priority }) => mode !== 'shed' || below_priority !== undefined, {
    path: ['below_priority'],
    message: 'shed needs the priority below which streams go',
  })
  .refine(({ mode, below_priority }) => mode === 'shed' || below_priority === undefined, {
    path: ['below_priority'],
    message: 'goes with shed only',
  })
  .refine(({ mode, for: forMs }) => mode !== 'auto' || forMs === undefined, {
    path: ['for'],
    message: 'auto holds until the next order',
  });

/** `?cooldown=30s`: how long a kicked publisher stays out. */
export const cooldown = quantity(DURATION, {
  max: DAY_MS,
  maxText: '24 hours',
  description:
    "How long stream key and address are refused afterwards; the stream's own cooldown when absent.",
});

/** `?interval=1s`: the pause between two snapshots; `never` for decisions alone. */
export const interval = quantity(DURATION, {
  endless: 'never',
  min: 250,
  minText: '250ms',
  max: 60_000,
  maxText: '60 seconds',
  description: 'Pause between two snapshots, 250ms to 60s; never for none.',
});
