/** The machine in detail: each resource against its marks, and what is done about it. */

import type { DegradationStep } from '../../src/core/pressure/governor-snapshot.ts';
import type { PressureLevel } from '../../src/core/pressure/levels.ts';
import { RESOURCES } from '../../src/core/pressure/resources.ts';
import type { GateReading, ResourcesSnapshot } from '../../src/http/ports.ts';
import { BackpressureOrder } from '../actions/backpressure-order.tsx';
import { bps, bytes, count, duration, percent } from '../format.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Bar } from '../ui/bar.tsx';
import { Moment } from '../ui/moment.tsx';
import { Panel } from '../ui/panel.tsx';
import { RESOURCE_WORDS, resourceText } from './resource-words.ts';

const LEVELS: Readonly<Record<PressureLevel, { readonly tone: Tone; readonly word: string }>> = {
  nominal: { tone: 'ok', word: 'at ease' },
  elevated: { tone: 'warn', word: 'elevated' },
  critical: { tone: 'bad', word: 'critical' },
};

const GATES: Readonly<Record<GateReading['state'], Tone>> = { open: 'ok', degraded: 'warn', closed: 'bad' };

/** A bar of a resource ends a little beyond the mark at which the gate closes, so that the mark is seen. */
const BEYOND_CLOSE = 1.1;

export function Machine({ resources }: { readonly resources: ResourcesSnapshot }) {
  const { gate } = resources;
  return (
    <Panel
      title="Gate and resources"
      class="machine flush"
      aside={
        <>
          gate <Badge tone={GATES[gate.state]}>{gate.state}</Badge>{' '}
          <span class="since">
            since <Moment at={gate.since} />
          </span>
        </>
      }
    >
      <table>
        <thead>
          <tr>
            <th>Resource</th>
            <th class="num">Now</th>
            <th class="meter">Against its marks</th>
            <th class="num">Degrade</th>
            <th class="num">Close</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {RESOURCES.map((resource) => (
            <ResourceRow key={resource} resource={resource} resources={resources} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function ResourceRow(props: {
  readonly resource: (typeof RESOURCES)[number];
  readonly resources: ResourcesSnapshot;
}) {
  const { resource, resources } = props;
  const { value, degrade, close, state, since, cause } = resources.resources[resource];
  const whole = (close ?? 1) * BEYOND_CLOSE;
  const marks = [degrade, close].filter((mark) => mark !== null).map((mark) => mark / whole);
  const { tone, word } = LEVELS[state];
  const text = resourceText(resource, value);
  return (
    <tr>
      <td>{RESOURCE_WORDS[resource]}</td>
      <td class="num">{text}</td>
      <td class="meter">
        {close === null ? (
          <span class="soft">not looked at</span>
        ) : (
          <Bar
            value={value === null ? null : value / whole}
            label={RESOURCE_WORDS[resource]}
            text={`${text}, the gate closes at ${resourceText(resource, close)}`}
            marks={marks}
          />
        )}
      </td>
      <td class="num soft">{resourceText(resource, degrade)}</td>
      <td class="num soft">{resourceText(resource, close)}</td>
      <td class="state">
        {cause !== null ? (
          <Badge tone="warn" title={cause}>
            not measured
          </Badge>
        ) : close === null ? (
          <Badge tone="idle">off</Badge>
        ) : (
          <>
            <Badge tone={tone}>{word}</Badge>{' '}
            <span class="soft since">
              <Moment at={since} />
            </span>
          </>
        )}
      </td>
    </tr>
  );
}

const STEP_WORDS: Readonly<Record<DegradationStep, string>> = {
  stop_extras: 'Do without extras',
  lower_ceilings: 'Lower what streams may send',
  refuse_low_priority: 'Refuse low priorities',
  refuse_all: 'Refuse all newcomers',
  shed: 'Give up streams, lowest first',
};

/** What is done when the machine runs short, and what is held back for those that came last. */
export function Measures({ resources }: { readonly resources: ResourcesSnapshot }) {
  const { steps, adaptive, reservations, shares, process } = resources;
  const { global, client, shed } = shares.squeezed;
  return (
    <Panel title="What is done about it" class="measures" aside={<BackpressureOrder />}>
      <ol class="steps">
        {steps.map(({ step, active }) => (
          <li key={step} class={active ? 'active' : ''}>
            <span class="glyph" aria-hidden="true">
              {active ? '▲' : '○'}
            </span>
            {active ? `${STEP_WORDS[step]}: now` : STEP_WORDS[step]}
          </li>
        ))}
      </ol>
      <dl class="facts">
        <dt>Adaptive factor</dt>
        <dd>
          {adaptive.enabled ? percent(adaptive.factor) : 'off'}
          {adaptive.enabled && adaptive.factor < 1 && adaptive.signal !== null
            ? `, for ${adaptive.signal.replaceAll('_', ' ')}`
            : ''}
        </dd>
        <dt>Reserved</dt>
        <dd>
          {reservations.pending === 0
            ? 'nothing: every stream has shown its load'
            : `for ${count(reservations.pending)} new ${reservations.pending === 1 ? 'stream' : 'streams'}: ${percent(reservations.cpu)} CPU, ${bytes(reservations.memory_bytes)}, ${bps(reservations.bandwidth_bps)}`}
        </dd>
        <dt>Squeezed</dt>
        <dd>
          {global + client + shed === 0
            ? 'nobody'
            : `${count(global)} by the server's budget, ${count(client)} by their client's, ${count(shed)} shed`}
        </dd>
        <dt>Process</dt>
        <dd>
          {bytes(process.rss_bytes)} resident, heap {bytes(process.heap_used_bytes)} of{' '}
          {bytes(process.heap_limit_bytes)}, up {duration(process.uptime_ms)}
        </dd>
      </dl>
    </Panel>
  );
}
