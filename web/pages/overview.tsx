import type { Receipt } from '../../src/core/verdict.ts';
import type { AuditEvent, OperatorAction } from '../../src/telemetry/events.ts';
import type { NodeHistory } from '../../src/telemetry/history/node.ts';
import { deniedMarks, NODE_COLUMNS, nodeSamples, useLive } from '../live/live.ts';
import { useStale } from '../live/stale.ts';
import { useAsk } from '../live/use-ask.ts';
import { courseOf, refusedWithin } from '../overview/course.ts';
import { Figures } from '../overview/figures.tsx';
import { findingsOf } from '../overview/findings.ts';
import { Machine, Measures } from '../overview/machine.tsx';
import { Pressing } from '../overview/pressing.tsx';
import { LastReceipts, Refusals } from '../overview/refusals.tsx';
import { Verdict } from '../overview/verdict.tsx';
import { EmptyState, Failure } from '../ui/panel.tsx';

/** ms between two looks at what the server remembers: it fills the gaps of a tab that was hidden. */
const HISTORY_EVERY_MS = 10_000;

/** ms of what is called lately, and of what is told as a finding. */
const LATELY_MS = 300_000;
const MINUTE_MS = 60_000;

/** Receipts shown: more are on their own page. */
const RECEIPTS_SHOWN = 6;

const LAST_ORDER = '/api/v1/audit?action=backpressure&limit=1';

/** Is everything all right, and if not, what, since when, why, and what to do. */
export function OverviewPage() {
  const node = useLive((live) => live.node);
  const streams = useLive((live) => live.streams);
  const fresh = useLive((live) => live.receipts);
  const actions = useLive((live) => live.actions);
  const stale = useStale();
  const { answer: history, error } = useAsk<NodeHistory>('/api/v1/history', HISTORY_EVERY_MS);
  const asked = useAsk<{ receipts: Receipt[] }>(`/api/v1/receipts?limit=${RECEIPTS_SHOWN}`, HISTORY_EVERY_MS);
  const ordered = (node?.resources.shedding.order ?? null) !== null;
  const { answer: orders } = useAsk<{ events: AuditEvent[] }>(ordered ? LAST_ORDER : null, HISTORY_EVERY_MS);
  if (node === null) {
    if (error !== null && error.status !== 401) return <Failure error={error} />;
    return <EmptyState title="Waiting for the first figures" />;
  }
  const course = courseOf(history, nodeSamples, NODE_COLUMNS);
  const refused = refusedWithin(history, deniedMarks, MINUTE_MS);
  const sum = Object.values(refused).reduce((all, times) => all + times, 0);
  return (
    <div class="overview">
      <Verdict
        findings={findingsOf({ node, streams, refused, orderedBy: giverOf(actions, orders?.events ?? []) })}
        stale={stale}
      />
      <Figures node={node} course={course} refused={sum} />
      <Machine resources={node.resources} />
      <Measures resources={node.resources} />
      <Pressing streams={streams} />
      <Refusals lately={refusedWithin(history, deniedMarks, LATELY_MS)} all={node.denied} />
      <LastReceipts receipts={newest(fresh, asked.answer?.receipts ?? [])} />
    </div>
  );
}

/** Who gave the last order to shed or not to: what came live goes before what was asked for. */
function giverOf(live: readonly OperatorAction[], asked: readonly AuditEvent[]): string | null {
  const fresh = live.find(({ action }) => action === 'backpressure');
  const [last] = asked;
  const known = last?.kind === 'audit' ? last.action : null;
  if (fresh === undefined) return known?.by ?? null;
  return known !== null && known.at > fresh.at ? known.by : fresh.by;
}

/** What came live goes before what was asked for, once each; the newest first. */
function newest(fresh: readonly Receipt[], asked: readonly Receipt[]): readonly Receipt[] {
  const known = new Set(asked.map(({ id }) => id));
  return [...fresh.filter(({ id }) => !known.has(id)), ...asked]
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, RECEIPTS_SHOWN);
}
