import type { PageProps } from '../app.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function StreamPage({ route }: PageProps) {
  return <EmptyState title="Stream">{route.id}</EmptyState>;
}
