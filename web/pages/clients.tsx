import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function ClientsPage({ route }: PageProps) {
  return <EmptyState title="Clients">{route.id}</EmptyState>;
}
