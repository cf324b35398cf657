/** Everything about one stream, in sections. Pure. */

import { heldTo, SQUEEZE_WORDS } from '../../core/held.ts';
import type { StreamSnapshot } from '../../core/stream.ts';
import type { Receipt } from '../../core/verdict.ts';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
} from '../../core/words/figures.ts';
import { bitrateLimit, durationWords, fpsLimit, instant, rateLimit } from '../../core/words/limits.ts';
import type { ClientSnapshot } from '../../http/ports.ts';
import { bar, styleOfUse } from '../top/bar.ts';
import { type Line, pad, type Span, span } from '../top/text.ts';
import { eventLine } from './event-line.ts';
import { stateStyle } from './stream-table.ts';

export interface StreamPage {
  readonly stream: StreamSnapshot;
  /** the client it belongs to, unless it has gone */
  readonly client: ClientSnapshot | null;
  /** its last receipts, newest first */
  readonly receipts: readonly Receipt[];
}

/** Cells of the names in front, of what was measured, and of a bar. */
const NAME_CELLS = 20;
const AMOUNT_CELLS = 26;
const BAR_CELLS = 20;

export function streamPage({ stream, client, receipts }: StreamPage, unicode: boolean): Line[] {
  const { id, path, state } = stream;
  return [
    { spans: [span(path, 'bold'), span(`  ${id}  `), span(state, stateStyle(state))] },
    ...section('Publisher', publisher(stream)),
    ...section('Usage', usage(stream, unicode)),
    ...section('Limits', limits(stream)),
    ...section('Client', client === null ? [] : clientLines(client, unicode)),
    ...section('Media', media(stream)),
    ...section('Last decisions', decisions(receipts)),
  ];
}

function section(title: string, lines: readonly Line[]): Line[] {
  return lines.length === 0 ? [] : [{ spans: [] }, { spans: [span(title, 'bold')] }, ...lines];
}

function row(name: string, ...rest: (string | Span)[]): Line {
  const spans = rest.map((part) => (typeof part === 'string' ? span(part) : part));
  return { spans: [span(`  ${pad(name, NAME_CELLS)}`, 'dim'), ...spans] };
}

function publisher({
  client,
  tier,
  priority,
  ip,
  port,
  protocol,
  started_at,
  uptime_ms,
}: StreamSnapshot): Line[] {
  const place = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
  return [
    row('client', `${client} (${tier === null ? 'no tier' : `tier ${tier}`}, priority ${priority})`),
    row('from', `${place} over ${protocol}`),
    row('up', `${formatDuration(uptime_ms)}, since ${instant(started_at)}`),
  ];
}

/** `2.61 Mbps of 6Mbps  ########------------  44%` */
function gauge(name: string, seen: string, limit: string, fraction: number | null, unicode: boolean): Line {
  if (fraction === null) return row(name, seen);
  return row(
    name,
    `${pad(`${seen} of ${limit}`, AMOUNT_CELLS)}  `,
    span(bar(fraction, BAR_CELLS, unicode), styleOfUse(fraction)),
    ` ${pad(formatPercent(fraction), 5, 'right')}`,
  );
}

function usage({ usage: used, limits: held, utilization }: StreamSnapshot, unicode: boolean): Line[] {
  const of = (limit: number | null, fraction: number): number | null => (limit === null ? null : fraction);
  const { dropped_frames: frames, dropped_bytes: bytes, throttled_ms: throttledMs, violations } = used;
  return [
    gauge(
      'bitrate',
      formatBitRate(used.bitrate_bps),
      bitrateLimit(held.max_bitrate_bps),
      of(held.max_bitrate_bps, utilization.bitrate),
      unicode,
    ),
    gauge(
      'frames',
      `${formatRate(used.fps)} fps`,
      fpsLimit(held.max_fps),
      of(held.max_fps, utilization.fps),
      unicode,
    ),
    gauge(
      'packets',
      `${formatRate(used.packets_per_sec)}/s`,
      rateLimit(held.max_packets_per_sec),
      of(held.max_packets_per_sec, utilization.packets),
      unicode,
    ),
    row('average, peak', `${formatBitRate(used.bitrate_avg_bps)}, ${formatBitRate(used.bitrate_peak_bps)}`),
    row('frames by arrival', `${formatRate(used.wall_fps)} fps`),
    row(
      'taken in',
      `${formatBytes(used.bytes)} in ${formatCount(used.packets)} packets, ${formatCount(used.frames)} frames, ${formatCount(used.keyframes)} of them key`,
    ),
    row(
      'dropped',
      span(`${formatCount(frames)} frames, ${formatBytes(bytes)}`, frames > 0 ? 'bad' : 'plain'),
    ),
    row('held back', span(formatDuration(throttledMs), throttledMs > 0 ? 'warn' : 'plain')),
    row('violations', span(formatCount(violations), violations > 0 ? 'warn' : 'plain')),
  ];
}

function limits(stream: StreamSnapshot): Line[] {
  const { limits: held } = stream;
  const limit = (name: string, value: string): Line => {
    const source = held.sources[name];
    const until =
      source === 'override' && held.override_until !== null ? `, until ${instant(held.override_until)}` : '';
    return row(name, pad(value, 12), span(source === undefined ? '' : `  ${source}${until}`, 'dim'));
  };
  return [
    limit('max_bitrate', bitrateLimit(held.max_bitrate_bps)),
    limit('max_fps', fpsLimit(held.max_fps)),
    limit('max_packets_per_sec', rateLimit(held.max_packets_per_sec)),
    limit('on_exceed', held.on_exceed),
    limit('grace', durationWords(held.grace_ms)),
    limit('cooldown', durationWords(held.cooldown_ms)),
    share(stream),
  ];
}

/** What holds it below these for the time being. */
function share(stream: StreamSnapshot): Line {
  const { bps, by } = heldTo(stream);
  if (by === null || bps === null) return row('share', span('all that its limits allow', 'dim'));
  const style = by === 'shed' ? 'bad' : 'warn';
  return row('share', span(pad(bitrateLimit(bps), 12), style), span(`  ${by}: ${SQUEEZE_WORDS[by]}`));
}

function clientLines(
  { id, streams, bitrate_bps, limits: held, utilization }: ClientSnapshot,
  unicode: boolean,
): Line[] {
  const { max_streams: most, max_bandwidth_bps: bandwidth } = held;
  return [
    row('id', id),
    gauge('streams', String(streams), String(most), most === null ? null : utilization.streams, unicode),
    gauge(
      'bandwidth',
      formatBitRate(bitrate_bps),
      bitrateLimit(bandwidth),
      bandwidth === null ? null : utilization.bandwidth,
      unicode,
    ),
  ];
}

function media({ media: codecs, playback, transport }: StreamSnapshot): Line[] {
  const size = codecs.width === null || codecs.height === null ? '' : ` ${codecs.width}x${codecs.height}`;
  const lines = [
    row('video', codecs.video_codec === null ? 'none yet' : `${codecs.video_codec}${size}`),
    row('audio', codecs.audio_codec ?? 'none yet'),
    row(
      'players',
      `${formatCount(playback.players)}, with ${formatBytes(playback.gop_bytes)} kept for those who join`,
    ),
  ];
  if (transport.rtt_ms !== null) lines.push(row('round trip', `${formatRate(transport.rtt_ms)} ms`));
  if (transport.loss !== null) lines.push(row('loss', ...loss(transport)));
  return [...lines, ...srtLines(transport)];
}

function loss({
  loss: fraction,
  lost,
  retransmitted,
  dropped,
}: StreamSnapshot['transport']): (string | Span)[] {
  const share = formatLoss(fraction ?? 0);
  if (lost === undefined || dropped === undefined) return [share];
  const counts = `: ${formatCount(lost)} packets, ${formatCount(retransmitted ?? 0)} came again, `;
  return [share, counts, span(`${formatCount(dropped)} never in time`, dropped > 0 ? 'bad' : 'plain')];
}

/** What only SRT knows. */
function srtLines(transport: StreamSnapshot['transport']): Line[] {
  const { latency_ms, receive_buffer_ms, continuity_errors, encryption_bits } = transport;
  const lines: Line[] = [];
  if (latency_ms !== undefined) {
    const held =
      receive_buffer_ms === undefined ? '' : `, ${formatCount(receive_buffer_ms)} ms of media waiting`;
    lines.push(row('latency', `${formatCount(latency_ms)} ms${held}`));
  }
  if (continuity_errors !== undefined) {
    const style = continuity_errors > 0 ? 'warn' : 'plain';
    lines.push(row('gaps', span(`${formatCount(continuity_errors)} in the transport stream`, style)));
  }
  if (encryption_bits !== undefined) {
    lines.push(row('encryption', encryption_bits === 0 ? 'none' : `AES-${encryption_bits}`));
  }
  return lines;
}

function decisions(receipts: readonly Receipt[]): Line[] {
  if (receipts.length === 0) return [{ spans: [span('  none: nothing was refused, slowed or cut', 'dim')] }];
  return receipts.map((receipt) => ({
    spans: [span('  '), ...eventLine({ kind: 'receipt', receipt }).spans],
  }));
}
