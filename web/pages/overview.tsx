import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function OverviewPage({ route }: PageProps) {
  return <EmptyState title="Overview">{route.id}</EmptyState>;
}
