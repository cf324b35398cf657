import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function AddressesPage({ route }: PageProps) {
  return <EmptyState title="Addresses">{route.id}</EmptyState>;
}
