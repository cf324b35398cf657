import type { Receipt } from '../../src/core/verdict.ts';
import type { Tone } from '../ui/tone.ts';

/** What was done to a publisher, in a word, and how bad that is. */
export const ACTIONS: Readonly<Record<Receipt['action'], { readonly word: string; readonly tone: Tone }>> = {
  refuse: { word: 'refused', tone: 'bad' },
  cut: { word: 'disconnected', tone: 'bad' },
  drop: { word: 'dropping frames', tone: 'warn' },
  throttle: { word: 'slowed down', tone: 'warn' },
  observe: { word: 'observed', tone: 'info' },
};
