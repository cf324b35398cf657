import type { ComponentType } from 'preact';
import { useCell } from './live/cell.ts';
import { tokenWanted } from './live/session.ts';
import { useStale } from './live/stale.ts';
import { AddressesPage } from './pages/addresses.tsx';
import { ClientsPage } from './pages/clients.tsx';
import { EventsPage } from './pages/events.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { ReceiptsPage } from './pages/receipts.tsx';
import { StreamPage } from './pages/stream.tsx';
import { StreamsPage } from './pages/streams.tsx';
import { href, type PageName, type Route, useRoute } from './router.ts';
import { LinkBanner } from './ui/link-banner.tsx';
import { Nav } from './ui/nav.tsx';
import { EmptyState } from './ui/panel.tsx';
import { Toaster } from './ui/toast.tsx';
import { TokenDialog } from './ui/token-dialog.tsx';

/** Every page is given the route it is shown for. */
export interface PageProps {
  readonly route: Route;
}

const PAGE_OF: Readonly<Record<PageName, ComponentType<PageProps>>> = {
  overview: OverviewPage,
  streams: StreamsPage,
  clients: ClientsPage,
  addresses: AddressesPage,
  receipts: ReceiptsPage,
  events: EventsPage,
};

export function App() {
  const route = useRoute();
  const wanted = useCell(tokenWanted);
  const stale = useStale();
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <Nav route={route} />
      <LinkBanner />
      <main id="main" tabIndex={-1} class={stale ? 'stale' : ''}>
        <Page route={route} />
      </main>
      {wanted === 'no' ? null : <TokenDialog why={wanted} />}
      <Toaster />
    </>
  );
}

function Page({ route }: PageProps) {
  if (route.page === null) {
    return (
      <EmptyState title="There is no such page">
        <a href={href('overview')}>Back to the overview</a>
      </EmptyState>
    );
  }
  // One stream's page is drawn anew for another stream: nothing of the last one stays.
  if (route.page === 'streams' && route.id !== null) return <StreamPage key={route.id} route={route} />;
  const Shown = PAGE_OF[route.page];
  return <Shown route={route} />;
}
