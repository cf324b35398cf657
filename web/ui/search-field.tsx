import { useEffect, useRef, useState } from 'preact/hooks';

/** ms without a key before what was typed is looked for. */
const REST_MS = 250;

export interface SearchFieldProps {
  /** what is looked for now, as the page's address has it */
  readonly value: string;
  readonly label: string;
  readonly placeholder: string;
  /** told once typing rests */
  onSearch(text: string): void;
}

/** A field that searches as one types. `/` goes to it from anywhere, Escape empties it. */
export function SearchField({ value, label, placeholder, onSearch }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  /** what was told last: a value that differs from it was set by somebody else, a link or the back button */
  const told = useRef(value);
  /** what is beside the field may change while typing rests */
  const search = useRef(onSearch);
  search.current = onSearch;
  const [text, setText] = useState(value);
  const tell = (next: string) => {
    clearTimeout(timer.current);
    told.current = next;
    search.current(next);
  };
  useEffect(() => {
    if (value === told.current) return;
    clearTimeout(timer.current);
    told.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey)
        return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', listen);
    return () => {
      clearTimeout(timer.current);
      document.removeEventListener('keydown', listen);
    };
  }, []);
  return (
    <input
      ref={input}
      type="search"
      class="search"
      aria-label={label}
      aria-keyshortcuts="/"
      placeholder={placeholder}
      value={text}
      autoComplete="off"
      spellcheck={false}
      maxLength={512}
      onInput={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => tell(next), REST_MS);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') tell(event.currentTarget.value);
        if (event.key !== 'Escape' || text === '') return;
        event.preventDefault();
        setText('');
        tell('');
      }}
    />
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;
}
