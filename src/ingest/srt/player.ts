import type { ConnectionLease } from '../../core/admission/admission.ts';
import type { TsPlayer } from '../playback/playback.ts';
import { srtOutput } from './player-output.ts';
import type { SrtOrigin, SrtSide } from './publisher.ts';
import type { SrtServices } from './services.ts';

/** One player over SRT (`m=request`): a connection that counts like any other, and a seat at a stream. */
export class SrtPlayer {
  readonly #lease: ConnectionLease;
  #player: TsPlayer | null;

  private constructor(lease: ConnectionLease, player: TsPlayer) {
    this.#lease = lease;
    this.#player = player;
  }

  /** Null when the stream is not there, or does not come as MPEG-TS, or all places are taken; nothing is held then. */
  static seat(
    services: SrtServices,
    side: SrtSide,
    origin: SrtOrigin,
    lease: ConnectionLease,
  ): SrtPlayer | null {
    const path = `/${origin.app}/${origin.name}`;
    // What ends it closes the connection, and that it is closed comes back as an event.
    const player = services.playback.playTs(path, srtOutput(side, origin.id), () => side.close(origin.id));
    return player === null ? null : new SrtPlayer(lease, player);
  }

  closed(now: number): void {
    this.#player?.end();
    this.#player = null;
    this.#lease.release(now);
  }
}
