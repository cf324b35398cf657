import type { BackpressureMode, BackpressureSnapshot } from '../../http/ports.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { backpressurePage } from '../render/resource-table.ts';

export interface BackpressureOptions {
  /** undefined: only shows what holds */
  readonly mode: BackpressureMode | undefined;
  /** with `shed`: streams below this priority go */
  readonly below: number | undefined;
  /** `10m`; undefined: until the next order */
  readonly for: string | undefined;
  readonly json: boolean;
}

const PATH = '/api/v1/backpressure';

/** `headgate backpressure [auto|off|shed]`: who suffers for the machine, and by whose order. */
export async function runBackpressure(
  options: BackpressureOptions,
  { api, terminal }: Context,
): Promise<number> {
  checkTogether(options);
  const { mode, below, for: forTime } = options;
  const answer =
    mode === undefined
      ? await api.get<BackpressureSnapshot>(PATH, 'mode')
      : await api.put<BackpressureSnapshot>(PATH, 'mode', {
          mode,
          ...(below === undefined ? {} : { below_priority: below }),
          ...(forTime === undefined ? {} : { for: forTime }),
        });
  if (options.json) printJson(terminal, answer);
  else printView(terminal, backpressurePage(answer));
  return 0;
}

/** Throws HG_USAGE for what makes no order, before anybody is asked. */
function checkTogether({ mode, below, for: forTime }: BackpressureOptions): void {
  const usage = (message: string): HeadgateError => new HeadgateError('HG_USAGE', message);
  if (mode === 'shed' && below === undefined) {
    throw usage(
      'shed needs --below N: streams of a lower priority than N, from 1 to 100, are cut and refused',
    );
  }
  if (mode !== 'shed' && below !== undefined) throw usage('--below goes with shed only');
  if (forTime !== undefined && (mode === undefined || mode === 'auto')) {
    throw usage('--for goes with off or shed: auto holds until the next order');
  }
}
