import { setImmediate as turn } from 'node:timers/promises';
import type { RtmpClient } from './rtmp-client.ts';
import type { TestServer } from './server.ts';
import { pause } from './server.ts';

/** Bytes handed to the socket before others in this process get a turn. */
const STRETCH_BYTES = 1024 * 1024;

/** Sends `bytes` over and over, as fast as the server takes them, for `ms` or until it hangs up. Gives how many bytes it took. */
export async function flood(client: RtmpClient, bytes: Buffer, ms: number): Promise<number> {
  const { socket } = client;
  const taken = (): number => socket.bytesWritten - socket.writableLength;
  const from = taken();
  const end = performance.now() + ms;
  while (performance.now() < end && !client.closed && socket.writable) {
    let stretch = 0;
    while (socket.writableLength === 0 && stretch < STRETCH_BYTES) {
      socket.write(bytes);
      stretch += bytes.length;
    }
    if (socket.writableLength === 0) await turn();
    else await pause(2);
  }
  return taken() - from;
}

/** CPU seconds that the server spends while `act` runs. */
export async function cpuOf(server: TestServer, act: () => Promise<unknown>): Promise<number> {
  const from = server.cpuSeconds();
  await act();
  return server.cpuSeconds() - from;
}
