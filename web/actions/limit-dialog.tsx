import { useState } from 'preact/hooks';
import { ON_EXCEED } from '../../src/core/limits.ts';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { clock } from '../format.ts';
import { href } from '../router.ts';
import { usesOf } from '../streams/use.ts';
import { KIND_WORDS, limitText, useText } from '../streams/words.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Failure } from '../ui/panel.tsx';
import type { StreamActionProps } from './action-dialog.tsx';
import {
  CLEAR_ALL,
  changeOf,
  EMPTY_DRAFT,
  isOnExceed,
  type LimitDraft,
  ON_EXCEED_WORDS,
} from './limit-draft.ts';
import { useOrder } from './use-order.ts';

/** Fields that are typed, with an example of each. */
const FIELDS = [
  ['max_bitrate', 'Bitrate', '4Mbps'],
  ['max_fps', 'Frames', '30fps'],
  ['max_packets_per_sec', 'Packets', '500/s'],
] as const;

export function LimitDialog({ stream, onClose }: StreamActionProps) {
  const [draft, setDraft] = useState<LimitDraft>(EMPTY_DRAFT);
  const { sending, answer, error, barred, send } = useOrder<StreamSnapshot>(`Limit ${stream.path}`);
  if (answer !== null) return <Limited stream={answer} onClose={onClose} />;
  const path = `/api/v1/streams/${encodeURIComponent(stream.id)}/limits`;
  const body = changeOf(draft);
  const disabled = sending || barred !== null;
  const set = (name: keyof LimitDraft) => (event: { currentTarget: HTMLInputElement }) =>
    setDraft({ ...draft, [name]: event.currentTarget.value });
  return (
    <Dialog title={`Limit ${stream.path} for a while`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (body !== null) send(path, { method: 'PATCH', body });
        }}
      >
        <p class="hint">
          Now {useText(usesOf(stream)[0])}. What is left empty stays as it is; `unlimited` lifts a limit.
        </p>
        <div class="fields">
          {FIELDS.map(([name, label, example]) => (
            <label key={name}>
              {label}
              <input
                name={name}
                placeholder={example}
                autocomplete="off"
                spellcheck={false}
                value={draft[name]}
                onInput={set(name)}
              />
            </label>
          ))}
          <label>
            For
            <input
              name="for"
              placeholder="until it ends"
              list="periods"
              autocomplete="off"
              value={draft.for}
              onInput={set('for')}
            />
            <datalist id="periods">
              <option value="10m" />
              <option value="1h" />
              <option value="8h" />
            </datalist>
          </label>
        </div>
        <OnExceed draft={draft} onChange={setDraft} now={stream.limits.on_exceed} />
        {error === null ? null : <Failure error={error} />}
        {barred === null ? null : <p class="hint">{barred}</p>}
        <div class="buttons">
          {isOverridden(stream) ? (
            <button
              type="button"
              class="start"
              disabled={disabled}
              onClick={() => send(path, { method: 'PATCH', body: CLEAR_ALL })}
            >
              Take back
            </button>
          ) : null}
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={disabled || body === null}>
            {sending ? 'Setting…' : 'Set limit'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface OnExceedProps {
  readonly draft: LimitDraft;
  readonly now: string;
  onChange(draft: LimitDraft): void;
}

function OnExceed({ draft, now, onChange }: OnExceedProps) {
  return (
    <label>
      When it is exceeded
      <select
        name="on_exceed"
        value={draft.on_exceed}
        onChange={({ currentTarget: { value } }) =>
          onChange({ ...draft, on_exceed: isOnExceed(value) ? value : '' })
        }
      >
        <option value="">as it is: {now}</option>
        {ON_EXCEED.map((mode) => (
          <option key={mode} value={mode}>
            {mode}: {ON_EXCEED_WORDS[mode]}
          </option>
        ))}
      </select>
    </label>
  );
}

function isOverridden({ limits }: StreamSnapshot): boolean {
  return Object.values(limits.sources).includes('override');
}

function Limited({ stream, onClose }: StreamActionProps) {
  const until = stream.limits.override_until;
  const overridden = isOverridden(stream);
  return (
    <Dialog
      title={overridden ? `Limited ${stream.path}` : `${stream.path} is under its config again`}
      onClose={onClose}
    >
      <p>
        {usesOf(stream)
          .map(({ kind, source }, i) => {
            const own = [
              stream.limits.max_bitrate_bps,
              stream.limits.max_fps,
              stream.limits.max_packets_per_sec,
            ][i]!;
            return `${KIND_WORDS[kind]} ${limitText(kind, own)}${source === 'override' ? ' (temporary)' : ''}`;
          })
          .join(', ')}
        ; {stream.limits.on_exceed}.{' '}
        {overridden
          ? until === null
            ? 'It holds until the stream ends.'
            : `It holds until ${clock(until)}.`
          : ''}
      </p>
      <p class="hint">
        Written down among the <a href={href('events')}>events</a>.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
