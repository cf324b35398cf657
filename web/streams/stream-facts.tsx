import type { ComponentChildren } from 'preact';
import { SQUEEZE_WORDS } from '../../src/core/held.ts';
import { canBeSlowed, type StreamSnapshot } from '../../src/core/stream.ts';
import { ON_EXCEED_WORDS } from '../actions/limit-draft.ts';
import { bps, bytes, clock, count, dateTime, duration, percent, rate } from '../format.ts';
import { href } from '../router.ts';
import { Bar } from '../ui/bar.tsx';
import { Panel } from '../ui/panel.tsx';
import { bindingUse, type Use, usesOf } from './use.ts';
import { codecText, KIND_WORDS, limitText, NEARNESS_SIGNS, seenText, useText } from './words.ts';

/** Each limit: how much of it is used, and who set it. */
export function LimitsPanel({ stream }: { stream: StreamSnapshot }) {
  const { limits } = stream;
  const uses = usesOf(stream);
  const binding = bindingUse(stream);
  return (
    <Panel title="Limits" class="flush">
      <table class="limits">
        <tbody>
          {uses.map((use) => (
            <LimitRow key={use.kind} use={use} stream={stream} binds={use.kind === binding?.kind} />
          ))}
          <LimitFact title="When exceeded" name="on_exceed" stream={stream}>
            {limits.on_exceed}: {exceedWords(stream)}
          </LimitFact>
          <LimitFact title="Grace" name="grace" stream={stream}>
            {limits.grace_ms === null ? 'never cut for excess' : `cut after ${duration(limits.grace_ms)}`}
          </LimitFact>
          <LimitFact title="Cooldown" name="cooldown" stream={stream}>
            {duration(limits.cooldown_ms)} after a cut
          </LimitFact>
        </tbody>
      </table>
    </Panel>
  );
}

function exceedWords({ limits, protocol }: StreamSnapshot): string {
  if (limits.on_exceed === 'throttle' && !canBeSlowed(protocol)) {
    return `over ${protocol} nobody can be slowed, so ${ON_EXCEED_WORDS.drop}`;
  }
  return ON_EXCEED_WORDS[limits.on_exceed];
}

const LIMIT_NAMES = { bitrate: 'max_bitrate', fps: 'max_fps', packets: 'max_packets_per_sec' } as const;

function LimitRow({ use, stream, binds }: { use: Use; stream: StreamSnapshot; binds: boolean }) {
  const { kind, limit, fraction, nearness, by } = use;
  const { glyph, word } = NEARNESS_SIGNS[nearness];
  return (
    <tr class={`limit-use ${nearness}`}>
      <th scope="row">
        {KIND_WORDS[kind]}
        {binds && fraction > 0 ? <span class="soft"> · tightest</span> : null}
      </th>
      <td>
        <div class="figures">
          <b>{seenText(kind, use.seen)}</b> <span class="soft">of {limitText(kind, limit)}</span>
          <span class="sign">{limit === null ? '' : `${percent(fraction)} ${glyph} ${word}`}</span>
        </div>
        <Bar value={limit === null ? null : fraction} label={KIND_WORDS[kind]} text={useText(use)} />
        {by === null ? null : (
          <div class="squeezed-by">
            Squeezed by {by}: {SQUEEZE_WORDS[by]}; its own limit is{' '}
            {limitText(kind, stream.limits.max_bitrate_bps)}
          </div>
        )}
        <Source name={LIMIT_NAMES[kind]} stream={stream} />
      </td>
    </tr>
  );
}

interface LimitFactProps {
  readonly title: string;
  /** as in the config */
  readonly name: string;
  readonly stream: StreamSnapshot;
  readonly children: ComponentChildren;
}

function LimitFact({ title, name, stream, children }: LimitFactProps) {
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>
        {children}
        <Source name={name} stream={stream} />
      </td>
    </tr>
  );
}

/** Where a limit came from, in the config's own words. */
function Source({ name, stream: { limits } }: { name: string; stream: StreamSnapshot }) {
  const source = limits.sources[name];
  const until = limits.override_until;
  if (source === undefined) return null;
  return (
    <div class="source">
      {name} from{' '}
      {source === 'override' ? (
        <b>a temporary limit, {until === null ? 'until it ends' : `until ${clock(until)}`}</b>
      ) : (
        <span class="mono">{source}</span>
      )}
    </div>
  );
}

export function PublisherPanel({ stream }: { stream: StreamSnapshot }) {
  const { client, tier, priority, ip, port, protocol, usage, playback } = stream;
  return (
    <Panel title="Publisher">
      <dl class="facts">
        <dt>Client</dt>
        <dd>
          <a href={href('clients', client)}>{client}</a>, {tier === null ? 'no tier' : `tier ${tier}`},
          priority {priority}
        </dd>
        <dt>From</dt>
        <dd>
          <a href={href('addresses', null, { q: ip })}>{ip}</a> port {port}, {protocol}
        </dd>
        <dt>Up</dt>
        <dd>
          {duration(Math.floor(stream.uptime_ms / 1_000) * 1_000)}, since {dateTime(stream.started_at)}
        </dd>
        <dt>Media</dt>
        <dd>{codecText(stream)}</dd>
        <dt>Players</dt>
        <dd>
          {count(playback.players)}, {bytes(playback.gop_bytes)} kept for those who join
        </dd>
        <dt>Average, peak</dt>
        <dd>
          {bps(usage.bitrate_avg_bps)}, {bps(usage.bitrate_peak_bps)}
        </dd>
        <dt>Taken in</dt>
        <dd>
          {bytes(usage.bytes)} in {count(usage.packets)} packets, {count(usage.frames)} frames,{' '}
          {count(usage.keyframes)} of them key
        </dd>
        <dt>Dropped</dt>
        <dd class={usage.dropped_frames > 0 ? 'much' : ''}>
          {count(usage.dropped_frames)} frames, {bytes(usage.dropped_bytes)}
        </dd>
        <dt>Held back</dt>
        <dd class={usage.throttled_ms > 0 ? 'some' : ''}>
          {usage.throttled_ms === 0 ? 'never' : `${duration(usage.throttled_ms)} in all`},{' '}
          {count(usage.violations)} violations
        </dd>
      </dl>
    </Panel>
  );
}

/** What can be known of the way to the publisher; over TCP little. */
export function TransportPanel({ stream: { transport, protocol } }: { stream: StreamSnapshot }) {
  const facts: [string, string | null | undefined][] = [
    ['Round trip', transport.rtt_ms === null ? null : `${rate(transport.rtt_ms)} ms`],
    ['Loss', transport.loss === null ? null : percent(transport.loss, 2)],
    ['Sent again', known(transport.retransmitted, protocol === 'srt' ? 'packets' : 'segments')],
    ['Missing at their turn', known(transport.lost, 'packets')],
    ['Never came in time', known(transport.dropped, 'packets')],
    [
      'Waiting to be played',
      transport.receive_buffer_ms === undefined ? null : `${transport.receive_buffer_ms} ms`,
    ],
    ['Latency', transport.latency_ms === undefined ? null : `${transport.latency_ms} ms`],
    ['Gaps', known(transport.continuity_errors, 'in the transport stream')],
    ['Encryption', encryption(transport.encryption_bits)],
  ];
  const shown = facts.filter(([, value]) => value !== null);
  return (
    <Panel title="Transport" aside={protocol}>
      {shown.length === 0 ? (
        <p class="soft">The kernel tells nothing of this connection.</p>
      ) : (
        <dl class="facts">
          {shown.flatMap(([name, value]) => [
            <dt key={name}>{name}</dt>,
            <dd key={`${name} is`}>{value}</dd>,
          ])}
        </dl>
      )}
    </Panel>
  );
}

function known(amount: number | null | undefined, unit: string): string | null {
  return amount === null || amount === undefined ? null : `${count(amount)} ${unit}`;
}

function encryption(bits: number | undefined): string | null {
  return bits === undefined ? null : bits === 0 ? 'none' : `AES-${bits}`;
}
