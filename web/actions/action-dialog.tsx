import type { StreamSnapshot } from '../../src/core/stream.ts';
import { KickDialog } from './kick-dialog.tsx';
import { LimitDialog } from './limit-dialog.tsx';

export type ActionName = 'kick' | 'limit';

export interface StreamActionProps {
  readonly stream: StreamSnapshot;
  onClose(): void;
}

export function ActionDialog({ action, ...props }: StreamActionProps & { readonly action: ActionName }) {
  return action === 'kick' ? <KickDialog {...props} /> : <LimitDialog {...props} />;
}
