/**
 * How the machine fares and what is done about it, as metrics. What is not
 * known or off has no sample: 0 would be a lie that alerts believe.
 */
import { PRESSURE_LEVELS } from '../core/pressure/levels.ts';
import { RESOURCES, type Resource } from '../core/pressure/resources.ts';
import { SQUEEZERS } from '../core/stream.ts';
import { GOVERNOR_ACTIONS } from './events.ts';
import { ADJUSTMENT_DIRECTIONS, type MetricsReading } from './metrics-source.ts';
import type { MetricSpec, Sample } from './metrics-spec.ts';

export const GOVERNOR_METRICS: readonly MetricSpec[] = [
  {
    name: 'headgate_resource_usage',
    type: 'gauge',
    labels: ['resource'],
    help: 'How much of a resource is in use: cpu, heap and memory 0 to 1, event_loop its delay in seconds (p99).',
    read: ({ governor }) =>
      RESOURCES.flatMap((resource) => measured(resource, governor.resources[resource].value, resource)),
  },
  {
    name: 'headgate_resource_watermark',
    type: 'gauge',
    labels: ['resource', 'mark'],
    help: 'Where a resource becomes elevated (degrade) and critical (close), in its own unit.',
    read: ({ governor }) =>
      RESOURCES.flatMap((resource) => {
        const { degrade, close } = governor.resources[resource];
        return [
          ...measured(resource, degrade, resource, 'degrade'),
          ...measured(resource, close, resource, 'close'),
        ];
      }),
  },
  {
    name: 'headgate_resource_state',
    type: 'gauge',
    labels: ['resource'],
    help: 'State of a resource: 0 nominal, 1 elevated, 2 critical.',
    read: ({ governor }) =>
      RESOURCES.map((resource) => [PRESSURE_LEVELS.indexOf(governor.resources[resource].state), resource]),
  },
  {
    name: 'headgate_resource_pressure',
    type: 'gauge',
    labels: ['resource'],
    help: 'How hard a resource is pressed: 0 up to degrade, 1 from close on.',
    read: ({ governor }) => RESOURCES.map((resource) => [governor.resources[resource].pressure, resource]),
  },
  {
    name: 'headgate_reservations',
    type: 'gauge',
    labels: [],
    help: 'Streams let in that have not shown their load in full.',
    read: ({ governor }) => [[governor.reservations.pending]],
  },
  {
    name: 'headgate_reserved_cpu',
    type: 'gauge',
    labels: [],
    help: 'CPU held for them, as a fraction of the machine.',
    read: ({ governor }) => [[governor.reservations.cpu]],
  },
  {
    name: 'headgate_reserved_memory_bytes',
    type: 'gauge',
    labels: [],
    help: 'Memory held for them.',
    read: ({ governor }) => [[governor.reservations.memory_bytes]],
  },
  {
    name: 'headgate_reserved_bandwidth_bps',
    type: 'gauge',
    labels: [],
    help: 'Bandwidth held for them.',
    read: ({ governor }) => [[governor.reservations.bandwidth_bps]],
  },
  {
    name: 'headgate_adaptive_factor',
    type: 'gauge',
    labels: [],
    help: 'What global bandwidth and connection rate are multiplied by.',
    read: ({ governor }) => [[governor.adaptive.factor]],
  },
  {
    name: 'headgate_adjustments_total',
    type: 'counter',
    labels: ['direction'],
    help: 'Changes of the adaptive factor; direction is up or down.',
    read: ({ governorCounts }) =>
      ADJUSTMENT_DIRECTIONS.map((direction) => [governorCounts.adjustments[direction], direction]),
  },
  {
    name: 'headgate_bandwidth_budget_bps',
    type: 'gauge',
    labels: [],
    help: 'What streams may send together now; +Inf when unlimited.',
    read: ({ governor }) => [[governor.shares.budget_bps ?? Number.POSITIVE_INFINITY]],
  },
  {
    name: 'headgate_squeezed_streams',
    type: 'gauge',
    labels: ['by'],
    help: 'Streams that get less than they demand; by is global or client (fair shares), or shed.',
    read: ({ governor }) => SQUEEZERS.map((by) => [governor.shares.squeezed[by], by]),
  },
  {
    name: 'headgate_shed_cohorts',
    type: 'gauge',
    labels: ['state'],
    help: 'Cohorts of streams given up for the others; state is lowered or cut.',
    read: shedCohorts,
  },
  {
    name: 'headgate_degradation_step',
    type: 'gauge',
    labels: ['step'],
    help: '1 while a step of degradation is taken, else 0.',
    read: ({ governor }) => governor.steps.map(({ step, active }) => [active ? 1 : 0, step]),
  },
  {
    name: 'headgate_governor_events_total',
    type: 'counter',
    labels: ['kind'],
    help: 'What the governor did, as the audit trail has it; kind is gate, adaptive, shed, recover or sampler.',
    read: ({ governorCounts }) => GOVERNOR_ACTIONS.map((kind) => [governorCounts.changes[kind] ?? 0, kind]),
  },
  {
    name: 'headgate_control_round_seconds',
    type: 'gauge',
    labels: [],
    help: 'Time the last round of the control loop took.',
    read: ({ governor }) => [[governor.control.took_ms / 1_000]],
  },
  {
    name: 'headgate_control_round_longest_seconds',
    type: 'gauge',
    labels: [],
    help: 'Time the longest round of the last minute took.',
    read: ({ governor }) => [[governor.control.longest_ms / 1_000]],
  },
];

/** A value of a resource in the base unit of Prometheus: seconds, not ms. */
function measured(resource: Resource, value: number | null, ...labels: string[]): Sample[] {
  if (value === null) return [];
  return [[resource === 'event_loop' ? value / 1_000 : value, ...labels]];
}

function shedCohorts({ governor }: MetricsReading): Sample[] {
  const { cohorts } = governor.shedding;
  const cut = cohorts.filter(({ ceiling }) => ceiling === 0).length;
  return [
    [cohorts.length - cut, 'lowered'],
    [cut, 'cut'],
  ];
}
