import type { StreamSnapshot } from '../../src/core/stream.ts';
import { href } from '../router.ts';
import { bindingUse, mostUsed } from '../streams/use.ts';
import { UseMeter } from '../streams/use-meter.tsx';
import { KIND_WORDS, STATE_TONES, STATE_WORDS } from '../streams/words.ts';
import { Badge } from '../ui/badge.tsx';
import { EmptyState, Panel } from '../ui/panel.tsx';

/** Streams shown: more are on the page of streams, sorted the same. */
const SHOWN = 5;

/** The streams that are nearest to one of their limits, or beyond it. */
export function Pressing({ streams }: { readonly streams: readonly StreamSnapshot[] }) {
  const nearest = mostPressing(streams);
  return (
    <Panel
      title="Streams that press hardest"
      class="pressing flush"
      aside={<a href={href('streams')}>All streams</a>}
    >
      {nearest.length === 0 ? (
        <EmptyState title="No stream is live">Publish one, and it appears here within a second.</EmptyState>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Stream</th>
              <th>State</th>
              <th class="kind">Limit</th>
              <th class="meter">Use</th>
            </tr>
          </thead>
          <tbody>
            {nearest.map((stream) => (
              <Row key={stream.id} stream={stream} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

/** One pass, without sorting thousands for five. */
function mostPressing(streams: readonly StreamSnapshot[]): readonly StreamSnapshot[] {
  const best: { readonly stream: StreamSnapshot; readonly used: number }[] = [];
  for (const stream of streams) {
    const used = mostUsed(stream);
    const place = best.findIndex((other) => used > other.used);
    if (place < 0 && best.length >= SHOWN) continue;
    best.splice(place < 0 ? best.length : place, 0, { stream, used });
    best.length = Math.min(best.length, SHOWN);
  }
  return best.map(({ stream }) => stream);
}

function Row({ stream }: { readonly stream: StreamSnapshot }) {
  const { id, path, client, state } = stream;
  const use = bindingUse(stream);
  return (
    <tr>
      <td class="clip name">
        <a href={href('streams', id)} title={path}>
          {path}
        </a>
        <div class="soft clip">{client}</div>
      </td>
      <td class="state">
        <Badge tone={STATE_TONES[state]} title={STATE_WORDS[state]}>
          {state}
        </Badge>
      </td>
      <td class="kind">{use === null ? 'none' : KIND_WORDS[use.kind]}</td>
      <td class="meter">{use === null ? <span class="soft">unlimited</span> : <UseMeter use={use} />}</td>
    </tr>
  );
}
