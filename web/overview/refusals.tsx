import { REASONS, type Reason } from '../../src/core/reasons.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import { REASON_WORDS } from '../../src/core/words/reasons.ts';
import { storyOf } from '../../src/core/words/receipt.ts';
import { count } from '../format.ts';
import { ACTIONS } from '../receipts/actions.ts';
import { href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Bar } from '../ui/bar.tsx';
import { Moment } from '../ui/moment.tsx';
import { EmptyState, Panel } from '../ui/panel.tsx';

type Counts = Readonly<Partial<Record<Reason, number>>>;

/** Reasons shown: the rest are in the metrics. */
const REASONS_SHOWN = 6;

/** Refusals by reason: those of late, and all since the start. Most of late first. */
export function Refusals({ lately, all }: { readonly lately: Counts; readonly all: Counts }) {
  const rows = REASONS.filter((reason) => (all[reason] ?? 0) > 0)
    .map((reason) => ({ reason, lately: lately[reason] ?? 0, all: all[reason] ?? 0 }))
    .sort((a, b) => b.lately - a.lately || b.all - a.all)
    .slice(0, REASONS_SHOWN);
  const most = Math.max(1, ...rows.map((row) => row.lately));
  return (
    <Panel title="Refused, by reason" class="refusals flush">
      {rows.length === 0 ? (
        <EmptyState title="Nobody was refused">Since this server started.</EmptyState>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Reason</th>
              <th class="num">5 min</th>
              <th class="meter">
                <span class="soft">share</span>
              </th>
              <th class="num">Since start</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ reason, lately: times, all: sum }) => (
              <tr key={reason}>
                <td>
                  <a
                    class="mono"
                    href={href('receipts', null, { reason })}
                    title={REASON_WORDS[reason].advice}
                  >
                    {reason}
                  </a>
                </td>
                <td class="num">{count(times)}</td>
                <td class="meter">
                  <Bar value={times / most} label={reason} text={`${times}`} plain />
                </td>
                <td class="num soft">{count(sum)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

/** The newest decisions against publishers, told in a sentence each. */
export function LastReceipts({ receipts }: { readonly receipts: readonly Receipt[] }) {
  return (
    <Panel title="Last receipts" class="latest flush" aside={<a href={href('receipts')}>All receipts</a>}>
      {receipts.length === 0 ? (
        <EmptyState title="No receipts">
          Nobody was refused, slowed down or cut since this server started.
        </EmptyState>
      ) : (
        <table>
          <tbody>
            {receipts.map((receipt) => (
              <ReceiptRow key={receipt.id} receipt={receipt} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function ReceiptRow({ receipt }: { readonly receipt: Receipt }) {
  const { who, told, because } = storyOf(receipt);
  const { tone, word } = ACTIONS[receipt.action];
  return (
    <tr>
      <td class="when soft">
        <Moment at={receipt.last_at} />
      </td>
      <td>
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td class="story">
        {who} {told} because {because}.{receipt.count > 1 ? ` ${count(receipt.count)} times.` : ''}
      </td>
      <td class="num">
        <a class="mono" href={href('receipts', null, { key: receipt.id })}>
          {receipt.id}
        </a>
      </td>
    </tr>
  );
}
