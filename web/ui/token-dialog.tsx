import { useState } from 'preact/hooks';
import { setToken } from '../live/session.ts';
import { Dialog } from './dialog.tsx';

/** Asks for the token that the API wants. It cannot be closed: without one there is nothing to see. */
export function TokenDialog({ why }: { readonly why: 'first' | 'wrong' }) {
  const [text, setText] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() !== '') setToken(text.trim());
  };
  return (
    <Dialog title="Token" onClose={() => undefined}>
      <form onSubmit={submit}>
        <p>
          {why === 'first'
            ? 'This server asks for a token: one of admin.tokens in its config.'
            : 'The server does not know this token. It may have been changed in admin.tokens.'}
        </p>
        <label>
          Token
          <input
            type="password"
            autoComplete="current-password"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <p class="hint">It is kept in this tab only, until the tab is closed.</p>
        <div class="buttons">
          <button type="submit" class="primary" disabled={text.trim() === ''}>
            Sign in
          </button>
        </div>
      </form>
    </Dialog>
  );
}
