import { SRT_STATS } from '../../native/srt.ts';
import type { TransportFigures } from '../ports.ts';

/** Counts of one SRT connection, or of many. */
export interface SrtCounts {
  /** packets received, none twice */
  received: number;
  /** packets found missing, most of which came when sent again */
  lost: number;
  /** packets that came again */
  retransmitted: number;
  /** packets that did not come in time, or could not be decrypted */
  dropped: number;
  /** jumps of the transport stream's continuity counters */
  continuityErrors: number;
}

export function noCounts(): SrtCounts {
  return { received: 0, lost: 0, retransmitted: 0, dropped: 0, continuityErrors: 0 };
}

/** Adds the counts that are in a view of SRT_STATS. */
export function addCounts(sum: SrtCounts, stats: Float64Array): void {
  sum.received += counted(stats, SRT_STATS.RECEIVED);
  sum.lost += counted(stats, SRT_STATS.LOST);
  sum.retransmitted += counted(stats, SRT_STATS.RETRANSMITTED);
  sum.dropped += counted(stats, SRT_STATS.DROPPED) + counted(stats, SRT_STATS.UNDECRYPTED);
  sum.continuityErrors += counted(stats, SRT_STATS.CONTINUITY_ERRORS);
}

/** What the API says of the way to a publisher. */
export function transportOf(stats: Float64Array): TransportFigures {
  const counts = noCounts();
  addCounts(counts, stats);
  const sent = counts.received + counts.dropped;
  return {
    rtt_ms: Math.round(counted(stats, SRT_STATS.RTT_MS) * 100) / 100,
    loss: sent === 0 ? 0 : Math.round(Math.min(1, counts.lost / sent) * 1e6) / 1e6,
    retransmitted: counts.retransmitted,
    lost: counts.lost,
    dropped: counts.dropped,
    receive_buffer_ms: Math.round(counted(stats, SRT_STATS.BUFFER_MS)),
    latency_ms: counted(stats, SRT_STATS.LATENCY_MS),
    continuity_errors: counts.continuityErrors,
    encryption_bits: counted(stats, SRT_STATS.KEY_BYTES) * 8,
  };
}

/** A peer can drive libsrt's loss counters below zero. */
function counted(stats: Float64Array, place: number): number {
  return Math.max(0, stats[place] as number);
}
