import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function StreamsPage({ route }: PageProps) {
  return <EmptyState title="Streams">{route.id}</EmptyState>;
}
