import { z } from 'zod';
import { ADAPTIVE_SIGNALS } from '../../core/adaptive/adaptive-factor.ts';
import { DEGRADATION_STEPS, type GovernorSnapshot } from '../../core/pressure/governor-snapshot.ts';
import { PRESSURE_LEVELS } from '../../core/pressure/levels.ts';
import { RESOURCES } from '../../core/pressure/resources.ts';
import { REASONS } from '../../core/reasons.ts';
import { GATE_STATES } from '../../telemetry/metrics-source.ts';
import { BACKPRESSURE_MODES, type BackpressureSnapshot, type GateReading } from '../ports.ts';
import { amount, count, limit, wallTime } from './common.ts';

const level = z.enum(PRESSURE_LEVELS);

/** 0 to 1. */
const fraction = z.number().min(0).max(1);

export const gate = z.object({
  state: z.enum(GATE_STATES),
  since: wallTime,
  reasons: z.array(z.enum(REASONS)),
  level,
  pressure: fraction.meta({ description: '0 at ease, 1 where the gate closes.' }),
  open: z.boolean(),
  reopens_in_ms: amount.nullable().meta({ description: 'If all goes well; null when it shuts down.' }),
}) satisfies z.ZodType<GateReading>;

const resource = z
  .object({
    value: amount.nullable(),
    degrade: amount.nullable(),
    close: amount.nullable(),
    state: level,
    pressure: fraction,
    since: wallTime,
    cause: z.string().nullable().meta({ description: 'Why nothing is known of it.' }),
  })
  .meta({ description: 'Fractions of what there is, for event_loop ms; null is off, or not known.' });

const squeezed = z
  .object({ global: count, client: count, shed: count })
  .meta({ description: 'Streams that get less than they demand, by what keeps them there.' });

const steps = z
  .array(z.object({ step: z.enum(DEGRADATION_STEPS), active: z.boolean() }))
  .meta({ description: 'What is done when the machine runs short, mildest first.' });

const cohorts = z
  .array(z.object({ priority: z.number(), cohort: count, ceiling: fraction }))
  .meta({ description: 'Lowered or cut, lowest first; ceiling is a part of what they sent, 0 is cut.' });

const order = z
  .object({
    mode: z.enum(['off', 'shed']),
    below_priority: z.number().nullable(),
    until: wallTime.nullable(),
  })
  .nullable();

/** The members of `GET /api/v1/resources` that the governor says as they are. */
export const governed = {
  resources: z.record(z.enum(RESOURCES), resource),
  figures: z.record(z.string(), z.number()).meta({ description: 'What the samplers said last.' }),
  reservations: z.object({ pending: count, cpu: amount, memory_bytes: amount, bandwidth_bps: amount }),
  adaptive: z.object({
    enabled: z.boolean(),
    factor: amount,
    signal: z.enum(ADAPTIVE_SIGNALS).nullable(),
    changed_at: wallTime.nullable(),
  }),
  shares: z.object({ budget_bps: limit, squeezed }),
  shedding: z.object({ enabled: z.boolean(), active: z.boolean(), order, cohorts, backoff_ms: amount }),
  steps,
  control: z.object({ took_ms: amount, longest_ms: amount }),
} satisfies { [Name in Exclude<keyof GovernorSnapshot, 'gate'>]: z.ZodType<GovernorSnapshot[Name]> };

export const backpressure = z
  .object({
    mode: z.enum(BACKPRESSURE_MODES),
    below_priority: z.number().nullable(),
    until: wallTime.nullable(),
    enabled: z.boolean(),
    active: z.boolean(),
    level,
    squeezed,
    cohorts,
    backoff_ms: amount,
    steps,
  })
  .meta({ id: 'Backpressure' }) satisfies z.ZodType<BackpressureSnapshot>;
