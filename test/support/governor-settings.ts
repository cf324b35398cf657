import type { GovernorSettings } from '../../src/control/governor.ts';

/** The config's defaults, in base units. */
export const GOVERNOR_SETTINGS: GovernorSettings = {
  resources: {
    cpu: { degrade: 0.8, close: 0.9, window: 5000 },
    heap: { degrade: 0.75, close: 0.85, window: 1000 },
    memory: { degrade: 0.8, close: 0.9, window: 1000 },
    event_loop: { degrade: 50, close: 200, window: 1000 },
    reopen_after: 5000,
  },
  adaptive: {
    enabled: true,
    signals: { error_rate: 0.5, decision_latency: 20, event_loop: 100, cpu: 0.85 },
    decrease: 0.8,
    increase: 0.05,
    min: 0.3,
    max: 1,
    interval: 5000,
    hysteresis: 0.1,
  },
  backpressure: {
    enabled: true,
    after: 10_000,
    interval: 2000,
    protected: 0.2,
    backoff: { min: 10_000, max: 300_000 },
    floor: 64_000,
  },
  globalBps: 2e9,
  cores: 2,
};
