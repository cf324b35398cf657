import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Figures, SAMPLE_PERIOD_MS, Sampler, type Source } from '../../../src/sampler/sampler.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What the sampler said, in order. */
class Heard {
  readonly lines: string[] = [];

  sampled(source: string, figures: Figures, now: number): void {
    this.lines.push(`${Math.round(now)} ${source} ${JSON.stringify(figures)}`);
  }

  failed(source: string, cause: string, now: number): void {
    this.lines.push(`${Math.round(now)} ${source} failed: ${cause}`);
  }
}

function started(...sources: Source[]) {
  const heard = new Heard();
  const sampler = new Sampler(sources, heard);
  const from = performance.now();
  sampler.start();
  const told = () =>
    heard.lines.map((line) => line.replace(/^\d+/, (at) => String(Math.round(Number(at) - from))));
  return { sampler, told };
}

/** Answers with how often it was asked. */
function counting(name = 'a'): Source & { asked: number } {
  return {
    name,
    asked: 0,
    read() {
      return { n: ++this.asked };
    },
  };
}

/** Answers when it is told to. */
class Slow implements Source {
  readonly name = 'slow';
  asked = 0;
  closed = 0;
  answer: (figures: Figures | null) => void = () => undefined;
  refuse: (error: unknown) => void = () => undefined;

  read(): Promise<Figures | null> {
    this.asked++;
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.refuse = reject;
    });
  }

  close(): void {
    this.closed++;
  }
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the sampler', () => {
  it('asks at once and then every period', async () => {
    const { told } = started(counting());
    await vi.advanceTimersByTimeAsync(2 * SAMPLE_PERIOD_MS);
    expect(told()).toEqual(['0 a {"n":1}', '500 a {"n":2}', '1000 a {"n":3}']);
  });

  it('says nothing when there is nothing new', async () => {
    const { told } = started({ name: 'a', read: () => null }, { name: 'b', read: async () => null });
    await vi.advanceTimersByTimeAsync(5000);
    expect(told()).toEqual([]);
  });

  it('reports a source that throws or rejects, and asks it again; the others go on', async () => {
    let broken = true;
    const throwing: Source = {
      name: 'throws',
      read() {
        if (broken) throw new Error('no such file');
        return { fine: 1 };
      },
    };
    const rejecting: Source = { name: 'rejects', read: () => Promise.reject('odd') };
    const { told } = started(throwing, rejecting, counting());
    await settle();
    expect(told()).toEqual(['0 throws failed: no such file', '0 a {"n":1}', '0 rejects failed: odd']);
    broken = false;
    await vi.advanceTimersByTimeAsync(SAMPLE_PERIOD_MS);
    expect(told().slice(3)).toContain('500 throws {"fine":1}');
  });

  it('reports a source that hangs once, asks it no more, and others as ever', async () => {
    const slow = new Slow();
    const other = counting();
    const { told } = started(slow, other);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told().filter((line) => line.includes('slow'))).toEqual([
      '2000 slow failed: no answer within 2000 ms',
    ]);
    expect(slow.asked).toBe(1);
    expect(other.asked).toBe(121);
  });

  it('takes a late answer, and asks again from then on', async () => {
    const slow = new Slow();
    const { told } = started(slow);
    await vi.advanceTimersByTimeAsync(2600);
    slow.answer({ late: 1 });
    await vi.advanceTimersByTimeAsync(400);
    expect(told()).toEqual(['2000 slow failed: no answer within 2000 ms', '2600 slow {"late":1}']);
    expect(slow.asked).toBe(2);
  });

  it('that is stopped says nothing more, not even what was on its way, and closes its sources once', async () => {
    const slow = new Slow();
    const { sampler, told } = started(slow);
    sampler.stop();
    sampler.stop();
    slow.answer({ late: 1 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told()).toEqual([]);
    expect(slow.closed).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is stopped while a source hangs reports no hang, and swallows its error', async () => {
    const slow = new Slow();
    const { sampler, told } = started(slow);
    sampler.stop();
    slow.refuse(new Error('gone'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told()).toEqual([]);
  });

  it('does not take a fault of whoever listens for one of the source', () => {
    const sink = {
      sampled() {
        throw new Error('a bug');
      },
      failed: vi.fn(),
    };
    expect(() => new Sampler([counting()], sink).start()).toThrow('a bug');
    expect(sink.failed).not.toHaveBeenCalled();
  });
});
