import net from 'node:net';

/** Sends bytes to a port and collects what comes until the other side closes, or `ms` have passed. */
export function rawExchange(
  port: number,
  bytes: Buffer | string,
  ms = 10_000,
): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = net.connect({ host: '127.0.0.1', port });
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: Buffer.concat(parts).toString('latin1'), closed });
    };
    const timer = setTimeout(() => end(false), ms);
    socket.on('data', (part) => parts.push(part));
    socket.on('error', () => {});
    socket.on('close', () => end(true));
    socket.write(bytes);
  });
}
