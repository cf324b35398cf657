/** What `headgate resources` and `headgate backpressure` show. Pure. */

import type { PressureLevel } from '../../core/pressure/levels.ts';
import { formatBytes, formatDuration, formatPercent } from '../../core/words/figures.ts';
import { bitrateLimit, instant } from '../../core/words/limits.ts';
import { REASON_WORDS } from '../../core/words/reasons.ts';
import type { BackpressureSnapshot, ResourcesSnapshot } from '../../http/ports.ts';
import { type Line, type Style, span } from '../top/text.ts';
import { type TableColumn, table } from './table.ts';

const LEVELS: Readonly<Record<PressureLevel, Style>> = { nominal: 'good', elevated: 'warn', critical: 'bad' };

type Row = { readonly name: string } & ResourcesSnapshot['resources'][keyof ResourcesSnapshot['resources']];

/** Fractions of what there is, but the delay of the event loop, which is ms. */
function amount(name: string, value: number | null): string {
  if (value === null) return '-';
  return name === 'event_loop' ? formatDuration(value) : formatPercent(value);
}

/** Nobody looks at it: it has no marks in the config. */
function isOff({ degrade, close }: Row): boolean {
  return degrade === null && close === null;
}

const COLUMNS: readonly TableColumn<Row>[] = [
  { title: 'RESOURCE', rank: 1, align: 'left', text: ({ name }) => name },
  { title: 'USED', rank: 2, align: 'right', text: ({ name, value }) => amount(name, value) },
  { title: 'DEGRADE', rank: 5, align: 'right', text: ({ name, degrade }) => amount(name, degrade) },
  { title: 'CLOSE', rank: 4, align: 'right', text: ({ name, close }) => amount(name, close) },
  {
    title: 'STATE',
    rank: 3,
    align: 'left',
    text: (row) => (isOff(row) ? 'off' : row.state),
    style: (row) => (isOff(row) ? 'dim' : LEVELS[row.state]),
  },
  { title: 'SINCE', rank: 6, align: 'left', text: ({ since }) => instant(since) },
  { title: 'NOTE', rank: 7, align: 'left', cellsMin: 12, text: ({ cause }) => cause ?? '' },
];

/** `width` null: nothing is clipped or left out. */
export function resourcePage(resources: ResourcesSnapshot, width: number | null): Line[] {
  const rows = Object.entries(resources.resources).map(([name, resource]) => ({ name, ...resource }));
  const { gate, adaptive, shares, process: own } = resources;
  const why = gate.reasons.map((reason) => `${reason}: ${REASON_WORDS[reason]?.advice ?? ''}`);
  return [
    { spans: [span('gate '), span(gate.state, LEVELS[gate.level]), span(` since ${instant(gate.since)}`)] },
    ...why.map((line) => ({ spans: [span(`  ${line}`, 'accent')] })),
    ...table(COLUMNS, rows, width),
    {
      spans: [
        span(
          `budget ${bitrateLimit(shares.budget_bps)}, adaptive factor ${formatPercent(adaptive.factor)}${adaptive.signal === null ? '' : ` by ${adaptive.signal}`}`,
          'dim',
        ),
      ],
    },
    {
      spans: [
        span(`process up ${formatDuration(own.uptime_ms)}, ${formatBytes(own.rss_bytes)} resident`, 'dim'),
      ],
    },
  ];
}

export function backpressurePage({
  mode,
  below_priority,
  until,
  level,
  active,
  squeezed,
  cohorts,
  steps,
  enabled,
}: BackpressureSnapshot): Line[] {
  const below = below_priority === null ? '' : ` below priority ${below_priority}`;
  const end = until === null ? '' : `, until ${instant(until)}`;
  const taken = steps.filter((step) => step.active).map(({ step }) => step);
  return [
    {
      spans: [
        span('backpressure '),
        span(`${mode}${below}`, mode === 'auto' ? 'plain' : 'warn'),
        span(`${end}${enabled ? '' : ' (backpressure.enabled is false)'}`),
      ],
    },
    {
      spans: [
        span('machine      '),
        span(level, LEVELS[level]),
        span(active ? ', streams are being given up' : ''),
      ],
    },
    {
      spans: [
        span(
          `squeezed     ${squeezed.global} by the global share, ${squeezed.client} by their client's, ${squeezed.shed} by shedding`,
        ),
      ],
    },
    { spans: [span(`steps taken  ${taken.length === 0 ? 'none' : taken.join(', ')}`)] },
    ...cohorts.map(({ priority, cohort, ceiling }) => ({
      spans: [
        span(
          `  priority ${priority}, cohort ${cohort}: ${ceiling === 0 ? 'cut' : `held to ${formatPercent(ceiling)} of what it sent`}`,
          'warn' as const,
        ),
      ],
    })),
  ];
}
