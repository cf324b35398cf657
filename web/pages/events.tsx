import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function EventsPage({ route }: PageProps) {
  return <EmptyState title="Events">{route.id}</EmptyState>;
}
