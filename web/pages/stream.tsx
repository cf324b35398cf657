import { useEffect, useRef, useState } from 'preact/hooks';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { ActionDialog, type ActionName } from '../actions/action-dialog.tsx';
import { VIEWER_WORDS } from '../actions/use-order.ts';
import type { PageProps } from '../app.tsx';
import { useLive } from '../live/live.ts';
import { useRole } from '../live/role.ts';
import { useAsk } from '../live/use-ask.ts';
import { go } from '../router.ts';
import { EndedNotice } from '../streams/ended-notice.tsx';
import { endingOf } from '../streams/ending.ts';
import { leftBehind } from '../streams/left-behind.ts';
import { BitratePanel, SmallCharts } from '../streams/stream-charts.tsx';
import { LimitsPanel, PublisherPanel, TransportPanel } from '../streams/stream-facts.tsx';
import { ReceiptsPanel, useReceipts } from '../streams/stream-receipts.tsx';
import { useCourse } from '../streams/use-course.ts';
import { STATE_TONES, STATE_WORDS } from '../streams/words.ts';
import { Badge } from '../ui/badge.tsx';
import { EmptyState } from '../ui/panel.tsx';

/** Between two questions for a stream that is not in the snapshots, ms. */
const ASK_EVERY_MS = 2_000;

export function StreamPage({ route }: PageProps) {
  const id = route.id ?? '';
  const { stream, settled } = useStream(id);
  const last = useRef<StreamSnapshot | null>(null);
  if (stream !== null) last.current = stream;
  const course = useCourse(id, stream);
  const receipts = useReceipts(id);
  const path = stream?.path ?? last.current?.path ?? course.history?.path ?? receipts[0]?.path ?? null;
  const successor = useLive(
    (live) => live.streams.find((other) => other.path === path && other.id !== id) ?? null,
  );
  const ended = stream === null && settled;
  const known = course.history !== null || last.current !== null || receipts.length > 0;
  const drawn = course.times.length > 0;
  const acting = useActing(stream);
  if (stream === null && !ended) return <EmptyState title="Waiting for the first reading" />;
  return (
    <div class="stream-page">
      <div class="page-head">
        <a href={leftBehind.address} aria-label="Back to all streams" title="Back to all streams (Esc)">
          ←
        </a>
        <h1>{path ?? id}</h1>
        {stream === null ? <Badge tone="idle">ended</Badge> : <State stream={stream} />}
        <span class="soft mono">{id}</span>
        {stream === null ? null : <Actions onAct={acting.act} />}
      </div>
      {ended ? (
        <EndedNotice
          ending={endingOf(id, receipts, course.history?.ended_at ?? null)}
          known={known}
          successor={successor}
        />
      ) : null}
      <div class="grid stream-grid">
        {drawn ? <BitratePanel course={course} /> : null}
        {stream === null ? null : (
          <>
            <LimitsPanel stream={stream} />
            <PublisherPanel stream={stream} />
            <TransportPanel stream={stream} />
          </>
        )}
        {known ? <ReceiptsPanel id={id} receipts={receipts} /> : null}
        {drawn ? <SmallCharts course={course} stream={stream ?? last.current} /> : null}
      </div>
      {acting.dialog}
    </div>
  );
}

/** From the snapshots, or by itself where there are more streams than those tell. `settled`: a null is an answer. */
function useStream(id: string): { stream: StreamSnapshot | null; settled: boolean } {
  const told = useLive((live) => live.streams.find((stream) => stream.id === id) ?? null);
  const begun = useLive((live) => live.totals !== null);
  const omitted = useLive((live) => live.omitted > 0);
  const single = begun && omitted && told === null;
  const { answer, error } = useAsk<StreamSnapshot>(
    single ? `/api/v1/streams/${encodeURIComponent(id)}` : null,
    ASK_EVERY_MS,
  );
  if (told !== null) return { stream: told, settled: true };
  if (!single) return { stream: null, settled: begun };
  const gone = error?.status === 404;
  return { stream: gone ? null : answer, settled: gone };
}

function State({ stream: { state, share } }: { stream: StreamSnapshot }) {
  return (
    <>
      <Badge tone={STATE_TONES[state]} title={STATE_WORDS[state]}>
        {state}
      </Badge>
      <span class="soft">
        {STATE_WORDS[state]}
        {share.by === null ? '' : `, squeezed by ${share.by}`}
      </span>
    </>
  );
}

function Actions({ onAct }: { onAct(action: ActionName): void }) {
  const viewer = useRole() === 'viewer';
  const title = viewer ? { title: VIEWER_WORDS } : {};
  return (
    <div class="end">
      {viewer ? <span class="hint">{VIEWER_WORDS}</span> : null}
      <button type="button" disabled={viewer} onClick={() => onAct('limit')} {...title}>
        Limit…
      </button>
      <button type="button" class="danger" disabled={viewer} onClick={() => onAct('kick')} {...title}>
        Kick…
      </button>
    </div>
  );
}

/** The open dialog, and the keys: k kicks, l limits, Escape goes back. A dialog shows the stream it was opened for. */
function useActing(stream: StreamSnapshot | null) {
  const [open, setOpen] = useState<{ action: ActionName; stream: StreamSnapshot } | null>(null);
  const act = (action: ActionName) => {
    if (stream !== null) setOpen({ action, stream });
  };
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onKey = ({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent) => {
      const busy =
        document.querySelector('dialog[open]') !== null ||
        (target as Element).closest('input, select') !== null;
      if (busy || ctrlKey || metaKey || altKey) return;
      if (key === 'k') latest.current('kick');
      else if (key === 'l') latest.current('limit');
      else if (key === 'Escape') go(leftBehind.address);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return { act, dialog: open === null ? null : <ActionDialog {...open} onClose={() => setOpen(null)} /> };
}
