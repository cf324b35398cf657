/** One change asked of the server: sent once, its answer or the server's own words kept to be shown. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type AskOptions, ask } from '../live/api.ts';
import { useRole } from '../live/role.ts';
import { toast } from '../ui/toast.tsx';

export interface OrderState<T> {
  readonly sending: boolean;
  readonly answer: T | null;
  readonly error: ApiError | null;
  /** why nothing can be ordered; null when it can */
  readonly barred: string | null;
  send(path: string, options: AskOptions): void;
}

/** What a viewer is told beside buttons that do nothing for him. */
export const VIEWER_WORDS = 'Your token is a viewer’s: it may look, not act. An operator’s token may.';

/** `what` names the order to who has closed its dialog before the answer came. */
export function useOrder<T>(what: string): OrderState<T> {
  const shown = useRef(true);
  useEffect(
    () => () => {
      shown.current = false;
    },
    [],
  );
  const role = useRole();
  const [state, setState] = useState({
    sending: false,
    answer: null as T | null,
    error: null as ApiError | null,
  });
  return {
    ...state,
    barred: role === 'viewer' ? VIEWER_WORDS : null,
    send: (path, options) => {
      setState({ sending: true, answer: null, error: null });
      ask<T>(path, options).then(
        (answer) => {
          if (shown.current) setState({ sending: false, answer, error: null });
          else toast(`${what}: done`, 'ok');
        },
        (reason: unknown) => {
          const error = asApiError(reason);
          if (shown.current) setState({ sending: false, answer: null, error });
          else toast(`${what}: ${error.message}`, 'bad');
        },
      );
    },
  };
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError(0, 'network', 'the answer broke off; look whether it was done');
}
