/** The lines about the selected stream: who it is, what its limits are and where they come from, where to ask why. */

import { heldTo, SQUEEZE_WORDS } from '../../core/held.ts';
import type { StreamSnapshot } from '../../core/stream.ts';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
} from '../../core/words/figures.ts';
import { joinFitting, type Line, type Span, span } from './text.ts';

export function detailLines(stream: StreamSnapshot | undefined, columns: number): Line[] {
  if (stream === undefined) return [];
  return [identity(stream), limits(stream), history(stream)].map((parts) => ({
    spans: joinFitting(parts, columns),
  }));
}

function identity({
  id,
  path,
  client,
  tier,
  ip,
  port,
  media,
  playback,
  transport,
}: StreamSnapshot): Span[][] {
  const size = media.width === null || media.height === null ? '' : ` ${media.width}x${media.height}`;
  const codecs = [media.video_codec === null ? null : media.video_codec + size, media.audio_codec];
  const known = codecs.filter((codec) => codec !== null).join(' + ');
  return [
    [span(path, 'bold'), span(` ${id}`, 'accent')],
    [span(tier === null ? client : `${client} (${tier})`)],
    [span(ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)],
    ...(known === '' ? [] : [[span(known)]]),
    [span(`${formatCount(playback.players)} ${playback.players === 1 ? 'player' : 'players'}`)],
    ...way(transport),
  ];
}

/** The way to an SRT publisher; over TCP nothing is ever missing. */
function way({ rtt_ms, loss, dropped }: StreamSnapshot['transport']): Span[][] {
  if (dropped === undefined) return [];
  const words = `srt rtt ${formatRate(rtt_ms ?? 0)} ms, loss ${formatLoss(loss ?? 0)}`;
  return [[span(words, dropped > 0 ? 'warn' : 'plain')]];
}

function limits(stream: StreamSnapshot): Span[][] {
  const { limits: held, utilization } = stream;
  const parts = [
    limit('max_bitrate', held.max_bitrate_bps, formatBitRate, utilization.bitrate),
    limit('max_fps', held.max_fps, formatRate, utilization.fps),
    limit('max_packets_per_sec', held.max_packets_per_sec, formatRate, utilization.packets),
  ];
  const shown = parts.map(([name, words]) => {
    const source = held.sources[name];
    return [span(words), ...(source === undefined ? [] : [span(` (${source})`, 'dim')])];
  });
  const until = held.override_until === null ? [] : [[span(`until ${held.override_until}`, 'warn')]];
  return [...squeeze(stream), ...shown, ...until, [span(`then ${held.on_exceed}`)]];
}

/** What holds it below its own limits, in front of these. */
function squeeze(stream: StreamSnapshot): Span[][] {
  const { bps, by } = heldTo(stream);
  if (by === null || bps === null) return [];
  return [
    [span(`held to ${formatBitRate(bps)}`, by === 'shed' ? 'bad' : 'warn'), span(`: ${SQUEEZE_WORDS[by]}`)],
  ];
}

function limit(
  name: string,
  value: number | null,
  show: (value: number) => string,
  used: number,
): [name: string, words: string] {
  return [name, value === null ? `${name} none` : `${name} ${show(value)} ${formatPercent(used)}`];
}

function history({ id, usage, state }: StreamSnapshot): Span[][] {
  const asked = usage.violations > 0 || state !== 'live';
  return [
    [span('headgate why '), span(id, asked ? 'warn' : 'dim')],
    [span(`${formatCount(usage.violations)} violations`, usage.violations > 0 ? 'warn' : 'dim')],
    [span(`avg ${formatBitRate(usage.bitrate_avg_bps)}`)],
    [span(`peak ${formatBitRate(usage.bitrate_peak_bps)}`)],
    [span(formatBytes(usage.bytes))],
    [span(`dropped ${formatBytes(usage.dropped_bytes)}`, usage.dropped_bytes > 0 ? 'bad' : 'dim')],
    [span(`held ${formatDuration(usage.throttled_ms)}`, usage.throttled_ms > 0 ? 'warn' : 'dim')],
  ];
}
