/** The lines about the machine: what presses, and who suffers for it. */
import type { PressureLevel } from '../../core/pressure/levels.ts';
import { RESOURCES, type Resource } from '../../core/pressure/resources.ts';
import { SQUEEZERS } from '../../core/stream.ts';
import { formatBitRate, formatCount, formatPercent, formatRate } from '../../core/words/figures.ts';
import { bar } from './bar.ts';
import type { Machine } from './moment.ts';
import { type Span, type Style, span } from './text.ts';

/** Cells of the bar of one resource: four of them fit 80 columns. */
const BAR_CELLS = 5;

const LEVEL_STYLES: Readonly<Record<PressureLevel, Style>> = {
  nominal: 'good',
  elevated: 'warn',
  critical: 'bad',
};

/** Says the level where there are no colours. */
const LEVEL_MARKS: Readonly<Record<PressureLevel, string>> = { nominal: '', elevated: '!', critical: '!!' };

type ResourceState = Machine['resources'][Resource];

/**
 * One part for each resource that is looked at: its bar is full where the gate
 * closes. What presses stands in front, so that a narrow screen shows that.
 */
export function pressureLine({ resources, reservations }: Machine, unicode: boolean): Span[][] {
  const looked = RESOURCES.filter((resource) => resources[resource].close !== null);
  const calm = looked.filter((resource) => resources[resource].state === 'nominal');
  const pressed = looked
    .filter((resource) => resources[resource].state !== 'nominal')
    .sort((a, b) => hardness(resources[b]) - hardness(resources[a]));
  const parts = [...pressed, ...calm].map((resource) =>
    resourceSpans(resource, resources[resource], unicode),
  );
  if (parts.length === 0) parts.push([span('resources are not looked at', 'dim')]);
  const { pending, cpu } = reservations;
  // What is set aside holds newcomers back only where the CPU is looked at.
  if (pending > 0 && resources.cpu.close !== null) {
    parts.push([span(`reserved for ${formatCount(pending)}: ${formatPercent(cpu)} cpu`, 'accent')]);
  }
  return parts;
}

/** `cpu █████ 93%!!` */
function resourceSpans(resource: Resource, { value, close, state }: ResourceState, unicode: boolean): Span[] {
  const style = LEVEL_STYLES[state] ?? 'plain';
  if (value === null || close === null) return [span(`${resource} `), span('not known!', style)];
  const amount = resource === 'event_loop' ? `${formatRate(value)}ms` : formatPercent(value);
  return [
    span(`${resource} `),
    span(bar(value / close, BAR_CELLS, unicode), style),
    span(` ${amount}${LEVEL_MARKS[state] ?? ''}`, state === 'nominal' ? 'plain' : style),
  ];
}

function hardness({ state, pressure }: ResourceState): number {
  return pressure + (state === 'critical' ? 1 : 0);
}

/** Who suffers, and by what: an order first, then streams given up, then those that get less than they want. */
export function squeezeLine({ shares, shedding, steps }: Machine): Span[][] {
  const { order, cohorts } = shedding;
  const parts: Span[][] = [];
  if (order !== null) parts.push([span(orderWords(order), 'odd')]);
  if (cohorts.length > 0) parts.push([span(`shed ${cohortWords(cohorts)}`, 'bad')]);
  const told = squeezed(shares);
  if (told !== null) parts.push(told);
  else if (cohorts.length === 0) parts.push([span('nobody squeezed', 'dim')]);
  const active = steps.filter((step) => step.active).map(({ step }) => step);
  if (active.length > 0) parts.push([span(active.join(' '), 'dim')]);
  return parts;
}

function squeezed({ squeezed: counts }: Machine['shares']): Span[] | null {
  const told = SQUEEZERS.filter((by) => counts[by] > 0).map((by) => `${formatCount(counts[by])} ${by}`);
  return told.length === 0 ? null : [span('squeezed '), span(told.join(' '), 'warn')];
}

function orderWords({ mode, below_priority, until }: NonNullable<Machine['shedding']['order']>): string {
  // With the day: an order may hold for a month.
  const end = until === null ? '' : ` until ${until.slice(5, 10)} ${until.slice(11, 16)}Z`;
  return mode === 'off' ? `ordered: no shedding${end}` : `ordered: shed below ${below_priority}${end}`;
}

/** `p10: 2 cut, p50: 1 cut 1 at 25%`: cohorts of a priority together, lowest first. */
function cohortWords(cohorts: Machine['shedding']['cohorts']): string {
  const priorities = [...new Set(cohorts.map(({ priority }) => priority))];
  return priorities
    .map((priority) => {
      const ceilings = cohorts.filter((one) => one.priority === priority).map(({ ceiling }) => ceiling);
      const cut = ceilings.filter((ceiling) => ceiling === 0).length;
      const lowered = ceilings
        .filter((ceiling) => ceiling > 0)
        .map((ceiling) => `1 at ${formatPercent(ceiling)}`);
      return `p${priority}: ${[...(cut > 0 ? [`${cut} cut`] : []), ...lowered].join(' ')}`;
    })
    .join(', ');
}

/** ` of 1.28 Gbps`, what streams may send together; empty when that is what they like. */
export function budgetWords({ shares }: Machine): string {
  return shares.budget_bps === null ? '' : ` of ${formatBitRate(shares.budget_bps)}`;
}

/** Why that is less than is configured; nothing when it is not. */
export function factorPart({ adaptive }: Machine): Span[][] {
  if (!adaptive.enabled || adaptive.factor === 1) return [];
  const cause = adaptive.signal === null ? '' : ` for ${adaptive.signal}`;
  return [[span(`factor ${formatPercent(adaptive.factor)}${cause}`, 'warn')]];
}
