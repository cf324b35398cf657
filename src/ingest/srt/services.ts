import type { Admission } from '../../core/admission/admission.ts';
import type { SrtAddon } from '../../native/srt.ts';
import type { Playback } from '../playback/playback.ts';
import type { DecisionRecorder } from '../ports.ts';
import type { PublishDesk } from '../publish-desk.ts';
import type { StreamRegistry } from '../registry.ts';
import type { DoorSources } from './door.ts';
import type { Codecs, MessageSource } from './feed.ts';
import type { DoorConfig } from './rules.ts';

/** Where the listeners and their passphrases come from: `listen.srt`. */
export interface SrtAddress {
  readonly host: string;
  readonly port: number;
  /** ms that a lost packet has to be sent again */
  readonly latency: number;
  /** null = streams need not be encrypted */
  readonly passphrase: string | null;
}

/** The server's log, as far as SRT writes to it. */
export interface SrtLog {
  debug(fields: Record<string, unknown>, text: string): void;
  info(fields: Record<string, unknown>, text: string): void;
  warn(fields: Record<string, unknown>, text: string): void;
  error(fields: Record<string, unknown>, text: string): void;
}

/** What every SRT connection shares. */
export interface SrtServices extends Pick<DoorSources, 'limitsOf'> {
  /** loads it the first time it is asked for: a server without SRT does without libsrt */
  addon(): SrtAddon;
  /** the tables that the receive threads count into */
  readonly slab: { readonly nodes: Float64Array; readonly streams: Float64Array };
  readonly admission: Admission;
  readonly desk: PublishDesk;
  readonly playback: Playback;
  readonly registry: StreamRegistry;
  readonly decisions: DecisionRecorder;
  readonly log: SrtLog;
  /** see `SrtFeedOptions.demuxer` */
  demuxer(codecs: () => Codecs): MessageSource;
  /** both are read anew each time: a reload changes them */
  door(): DoorConfig;
  listeners(): readonly SrtAddress[];
}
