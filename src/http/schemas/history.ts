import { z } from 'zod';
import { REASONS } from '../../core/reasons.ts';
import { NODE_COLUMNS, type NodeHistory } from '../../telemetry/history/node.ts';
import { STREAM_COLUMNS, type StreamHistory } from '../../telemetry/history/streams.ts';
import { amount, wallTime } from './common.ts';

/** One value per interval, oldest first; null where nothing is known. */
const column = z.array(amount.nullable());

/** A column for each name, all of the same length. */
function columns<Name extends string>(names: readonly Name[], description: string) {
  const shape = Object.fromEntries(names.map((name) => [name, column])) as Record<Name, typeof column>;
  return z.object(shape).meta({ description });
}

const span = {
  interval_ms: amount,
  from: wallTime.meta({ description: 'Time of the first value.' }),
  to: wallTime.meta({ description: 'Time of the last value.' }),
};

export const nodeHistory = z
  .object({
    ...span,
    columns: columns(
      NODE_COLUMNS,
      'One value per interval, oldest first; null is not known, of budget_bps unlimited. denials counts one interval; cpu, heap and memory are fractions of what there is, event_loop is ms.',
    ),
    denied: z
      .partialRecord(z.enum(REASONS), column)
      .meta({ description: 'Refusals of each interval, by reason; only of those that occurred.' }),
  })
  .meta({ id: 'NodeHistory' }) satisfies z.ZodType<NodeHistory>;

export const streamHistory = z
  .object({
    id: z.string(),
    path: z.string(),
    ended_at: wallTime.nullable().meta({ description: 'null while it is live.' }),
    ...span,
    columns: columns(
      STREAM_COLUMNS,
      'One value per interval, oldest first; null is not known: not sampled, or unlimited. dropped_frames and throttled_ms count one interval.',
    ),
  })
  .meta({ id: 'StreamHistory' }) satisfies z.ZodType<StreamHistory>;
