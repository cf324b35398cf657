import { render } from 'preact';
import { App } from './app.tsx';
import { startLive } from './live/live.ts';
import { applyTheme } from './ui/theme.tsx';

applyTheme();
startLive();
render(<App />, document.getElementById('app')!);
