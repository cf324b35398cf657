/** The four resources in words: how each fares against its marks, and which is nearest to closing the gate. */
import { RESOURCES, type Resource } from '../../src/core/pressure/resources.ts';
import type { GateReading, ResourcesSnapshot } from '../../src/http/ports.ts';
import { duration, percent } from '../format.ts';

export const RESOURCE_WORDS: Readonly<Record<Resource, string>> = {
  cpu: 'CPU',
  heap: 'JavaScript heap',
  memory: 'Memory',
  event_loop: 'Event loop delay',
};

/** A resource's value as it is measured: a percentage, of the event loop a time. */
export function resourceText(resource: Resource, value: number | null): string {
  return resource === 'event_loop' ? duration(value) : percent(value);
}

/** How a resource that is not at ease fares: past a mark, or back below it and only held. No full stop. */
export function strainText(resource: Resource, { gate, resources }: ResourcesSnapshot): string {
  const { value, degrade, close, state } = resources[resource];
  const name = RESOURCE_WORDS[resource];
  const critical = state === 'critical';
  const mark = critical ? close : degrade;
  const marked = resourceText(resource, mark);
  const does = critical ? 'at which the gate closes' : 'from which on load is shed and refused';
  const now = resourceText(resource, value);
  if (value === null || mark === null || value >= mark)
    return `${name} is at ${now}; ${marked} is the mark ${does}`;
  if (!critical)
    return `${name} was past ${marked} and is at ${now} now: it counts as elevated only until it has stayed calm for a while`;
  const wait = gate.reopens_in_ms === null ? 'a while' : duration(gate.reopens_in_ms);
  return `${name} was past ${marked}, the mark ${does}, and is at ${now} now: it must stay calm for ${wait} before the gate opens`;
}

/** The resource that is nearest to closing the gate. */
export interface Nearest {
  /** `CPU 73 %` */
  readonly value: string;
  /** `of 90 %, where the gate closes`, or what holds the gate closed */
  readonly of: string;
  /** part of its mark; null when nothing is measured */
  readonly used: number | null;
}

export function nearestToClose({ gate, resources }: ResourcesSnapshot): Nearest {
  const [worst] = RESOURCES.flatMap((resource) => {
    const { value, close } = resources[resource];
    return value === null || close === null || close <= 0 ? [] : [{ resource, value, close }];
  }).sort((a, b) => b.value / b.close - a.value / a.close);
  if (worst === undefined) {
    return {
      value: gate.open ? 'Gate open' : 'Gate closed',
      of: gate.open ? 'no resource is measured' : closedText(gate),
      used: null,
    };
  }
  const { resource, value, close } = worst;
  const mark = resourceText(resource, close);
  return {
    value: `${RESOURCE_WORDS[resource]} ${resourceText(resource, value)}`,
    of: gate.open ? `of ${mark}, where the gate closes` : `of ${mark}; gate closed, ${closedText(gate)}`,
    used: value / close,
  };
}

function closedText({ reopens_in_ms: opensMs }: GateReading): string {
  if (opensMs === null) return 'the server shuts down';
  return `opens in ${duration(opensMs)} if all stays calm`;
}
