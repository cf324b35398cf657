import type { Squeezer, StreamSnapshot } from './stream.ts';

/** What a stream may send now, and what keeps it there, as every view shows it. */
export interface Held {
  /** bits/s; null = unlimited */
  readonly bps: number | null;
  /** null: its own limit */
  readonly by: Squeezer | null;
  /** fraction of that in use, 0 when unlimited */
  readonly used: number;
}

/** A ceiling that lies above the limit holds nobody. */
export function heldTo({ limits, share, usage, utilization }: StreamSnapshot): Held {
  const { max_bitrate_bps: own } = limits;
  const { ceiling_bps: ceiling, by } = share;
  if (ceiling === null || by === null || (own !== null && own <= ceiling)) {
    return { bps: own, by: null, used: utilization.bitrate };
  }
  // Held at nothing, whatever comes is too much.
  const used = ceiling > 0 ? usage.bitrate_bps / ceiling : usage.bitrate_bps > 0 ? 1 : 0;
  return { bps: ceiling, by, used };
}

/** Why, for people. */
export const SQUEEZE_WORDS: Readonly<Record<Squeezer, string>> = {
  global: "its fair share of the server's bandwidth",
  client: "its fair share of its client's bandwidth",
  shed: 'lowered to keep the server alive',
};
