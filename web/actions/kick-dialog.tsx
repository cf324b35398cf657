import { useState } from 'preact/hooks';
import type { KickOutcome } from '../../src/http/ports.ts';
import { bps, duration } from '../format.ts';
import { href } from '../router.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Failure } from '../ui/panel.tsx';
import type { StreamActionProps } from './action-dialog.tsx';
import { useOrder } from './use-order.ts';

/** Characters of a reason that the API takes. */
const REASON_CHARS_MAX = 200;

export function KickDialog({ stream, onClose }: StreamActionProps) {
  const [cooldown, setCooldown] = useState('');
  const [reason, setReason] = useState('');
  const { sending, answer, error, barred, send } = useOrder<KickOutcome>(`Kick ${stream.path}`);
  if (answer !== null) return <Kicked outcome={answer} onClose={onClose} />;
  const submit = (event: Event) => {
    event.preventDefault();
    const asked = Object.entries({ cooldown: cooldown.trim(), reason: reason.trim() }).filter(
      ([, text]) => text !== '',
    );
    send(`/api/v1/streams/${encodeURIComponent(stream.id)}?${new URLSearchParams(asked)}`, {
      method: 'DELETE',
    });
  };
  const own = duration(stream.limits.cooldown_ms);
  return (
    <Dialog title={`Kick ${stream.path}?`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          Disconnects the publisher: {stream.client} from {stream.ip} over {stream.protocol}, sending{' '}
          {bps(stream.usage.bitrate_bps)} to {stream.playback.players} players.
        </p>
        <label>
          Cooldown: how long its key and address are refused afterwards
          <input
            name="cooldown"
            placeholder={`${own}, as its limits say`}
            list="cooldowns"
            autocomplete="off"
            value={cooldown}
            onInput={(event) => setCooldown(event.currentTarget.value)}
          />
          <datalist id="cooldowns">
            <option value="0s">may return at once</option>
            <option value="30s" />
            <option value="10m" />
            <option value="1h" />
          </datalist>
        </label>
        <label>
          Reason, for the receipt and the log
          <input
            name="reason"
            maxLength={REASON_CHARS_MAX}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {error === null ? null : <Failure error={error} />}
        {barred === null ? null : <p class="hint">{barred}</p>}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={sending || barred !== null}>
            {sending ? 'Kicking…' : 'Kick'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Kicked({ outcome, onClose }: { outcome: KickOutcome; onClose(): void }) {
  const { stream, receipt, cooldown_ms } = outcome;
  return (
    <Dialog title={`Kicked ${stream.path}`} onClose={onClose}>
      <p>
        {cooldown_ms === 0
          ? 'It may return at once.'
          : `Its key and address are refused for ${duration(cooldown_ms)}.`}{' '}
        Receipt <a href={href('receipts', null, { key: receipt })}>{receipt}</a>.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
