/**
 * What `headgate top` is shown: one moment of one node, put together by the
 * command from the admin API, and the screen it is shown on.
 */
import type { StreamSnapshot, StreamTotals } from '../../core/stream.ts';
import type { ResourcesSnapshot } from '../../http/ports.ts';

/** How the machine fares and what is done about it. */
export type Machine = Pick<
  ResourcesSnapshot,
  'gate' | 'resources' | 'reservations' | 'adaptive' | 'shares' | 'shedding' | 'steps'
>;

export interface TopMoment {
  readonly node: { readonly id: string; readonly version: string; readonly uptimeMs: number };
  readonly ready: boolean;
  /** why newcomers are not let in; empty when ready */
  readonly reasons: readonly string[];
  readonly machine: Machine;
  /** one line about the last reload that failed, or null */
  readonly configError: string | null;
  readonly totals: StreamTotals;
  /** denials since the server started, by reason; null when they could not be learnt */
  readonly denied: Readonly<Record<string, number>> | null;
  readonly streams: readonly StreamSnapshot[];
  /** why this moment is an old one: the server stopped answering; null when fresh */
  readonly problem: string | null;
}

export interface Screen {
  readonly columns: number;
  /** Infinity: as many lines as there are */
  readonly rows: number;
  readonly colour: boolean;
  /** false: only ASCII is drawn, for terminals and locales without UTF-8 */
  readonly unicode: boolean;
}
