import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function ReceiptsPage({ route }: PageProps) {
  return <EmptyState title="Receipts">{route.id}</EmptyState>;
}
