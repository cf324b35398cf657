/**
 * Server-Sent Events, as a parser that is fed text
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6).
 * Ids and `retry` are not used by the admin API and are skipped.
 */

export interface ServerSentEvent {
  /** `message` when the event names none */
  readonly event: string;
  readonly data: string;
}

/** Characters of one event: a snapshot of 1,000 streams has 1.5 million. */
const EVENT_CHARS_MAX = 16 * 2 ** 20;

export class SseParser {
  /** What is there of a line whose end has not come; joined once, for a snapshot comes in fifty pieces. */
  #pieces: string[] = [];
  /** the text ended with a CR, which may be half of a CRLF */
  #carriageReturn = false;
  #event = '';
  #data: string[] = [];
  #chars = 0;

  /** The events that `text` completes. Throws RangeError when one is longer than any real one. */
  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    this.#chars += text.length;
    const { lines, last } = this.#split(text);
    for (const line of lines) {
      if (line !== '') this.#field(line);
      else {
        if (this.#data.length > 0)
          events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
        this.#chars = last.length;
      }
    }
    if (this.#chars > EVENT_CHARS_MAX) throw new RangeError('an event is too long');
    return events;
  }

  /** The lines that `text` completes, and what it begins. */
  #split(text: string): { lines: string[]; last: string } {
    const lines = (this.#carriageReturn ? `\r${text}` : text).split(/\r\n|\n|\r(?!$)/);
    let last = lines.pop() ?? '';
    this.#carriageReturn = last.endsWith('\r');
    if (this.#carriageReturn) last = last.slice(0, -1);
    if (lines.length > 0) {
      lines[0] = this.#pieces.join('') + lines[0];
      this.#pieces = [];
    }
    this.#pieces.push(last);
    return { lines, last };
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
  }
}
