import { beforeEach, describe, expect, it } from 'vitest';
import { COST_CLASSES, CostModel } from '../../../../src/core/pressure/cost-model.ts';
import { PressureGate } from '../../../../src/core/pressure/gate.ts';
import type { Reservation } from '../../../../src/core/pressure/reservation-ledger.ts';
import { type Capacity, ceilingOf, Reservations } from '../../../../src/core/pressure/reservations.ts';
import { RESOURCES, type Resource, type ResourcesConfig } from '../../../../src/core/pressure/resources.ts';
import { watermarksOf } from '../../../../src/core/pressure/watermarks.ts';

const CONFIG = {
  cpu: { degrade: 0.8, close: 0.9, window: 5000 },
  heap: { degrade: 0.75, close: 0.85 },
  memory: { degrade: 0.8, close: 0.9 },
  event_loop: { degrade: 50, close: 200 },
  reopen_after: 5000,
} satisfies ResourcesConfig;
const NO_CAPACITY: Capacity = { memoryBytes: Number.POSITIVE_INFINITY, bandwidth: null };
const GIB = 2 ** 30;

const PERIOD_MS = 250;
const HD = { protocol: 'rtmp', expectedBps: 3_000_000, priority: 50, exempt: false } as const;

let now = 0;
let gate: PressureGate;
let model: CostModel;
let reservations: Reservations;

function setUp(capacity = NO_CAPACITY, guess = 0.01): void {
  now = 1000;
  gate = new PressureGate(CONFIG, now);
  model = new CostModel({ cores: 1, cpuGuess: () => guess });
  reservations = new Reservations(gate, model, capacity);
}
beforeEach(() => setUp());

/** Passes time in which the samplers report this, and nothing is learned of costs. */
function pass(periods: number, values: Partial<Record<Resource, number>> = {}): void {
  for (let i = 0; i < periods; i++) {
    now += PERIOD_MS;
    for (const resource of RESOURCES) gate.sample(resource, values[resource] ?? 0.1, now);
  }
}

function admit(count: number, request: Parameters<Reservations['peek']>[0] = HD): Reservation[] {
  const admitted: Reservation[] = [];
  while (admitted.length < count && reservations.peek(request, now) === null) {
    admitted.push(reservations.reserve(request, now));
  }
  return admitted;
}

const reserved = () => reservations.snapshot().reserved;

describe('a reservation', () => {
  it('holds what its class will hardly exceed', () => {
    pass(4);
    reservations.reserve(HD, now);
    const { cpu, memoryBytes, bandwidthBps } = reserved();
    expect(cpu).toBe(model.cpu(model.classOf('rtmp', 3_000_000)));
    expect(cpu).toBeGreaterThan(0.01);
    expect(memoryBytes).toBeGreaterThan(1_500_000);
    expect(bandwidthBps).toBeGreaterThan(3_000_000);
  });

  it('shrinks as the load appears, CPU no sooner than it can have been seen', () => {
    const stream = reservations.reserve(HD, now);
    const whole = reserved();
    stream.observe(1_200_000, 1_000_000, now + 250);
    expect(reserved().cpu).toBe(whole.cpu);
    expect(reserved().bandwidthBps).toBeCloseTo(whole.bandwidthBps / 2, -4);
    stream.observe(3_000_000, 10_000_000, now + 3750);
    expect(stream.outstanding).toBeCloseTo(0.5, 2);
    stream.observe(3_000_000, 10_000_000, now + 6750);
    expect(stream.outstanding).toBe(0);
    expect(reservations.snapshot()).toMatchObject({ pending: 0, reserved: { cpu: 0 } });
  });

  it('waits for a stream that sends less than is usual, and not for ever', () => {
    const stream = reservations.reserve(HD, now);
    stream.observe(600_000, 100_000, now + 14_000);
    expect(stream.outstanding).toBeCloseTo(0.75, 2);
    stream.observe(600_000, 100_000, now + 15_000);
    expect(stream.outstanding).toBe(0);
    expect(reserved()).toEqual({ cpu: 0, memoryBytes: 0, bandwidthBps: 0 });
  });

  it('ends in time also when nobody looks after its stream', () => {
    reservations.reserve(HD, now);
    reservations.learnCpu(0.1, now + 15_999);
    expect(reservations.snapshot().pending).toBe(1);
    reservations.learnCpu(0.1, now + 16_000);
    expect(reservations.snapshot()).toMatchObject({ pending: 0, reserved: { cpu: 0 } });
  });

  it('has taught what a quiet stream comes to, though a sample of the machine came before the look at it', () => {
    const stream = reservations.reserve(HD, now);
    const index = model.classOf(HD.protocol, HD.expectedBps);
    reservations.learnCpu(0.1, now + 15_000);
    stream.observe(600_000, 100_000, now + 15_100);
    expect(stream.settled).toBe(true);
    expect(model.typicalBps(index)).toBe(600_000);
    expect(model.typicalMemoryBytes(index)).toBe(100_000);
  });

  it('never grows again', () => {
    const stream = reservations.reserve(HD, now);
    stream.observe(3_000_000, 10_000_000, now + 3750);
    const held = reserved();
    stream.observe(0, 0, now + 3000);
    expect(reserved()).toEqual(held);
  });

  it('is gone at once with its stream, and only once', () => {
    const [one, other] = [reservations.reserve(HD, now), reservations.reserve(HD, now)];
    const both = reserved().cpu;
    other?.observe(3_000_000, 10_000_000, now + 3750);
    one?.release();
    one?.release();
    one?.observe(3_000_000, 10_000_000, now + 6750);
    expect(reserved().cpu).toBeCloseTo(both / 4, 4);
    other?.release();
    expect(reservations.snapshot()).toMatchObject({ pending: 0, classes: [] });
    expect(reserved()).toEqual({ cpu: 0, memoryBytes: 0, bandwidthBps: 0 });
  });

  it('is priced anew when its class turns out dearer', () => {
    const guessed = model.classOf('rtmp', 3_000_000);
    for (let i = 0; i < 60; i++) reservations.reserve(HD, now);
    const before = reserved().cpu;
    const activity = new Float64Array(COST_CLASSES);
    for (let i = 0; i < 60; i++) {
      activity[guessed] = i / 9;
      model.learnCpu(0.12 * activity[guessed], activity, new Float64Array(COST_CLASSES), now + i * 250);
    }
    expect(model.describe(guessed).cpu).toBeGreaterThan(0.1);
    expect(reserved().cpu).toBeGreaterThan(before);
  });
});

describe('admission', () => {
  it('stops before what was let in carries the load beyond the target', () => {
    pass(40, { cpu: 0.5 });
    const admitted = admit(1000).length;
    const each = model.cpu(model.classOf('rtmp', 3_000_000));
    expect(admitted).toBe(Math.floor(0.3 / each));
    expect(gate.level(now)).toBe('nominal');
    const denial = reservations.peek(HD, now);
    expect(denial).toMatchObject({ reason: 'resource_cpu', scope: 'resource', key: 'cpu', limit: 0.8 });
    expect(denial?.observed).toBeGreaterThan(0.8);
  });

  it('says when the oldest reservation may end, or that load must fall', () => {
    pass(40, { cpu: 0.5 });
    admit(1000);
    expect(reservations.peek(HD, now)?.retryAfterMs).toBe(6750);
    expect(reservations.peek(HD, now + 2000)?.retryAfterMs).toBe(4750);
    pass(40, { cpu: 0.81 });
    expect(reservations.peek(HD, now)?.retryAfterMs).toBe(5000);
  });

  it('takes nothing when it only asks', () => {
    pass(40, { cpu: 0.5 });
    for (let i = 0; i < 1000; i++) reservations.peek(HD, now);
    expect(reservations.snapshot()).toMatchObject({ pending: 0, classes: [] });
  });

  it('lets more in the higher the priority, in a straight line between the marks', () => {
    const marks = watermarksOf(CONFIG.cpu);
    expect([0, 25, 50, 75, 100].map((priority) => ceilingOf(marks, priority).toFixed(4))).toEqual([
      '0.7500',
      '0.7750',
      '0.8000',
      '0.8250',
      '0.8500',
    ]);
    setUp(NO_CAPACITY, 1e-5);
    const letIn = (cpu: number) => {
      pass(60, { cpu });
      return [0, 20, 40, 50, 60, 80, 100].filter(
        (priority) => reservations.peek({ ...HD, priority }, now) === null,
      );
    };
    expect(letIn(0.7)).toEqual([0, 20, 40, 50, 60, 80, 100]);
    expect(letIn(0.765)).toEqual([20, 40, 50, 60, 80, 100]);
    expect(letIn(0.795)).toEqual([50, 60, 80, 100]);
    expect(letIn(0.805)).toEqual([60, 80, 100]);
    expect(letIn(0.845)).toEqual([100]);
    expect(letIn(0.855)).toEqual([]);
  });

  it('holds heap and event loop against the same line, though nothing is reserved of them', () => {
    pass(40, { event_loop: 60 });
    expect(reservations.peek(HD, now)).toMatchObject({
      reason: 'resource_event_loop',
      observed: 60,
      limit: 50,
    });
    expect(reservations.peek({ ...HD, priority: 90 }, now)).toBeNull();
  });

  it('refuses everybody while the gate is closed, but who is never limited', () => {
    pass(40, { memory: 0.95 });
    expect(reservations.peek({ ...HD, priority: 100 }, now)).toMatchObject({ reason: 'resource_memory' });
    expect(reservations.peek({ ...HD, exempt: true }, now)).toBeNull();
  });

  it('tries one at a time of a class that looks too dear, and so finds out', () => {
    setUp(NO_CAPACITY, 0.2);
    pass(40, { cpu: 0.5 });
    reservations.learnCpu(0.5, now);
    let admitted = 0;
    const live: Reservation[] = [];
    for (let i = 0; i < 400; i++) {
      pass(1, { cpu: 0.5 + 0.001 * live.length });
      for (const stream of live) stream.observe(3_000_000, 10_000_000, now);
      reservations.learnCpu(0.5 + 0.001 * live.length, now);
      const before = admitted;
      while (reservations.peek(HD, now) === null && live.length < 30) {
        live.push(reservations.reserve(HD, now));
        admitted++;
      }
      if (i === 0) expect(admitted - before).toBe(1);
    }
    expect(admitted).toBe(30);
  });

  it('goes by what is known of costs while the CPU sampler fails, for common priority and above', () => {
    pass(40, { cpu: 0.3 });
    gate.fail('cpu', 'no /proc/stat', now);
    expect(reservations.peek(HD, now)).toBeNull();
    expect(reservations.peek({ ...HD, priority: 49 }, now)).toMatchObject({
      reason: 'resource_cpu',
      observed: null,
    });
    expect(admit(1000).length).toBeLessThan(100);
  });

  it('keeps memory free for those on their way', () => {
    setUp({ memoryBytes: GIB, bandwidth: null }, 1e-5);
    pass(40, { memory: 0.7 });
    const admitted = admit(1000).length;
    expect(admitted).toBe(Math.floor((0.1 * GIB) / model.memoryBytes(model.classOf('rtmp', 3_000_000))));
    expect(reservations.peek(HD, now)).toMatchObject({ reason: 'resource_memory' });
  });

  it('keeps bandwidth free where marks are set for it', () => {
    setUp({ ...NO_CAPACITY, bandwidth: { degrade: 80e6, close: 100e6 } }, 1e-5);
    pass(40);
    reservations.sampleBandwidth(40e6);
    const admitted = admit(1000).length;
    expect(admitted).toBe(Math.floor(40e6 / model.bandwidthBps(model.classOf('rtmp', 3_000_000))));
    expect(reservations.peek(HD, now)).toMatchObject({ reason: 'global_bandwidth', scope: 'global' });
  });
});

describe('cost classes', () => {
  it('tell protocols and bitrates apart, and the unknown from both', () => {
    const classes = (['rtmp', 'rtmps', 'srt'] as const).flatMap((protocol) =>
      [100_000, 1e6, 4e6, 8e6, 5e7, null].map((bps) => model.classOf(protocol, bps)),
    );
    expect(new Set(classes).size).toBe(COST_CLASSES);
    expect(model.classOf('srt', Number.POSITIVE_INFINITY)).toBe(model.classOf('srt', null));
    expect(model.describe(model.classOf('srt', null))).toMatchObject({ protocol: 'srt', upToBps: null });
  });

  it('learn memory and bandwidth from what streams come to', () => {
    for (let i = 0; i < 40; i++) {
      const stream = reservations.reserve(HD, now);
      stream.observe(4_500_000, 9_000_000, now + 7000);
      stream.release();
    }
    const index = model.classOf('rtmp', 3_000_000);
    expect(model.typicalBps(index)).toBe(4_500_000);
    expect(model.typicalMemoryBytes(index)).toBe(9_000_000);
    expect(model.bandwidthBps(index)).toBeLessThan(6_000_000);
  });
});
