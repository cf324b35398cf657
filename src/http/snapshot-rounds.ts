/**
 * When snapshots go out. Subscribers with one interval are served in one round, so that a snapshot is built and
 * serialised once for all of them, however many look.
 */

/** One subscriber, as a round sees him. */
export interface SnapshotReader {
  /** false: something still waits for him, and he is passed over this time */
  ready(): boolean;
  receive(frame: Buffer): void;
}

interface Round {
  readonly readers: Set<SnapshotReader>;
  readonly timer: ReturnType<typeof setInterval>;
  building: boolean;
}

export class SnapshotRounds {
  readonly #frame: () => Promise<Buffer>;
  /** by interval, ms */
  readonly #rounds = new Map<number, Round>();

  /** `frame` builds what is sent, or gives what was built just now. */
  constructor(frame: () => Promise<Buffer>) {
    this.#frame = frame;
  }

  /** A snapshot at once, then one in every round; answers the way to leave. */
  join(reader: SnapshotReader, intervalMs: number): () => void {
    const round = this.#rounds.get(intervalMs) ?? this.#open(intervalMs);
    round.readers.add(reader);
    void this.#serve(round, [reader]);
    return () => {
      if (!round.readers.delete(reader) || round.readers.size > 0) return;
      clearInterval(round.timer);
      this.#rounds.delete(intervalMs);
    };
  }

  #open(intervalMs: number): Round {
    const round: Round = {
      readers: new Set(),
      building: false,
      timer: setInterval(() => {
        // A round that takes longer than its interval is not helped by another one.
        if (!round.building) void this.#run(round);
      }, intervalMs),
    };
    this.#rounds.set(intervalMs, round);
    return round;
  }

  async #run(round: Round): Promise<void> {
    round.building = true;
    try {
      await this.#serve(round, [...round.readers]);
    } finally {
      round.building = false;
    }
  }

  async #serve(round: Round, readers: readonly SnapshotReader[]): Promise<void> {
    const waiting = readers.filter((reader) => reader.ready());
    if (waiting.length === 0) return;
    const frame = await this.#frame();
    for (const reader of waiting) if (round.readers.has(reader)) reader.receive(frame);
  }
}
