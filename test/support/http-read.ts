import http from 'node:http';

/** Something that is being read over HTTP until the test has seen enough. */
export interface HttpReading {
  /** bytes of the body so far */
  bytes(): number;
  text(): string;
  /** Hangs up and gives what came. */
  stop(): Promise<Buffer>;
}

/** Reads an endless answer: a player, or a follower of events. */
export function fetchFor(url: string): HttpReading {
  const parts: Buffer[] = [];
  let length = 0;
  const request = http.get(url, { agent: false }, (answer) => {
    answer.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
    });
    answer.on('error', () => {});
  });
  request.on('error', () => {});
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  return {
    bytes: () => length,
    text: () => Buffer.concat(parts).toString(),
    stop: async () => {
      request.destroy();
      await closed;
      return Buffer.concat(parts);
    },
  };
}
