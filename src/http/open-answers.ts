/**
 * Answers that have begun and not ended. A page of a long list is some
 * megabytes until its reader has taken it, and a caller who asks and does not
 * read would be handed the memory of the streams. So each caller has some
 * answers open at once, all together have a few more, and none stays open for
 * long. The event feed, whose answers never end, has bounds of its own.
 */
import type { FastifyReply } from 'fastify';
import { Problem } from './problem.ts';

/** Open at once for one caller: a browser opens six, a script in a hurry some more. */
const PER_CALLER_MAX = 32;

/** Open at once in all. */
const ALL_MAX = 128;

/** Open at once for all callers whom nobody knows: the rest is for those with a token, or on this machine. */
const STRANGERS_MAX = 64;

/** ms in which an answer must be taken: all streams of a full server, 13 MB, at 1 Mbit/s. */
const TAKEN_WITHIN_MS = 120_000;

interface OpenAnswer {
  readonly reply: FastifyReply;
  readonly key: string;
  readonly stranger: boolean;
  /** monotonic ms */
  readonly since: number;
}

export class OpenAnswers {
  readonly #open = new Set<OpenAnswer>();
  readonly #ofCaller = new Map<string, number>();

  #ofStrangers = 0;

  /** How many there are now. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts an answer until its connection has it all or is closed; throws the 429 of one too many. */
  begin({ key, stranger }: { key: string; stranger: boolean }, reply: FastifyReply, now: number): void {
    const own = this.#ofCaller.get(key) ?? 0;
    const crowded = stranger && this.#ofStrangers >= STRANGERS_MAX;
    if (own >= PER_CALLER_MAX || this.#open.size >= ALL_MAX || crowded) {
      throw new Problem(
        'too_many_requests',
        'more answers are open at once than there may be; read them first',
        {
          headers: { 'retry-after': '1' },
          members: { 'violated-policies': ['open-answers'] },
        },
      );
    }
    const answer: OpenAnswer = { reply, key, stranger, since: now };
    if (stranger) this.#ofStrangers++;
    this.#open.add(answer);
    this.#ofCaller.set(key, own + 1);
    reply.raw.once('close', () => this.#end(answer));
  }

  /** Closes the connections of those who have not taken their answer in time. */
  sweep(now: number): void {
    for (const { reply, since } of this.#open) {
      // In the order they began: the first that is young enough ends it.
      if (now - since < TAKEN_WITHIN_MS) return;
      reply.raw.destroy();
    }
  }

  #end(answer: OpenAnswer): void {
    if (!this.#open.delete(answer)) return;
    if (answer.stranger) this.#ofStrangers--;
    const left = this.#ofCaller.get(answer.key)! - 1;
    if (left === 0) this.#ofCaller.delete(answer.key);
    else this.#ofCaller.set(answer.key, left);
  }
}
