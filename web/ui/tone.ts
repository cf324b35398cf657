/** How something fares. Told by a glyph and words as well, never by colour alone. */
export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';
