import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NmsDoors, type NodeMediaServerLike } from '../../../src/ingest/rtmp/nms-doors.ts';
import { NmsSession, type RelaySocket } from '../../../src/ingest/rtmp/nms-relay.ts';
import type { RelayRequest } from '../../../src/ingest/rtmp/relay.ts';
import { ChunkReader, type ReceivedMessage } from '../../support/rtmp-wire.ts';

const HANDSHAKE_BYTES = 1 + 2 * 1_536;
const VIDEO = 9;
const DATA = 18;
const DATA_AMF3 = 15;

/** A server behind the gate that writes down what it hears. */
function behind(request: Partial<RelayRequest> = {}, hear: (socket: RelaySocket) => void = () => {}) {
  const heard: Buffer[] = [];
  const told: string[] = [];
  let socket: RelaySocket | null = null;
  const session = new NmsSession(
    {
      verb: 'publish',
      origin: { ip: '192.0.2.1', port: 4711, protocol: 'rtmp' },
      tcUrl: 'rtmp://media.example/live',
      app: 'live',
      name: 'cam1',
      query: new URLSearchParams(),
      streamId: 1,
      write: (bytes) => told.push(`write ${bytes.length}`),
      ended: () => told.push('ended'),
      failed: (error) => told.push(`failed ${error.message}`),
      ...request,
    },
    (made) => {
      socket = made;
      made.on('data', (bytes: Buffer) => heard.push(bytes));
      made.on('close', () => told.push('close'));
      hear(made);
    },
  );
  const messages = (): ReceivedMessage[] => {
    const reader = new ChunkReader();
    const chunks = Buffer.concat(heard).subarray(HANDSHAKE_BYTES);
    return [...reader.push(chunks)];
  };
  if (socket === null) throw new Error('nobody was welcomed');
  return { session, socket: socket as RelaySocket, told, messages };
}

describe('a session behind the gate', () => {
  it('hears a plain client: chunk size, connect, createStream, publish', () => {
    const { messages, socket } = behind({ query: new URLSearchParams('sign=a&sign=b&token=c') });
    expect(socket.remoteAddress).toBe('192.0.2.1');
    const texts = messages().map(({ payload }) => payload.toString('latin1'));
    expect(texts.some((text) => text.includes('connect') && text.includes('rtmp://media.example/live'))).toBe(
      true,
    );
    expect(texts.some((text) => text.includes('createStream'))).toBe(true);
    // Twice the same name is more than node-media-server bears.
    expect(texts.at(-1)).toContain('cam1?sign=a&token=c');
  });

  it.each([null, 'no url', '://'])('is given a URL it can parse in the place of %j', (tcUrl) => {
    const { messages } = behind({ tcUrl });
    expect(
      messages().some(({ payload }) => payload.toString('latin1').includes('rtmp://localhost/live')),
    ).toBe(true);
  });

  it('hears media as it came, AMF3 data as what players can read, and nothing empty', () => {
    const { session, messages } = behind();
    const before = messages().length;
    session.deliver({ type: VIDEO, timestamp: 0x1000000, payload: Buffer.from([0x17, 1, 2]) });
    session.deliver({ type: VIDEO, timestamp: 40, payload: Buffer.alloc(0) });
    session.deliver({ type: DATA_AMF3, timestamp: 50, payload: Buffer.from([0, 2, 0, 1, 65]) });
    session.deliver({ type: DATA_AMF3, timestamp: 60, payload: Buffer.from([17, 6]) });
    const media = messages().slice(before);
    expect(media.map(({ type, timestamp, payload }) => [type, timestamp, [...payload]])).toEqual([
      [VIDEO, 0x1000000, [0x17, 1, 2]],
      [DATA, 50, [2, 0, 1, 65]],
    ]);
  });

  it('is heard by a player from the play on, and never by a publisher', () => {
    const answer = (socket: RelaySocket): void => {
      socket.on('data', () => socket.write(Buffer.alloc(7)));
    };
    expect(behind({ verb: 'publish' }, answer).told).toEqual([]);
    expect(behind({ verb: 'play' }, answer).told).toEqual(['write 7']);
  });

  it('fails alone when what is behind throws, and hears no more', () => {
    const { session, told } = behind({}, (socket) => {
      socket.on('data', (bytes: Buffer) => {
        if (bytes.includes(Buffer.from([0xbd, 0xbd]))) throw new Error('cannot read this');
      });
    });
    expect(session.over).toBe(false);
    session.deliver({ type: VIDEO, timestamp: 0, payload: Buffer.from([0xbd, 0xbd]) });
    session.deliver({ type: VIDEO, timestamp: 40, payload: Buffer.from([0xbd, 0xbd]) });
    expect(session.over).toBe(true);
    session.close();
    session.close();
    expect(told).toEqual(['failed cannot read this', 'close']);
  });

  it('is over at once when it is refused', () => {
    const { session, told } = behind({}, (socket) => socket.end());
    expect(session.over).toBe(true);
    expect(told).toEqual(['ended']);
  });
});

/** The outer shape of an application, with listeners that do nothing. */
function application(): NodeMediaServerLike & { tcp: EventEmitter; http: EventEmitter } {
  const handleRequest = (): void => {};
  const tcp = new EventEmitter().on('connection', handleRequest);
  const http = new EventEmitter().on('request', () => {});
  const nothing = async (): Promise<void> => {};
  return {
    tcp,
    http,
    rtmpServer: { tcpServer: tcp, handleRequest },
    httpServer: { httpServer: http },
    run: nothing,
    stop: nothing,
  };
}

/** Who answers a request: the application, or the gate with a status. */
function reached(method: string, url: string): 'application' | number | null {
  const nms = application();
  let answer: 'application' | number | null = null;
  nms.http.on('request', () => {
    answer = 'application';
  });
  new NmsDoors(nms).guard(() => {});
  const response = {
    writeHead: (status: number) => {
      answer = status;
      return response;
    },
    end: () => response,
  };
  nms.http.emit('request', { method, url, httpVersionMajor: 1 }, response);
  return answer;
}

describe('the doors of an application', () => {
  it('are as they were when the gate is taken away', () => {
    const nms = application();
    const before = [nms.tcp.listeners('connection'), nms.http.listeners('request')];
    const doors = new NmsDoors(nms);
    const adopted: string[] = [];
    doors.guard((_socket, protocol) => adopted.push(protocol));
    nms.tcp.emit('connection', {});
    expect(adopted).toEqual(['rtmp']);
    expect(nms.tcp.listeners('connection')).not.toEqual(before[0]);
    doors.unguard();
    doors.unguard();
    expect([nms.tcp.listeners('connection'), nms.http.listeners('request')]).toEqual(before);
  });

  // Each of these is one of its FLV paths to the router of node-media-server, whatever it looks like.
  it.each([
    ['POST', '/live/cam1.flv'],
    ['POST', '/live/cam1.FLV'],
    ['POST', '/live/cam1.flv/'],
    ['POST', '/live/cam1.flv#x'],
    ['POST', '/live/cam1.flv\\#x'],
    ['POST', '/live/cam1.flv\u00a0'],
    ['POST', 'http://host/live/cam1.Flv?sign=1'],
    ['GET', '/li.ve/cam1.FLV'],
    ['GET', '/li.ve/cam1.flv/'],
    ['GET', '/li.ve/cam1.flv#x'],
  ])('let no %s %j through', (method, url) => {
    expect(reached(method, url)).toBe(403);
  });

  it.each([
    ['GET', '/live/cam1.flv'],
    ['GET', '/live/cam1.flv?sign=a.flv'],
    ['POST', '/api/v1/login'],
    ['GET', '/admin/player.flv.js'],
  ])('let %s %j through', (method, url) => {
    expect(reached(method, url)).toBe('application');
  });

  it.each([
    ['nothing', null],
    ['something else', { rtmpServer: {} }],
    [
      'an application that is attached already',
      (() => {
        const nms = application();
        new NmsDoors(nms).guard(() => {});
        return nms;
      })(),
    ],
  ])('are not looked for on %s', (_what, nms) => {
    expect(() => new NmsDoors(nms as unknown as NodeMediaServerLike)).toThrow(
      /attach takes a NodeMediaServer/,
    );
  });
});
