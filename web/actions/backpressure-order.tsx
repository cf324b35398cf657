import { useState } from 'preact/hooks';
import type { BackpressureMode, BackpressureSnapshot } from '../../src/http/ports.ts';
import { clock, count } from '../format.ts';
import { useLive } from '../live/live.ts';
import { useRole } from '../live/role.ts';
import { href } from '../router.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Failure } from '../ui/panel.tsx';
import { useOrder, VIEWER_WORDS } from './use-order.ts';

const MODES: Readonly<Record<BackpressureMode, string>> = {
  auto: 'auto: shed by how the machine fares',
  off: 'off: never shed',
  shed: 'shed: cut and refuse what is below a priority',
};

function isMode(text: string): text is BackpressureMode {
  return Object.hasOwn(MODES, text);
}

/** What is ordered now, and the button that orders something else. */
export function BackpressureOrder() {
  const [open, setOpen] = useState(false);
  const order = useLive((live) => live.node?.resources.shedding.order ?? null);
  const viewer = useRole() === 'viewer';
  return (
    <>
      {order === null ? 'automatic' : wordsOf(order.mode, order.below_priority, order.until)}{' '}
      <button
        type="button"
        disabled={viewer}
        {...(viewer ? { title: VIEWER_WORDS } : {})}
        onClick={() => setOpen(true)}
      >
        Order…
      </button>
      {open ? <OrderDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function wordsOf(mode: BackpressureMode, below: number | null, until: string | null): string {
  if (mode === 'auto') return 'automatic';
  const what = mode === 'off' ? 'ordered off' : `ordered to shed below priority ${below}`;
  return until === null ? what : `${what} until ${clock(until)}`;
}

function OrderDialog({ onClose }: { onClose(): void }) {
  const [mode, setMode] = useState<BackpressureMode>('auto');
  const [below, setBelow] = useState('');
  const [period, setPeriod] = useState('10m');
  const { sending, answer, error, barred, send } = useOrder<BackpressureSnapshot>('Order backpressure');
  if (answer !== null) return <Ordered now={answer} onClose={onClose} />;
  const submit = (event: Event) => {
    event.preventDefault();
    const body = {
      mode,
      ...(mode === 'shed' && below !== '' ? { below_priority: Number(below) } : {}),
      ...(mode !== 'auto' && period.trim() !== '' ? { for: period.trim() } : {}),
    };
    send('/api/v1/backpressure', { method: 'PUT', body });
  };
  return (
    <Dialog title="Order backpressure" onClose={onClose}>
      <form onSubmit={submit}>
        <label>
          Who suffers when the machine runs short
          <select
            name="mode"
            value={mode}
            onChange={({ currentTarget: { value } }) => setMode(isMode(value) ? value : 'auto')}
          >
            {Object.entries(MODES).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {mode === 'shed' ? <Below value={below} onInput={setBelow} /> : null}
        {mode === 'auto' ? null : (
          <label>
            For; then it is automatic again
            <input
              name="for"
              placeholder="until the next order"
              autocomplete="off"
              value={period}
              onInput={(event) => setPeriod(event.currentTarget.value)}
            />
          </label>
        )}
        {error === null ? null : <Failure error={error} />}
        {barred === null ? null : <p class="hint">{barred}</p>}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={mode === 'shed' ? 'danger' : 'primary'}
            disabled={sending || barred !== null}
          >
            {sending ? 'Ordering…' : 'Order'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The priority, and whom it would cost his stream. */
function Below({ value, onInput }: { value: string; onInput(text: string): void }) {
  const streams = useLive((live) => live.streams);
  const cut = streams.filter(({ priority }) => value !== '' && priority < Number(value)).length;
  return (
    <label>
      Below priority, 1 to 100
      <input
        name="below_priority"
        type="number"
        min={1}
        max={100}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <span class="hint">
        Cuts {count(cut)} of {count(streams.length)} live streams now, and refuses their like.
      </span>
    </label>
  );
}

function Ordered({ now, onClose }: { now: BackpressureSnapshot; onClose(): void }) {
  return (
    <Dialog title="Backpressure is ordered" onClose={onClose}>
      <p>
        In force: {wordsOf(now.mode, now.below_priority, now.until)}. Written down among the{' '}
        <a href={href('events')}>events</a>.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
