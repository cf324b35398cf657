/** Light or dark: as the system says, until somebody chooses here. */
import { Cell, useCell } from '../live/cell.ts';

const KEY = 'headgate.theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const theme = new Cell<Theme>(stored());
const dark = matchMedia('(prefers-color-scheme: dark)');

/** changes whenever the colours on the screen do: canvases have to be drawn again */
export const shade = new Cell<'light' | 'dark'>('light');

function stored(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return THEMES.find((known) => known === text) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export function applyTheme(): void {
  const chosen = theme.get();
  const next = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen;
  document.documentElement.dataset['theme'] = next;
  shade.set(next);
}

dark.addEventListener('change', applyTheme);

function choose(next: Theme): void {
  theme.set(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is loaded again.
  }
  applyTheme();
}

/** Colours that were read, of the theme that is shown: to read one makes the browser work out its styles at once. */
const colours = new Map<string, string>();
shade.subscribe(() => colours.clear());

/** The value of a custom property, for canvases: `colour('--accent')`. */
export function colour(name: string): string {
  let value = colours.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    colours.set(name, value);
  }
  return value;
}

const GLYPHS: Readonly<Record<Theme, string>> = { auto: '◐', light: '☀', dark: '☾' };

export function ThemeButton() {
  const now = useCell(theme);
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]!;
  const label = `Colours: ${now === 'auto' ? 'as the system' : now}. Switch to ${next}`;
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={() => choose(next)}>
      {GLYPHS[now]}
    </button>
  );
}
