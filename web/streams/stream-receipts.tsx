import type { Receipt } from '../../src/core/verdict.ts';
import { useLive } from '../live/live.ts';
import { useAsk } from '../live/use-ask.ts';
import { href } from '../router.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Moment } from '../ui/moment.tsx';
import { EmptyState, Panel } from '../ui/panel.tsx';

/** Between two askings, ms: what is new comes with the feed, this only mends counts and what the feed missed. */
const ASK_EVERY_MS = 10_000;

const ACTION_TONES: Readonly<Record<Receipt['action'], Tone>> = {
  refuse: 'bad',
  throttle: 'warn',
  drop: 'bad',
  cut: 'bad',
  observe: 'info',
};

/** The receipts of one stream, newest first. */
export function useReceipts(id: string): readonly Receipt[] {
  const { answer } = useAsk<{ receipts: Receipt[] }>(
    `/api/v1/receipts?${new URLSearchParams({ key: id, limit: '50' })}`,
    ASK_EVERY_MS,
  );
  const told = useLive((live) => live.receipts);
  const asked = answer?.receipts ?? [];
  const known = new Set(asked.map((receipt) => receipt.id));
  return [...told.filter((receipt) => receipt.stream === id && !known.has(receipt.id)), ...asked];
}

export function ReceiptsPanel({ id, receipts }: { id: string; receipts: readonly Receipt[] }) {
  const all = <a href={href('receipts', null, { key: id })}>all</a>;
  return (
    <Panel title="Receipts of this stream" class="wide flush" aside={receipts.length === 0 ? undefined : all}>
      {receipts.length === 0 ? (
        <EmptyState title="None">Nothing of this stream was slowed, dropped or cut.</EmptyState>
      ) : (
        <table class="stream-receipts">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {receipts.map((receipt) => (
              <tr key={receipt.id}>
                <td>
                  <Moment at={receipt.at} />
                  <a class="mono" href={href('receipts', null, { key: receipt.id })}>
                    {receipt.id}
                  </a>
                </td>
                <td>
                  <Badge tone={ACTION_TONES[receipt.action]}>{receipt.action}</Badge>
                </td>
                <td class="why">
                  <span class="mono">{receipt.reason}</span> <span class="soft">{receipt.detail}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
