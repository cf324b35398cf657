import { useEffect, useRef } from 'preact/hooks';
import { useCell } from '../live/cell.ts';
import { link } from '../live/feed.ts';
import { useLive } from '../live/live.ts';
import { setToken, token } from '../live/session.ts';
import { useStale } from '../live/stale.ts';
import { href, PAGES, type Route } from '../router.ts';
import { Badge } from './badge.tsx';
import { ThemeButton } from './theme.tsx';

const TITLES: Readonly<Record<(typeof PAGES)[number], string>> = {
  overview: 'Overview',
  streams: 'Streams',
  clients: 'Clients',
  addresses: 'Addresses',
  receipts: 'Receipts',
  events: 'Events',
};

export function Nav({ route }: { readonly route: Route }) {
  const nodeId = useLive((live) => live.node?.about.node_id ?? null);
  const streams = useLive((live) => live.totals?.streams ?? null);
  const known = useCell(token) !== null;
  const pages = useRef<HTMLElement>(null);
  // On a phone there are more pages than fit; the one that is shown is seen.
  useEffect(() => {
    pages.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [route.page]);
  return (
    <header class="top">
      <a class="brand" href={href('overview')}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M3.5 2.5v11M12.5 2.5v11M3.5 8h9" />
        </svg>
        <span>Headgate</span>
        {nodeId === null ? null : <span class="node">{nodeId}</span>}
      </a>
      <nav aria-label="Pages" ref={pages}>
        {PAGES.map((page) => (
          <a key={page} href={href(page)} {...(route.page === page ? { 'aria-current': 'page' } : {})}>
            {TITLES[page]}
            {page === 'streams' && streams !== null ? <span class="count">{streams}</span> : null}
          </a>
        ))}
      </nav>
      <div class="tools">
        <LinkBadge />
        <ThemeButton />
        {known ? (
          <button type="button" class="quiet" onClick={() => setToken(null)} title="Forget the token">
            Sign out
          </button>
        ) : null}
      </div>
    </header>
  );
}

function LinkBadge() {
  const { phase } = useCell(link);
  const stale = useStale();
  if (phase === 'live' && !stale) return <Badge tone="ok">live</Badge>;
  if (phase === 'live') return <Badge tone="warn">stale</Badge>;
  if (phase === 'connecting') return <Badge tone="idle">connecting</Badge>;
  if (phase === 'paused') return <Badge tone="idle">paused</Badge>;
  if (phase === 'locked') return <Badge tone="idle">locked</Badge>;
  return <Badge tone="bad">offline</Badge>;
}
