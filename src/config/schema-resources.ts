import { field, filled, type Kind, leaf } from './field.ts';
import { bitrate, bool, duration, percent } from './kinds.ts';

/** How the machine looks after itself: when it is short of something, what follows from that, and who suffers first. */

interface Marks {
  readonly degrade: string;
  readonly close: string;
  readonly window: string;
}

/** A resource with its two watermarks; null = not looked at. */
function resource(mark: () => Kind<number>, doc: string, { degrade, close, window }: Marks) {
  const keys = {
    degrade: field(
      leaf(mark(), 'From here on publishers are let in by priority and by what they are expected to cost.'),
      degrade,
    ),
    close: field(leaf(mark(), 'From here on nobody is let in; must be above degrade.'), close),
    window: field(leaf(duration({ min: '500ms', max: '1m' }), 'Averaged over this time.'), window),
  };
  return field(filled(keys, doc).nullable(), {});
}

const part = () => percent({ min: '1%', max: '100%' });
const delay = () => duration({ min: '1ms', max: '1m' });

/** Section `resources`. */
export const resources = filled(
  {
    cpu: resource(
      part,
      'Of the cores this process may use, or of its CPU quota, whichever is worse. Off when null.',
      { degrade: '80%', close: '90%', window: '5s' },
    ),
    heap: resource(part, "Of the limit of V8's heap (--max-old-space-size). Off when null.", {
      degrade: '75%',
      close: '85%',
      window: '1s',
    }),
    memory: resource(
      part,
      'Resident memory and media buffers, of what the machine or its control group allows. Off when null.',
      { degrade: '80%', close: '90%', window: '1s' },
    ),
    event_loop: resource(delay, 'How late the event loop is, 99th percentile. Off when null.', {
      degrade: '50ms',
      close: '200ms',
      window: '1s',
    }),
    reopen_after: field(
      leaf(
        duration({ min: '100ms', max: '1h' }),
        'A resource must have been calm for this long before its state improves.',
      ),
      '5s',
    ),
  },
  'When the machine is short of something: new publishers are then held off.',
);

/** A signal may be off, and then says nothing. */
const signal = (kind: Kind<number>, doc: string) => leaf(kind, `${doc} Not looked at when null.`).nullable();

const signals = {
  error_rate: field(
    signal(
      percent({ min: '1%', max: '100%', nullable: true }),
      'Part of the attempts that are refused for want of resources: for a reason resource_*, and no other.',
    ),
    '50%',
  ),
  decision_latency: field(
    signal(
      duration({ min: '0.001ms', max: '1m', nullable: true }),
      'How long a decision to let somebody in takes.',
    ),
    '20ms',
  ),
  event_loop: field(
    signal(
      duration({ min: '1ms', max: '1m', nullable: true }),
      'How late the event loop is, 99th percentile.',
    ),
    '100ms',
  ),
  cpu: field(
    signal(
      percent({ min: '1%', max: '100%', nullable: true }),
      'Of the cores or the quota, as in resources.cpu; other programs count as well.',
    ),
    null,
  ),
};

/** Section `adaptive`. */
export const adaptive = filled(
  {
    enabled: field(leaf(bool(), 'Whether limits follow how the server fares.'), true),
    signals: field(
      filled(
        signals,
        'What is still good. When one is worse, limits fall; when all are better, they rise again.',
      ),
      {},
    ),
    decrease: field(
      leaf(percent({ min: '1%', max: '99%' }), 'One step down leaves this part of what was allowed.'),
      '80%',
    ),
    increase: field(
      leaf(percent({ min: '0.1%', max: '100%' }), 'One step up adds this part of the configured limit.'),
      '5%',
    ),
    min: field(
      leaf(percent({ min: '1%', max: '100%' }), 'Never below this part of the configured limit.'),
      '30%',
    ),
    max: field(
      leaf(percent({ min: '1%', max: '100%' }), 'Never above this part of the configured limit.'),
      '100%',
    ),
    interval: field(
      leaf(
        duration({ min: '250ms', max: '1h' }),
        'Between two steps; longer than it takes for one to show in the signals.',
      ),
      '5s',
    ),
    hysteresis: field(
      leaf(
        percent({ min: '0%', max: '50%' }),
        'How far a signal may be off, either way, before anything changes.',
      ),
      '10%',
    ),
  },
  'Lets limits.global.max_bandwidth and limits.global.connection_rate follow how the server fares.',
);

const step = duration({ min: '250ms', max: '1d' });

/** Section `backpressure`. */
export const backpressure = filled(
  {
    enabled: field(
      leaf(bool(), 'Whether live streams are lowered, and then cut, when the machine stays in trouble.'),
      true,
    ),
    after: field(
      leaf(
        duration({ max: '1h', zero: 'allowed' }),
        'A resource is past its close mark for this long before a stream is touched.',
      ),
      '10s',
    ),
    interval: field(leaf(duration({ min: '250ms', max: '1h' }), 'Between two steps.'), '2s'),
    protected: field(
      leaf(
        percent({ min: '0%', max: '100%' }),
        'This part of the streams, of the highest priority, is never touched.',
      ),
      '20%',
    ),
    backoff: field(
      filled(
        {
          min: field(leaf(step, 'At first.'), '10s'),
          max: field(leaf(step, 'At most; the wait doubles with each relapse.'), '5m'),
        },
        'Between two steps of recovery.',
      ),
      {},
    ),
    preempt: field(
      leaf(
        bool(),
        'Whether a publisher takes the place of one of lower priority when limits.global.max_streams is reached.',
      ),
      false,
    ),
    floor: field(
      leaf(bitrate({ min: '1kbps' }), 'Fair shares of a scarce bandwidth leave every stream this much.'),
      '64kbps',
    ),
  },
  'Who suffers first when the machine stays in trouble: the lowest priority.',
);
