import type { TsOutput } from '../playback/playback.ts';

/** What an SRT player needs of the listener it came to: `NativeSrtListener`. */
export interface SrtSender {
  /** False: not a byte of it was taken. */
  send(id: number, payload: Uint8Array): boolean;
  close(id: number): void;
}

/**
 * A player's SRT connection as output. libsrt queues what is sent up to its
 * send buffer, and gives up what gets too old; nothing waits here.
 */
export function srtOutput(sender: SrtSender, id: number): TsOutput {
  return {
    protocol: 'srt',
    write: (packets) => sender.send(id, packets),
    queuedBytes: () => 0,
    finish: () => sender.close(id),
    destroy: () => sender.close(id),
  };
}
