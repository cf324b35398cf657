import { describe, expect, it } from 'vitest';
import * as replies from '../../../src/ingest/rtmp/replies.ts';
import { ChunkReader, decodeAmf, type ReceivedMessage } from '../../support/rtmp-wire.ts';

/** What a client reads after the chunk size was announced. */
function read(...messages: Buffer[]): ReceivedMessage[] {
  const reader = new ChunkReader();
  const received = reader.push(Buffer.concat([replies.setChunkSize(), ...messages]));
  expect(reader.pendingBytes).toBe(0);
  return received.slice(1);
}

const commandOf = (message: Buffer): { values: unknown[]; streamId: number } => {
  const [received] = read(message) as [ReceivedMessage];
  expect(received.type).toBe(20);
  return { values: decodeAmf(received.payload), streamId: received.streamId };
};

describe('replies', () => {
  it('announce a chunk size within 4,096 and 65,535, framed for the default of 128', () => {
    const reader = new ChunkReader();
    expect(reader.push(replies.setChunkSize())).toMatchObject([{ type: 1, streamId: 0, csid: 2 }]);
    expect(reader.chunkSize).toBeGreaterThanOrEqual(4_096);
    expect(reader.chunkSize).toBeLessThanOrEqual(65_535);
  });

  it('control messages go out on chunk stream 2 and message stream 0', () => {
    const received = read(
      replies.windowAckSize(),
      replies.setPeerBandwidth(),
      replies.acknowledgement(0xfffffffe),
      replies.streamBegin(1),
      replies.streamEof(0x01020304),
      replies.pong(0xffffffff),
    );
    expect(received.map(({ type, payload }) => [type, payload.toString('hex')])).toEqual([
      [5, '004c4b40'],
      [6, '004c4b4002'],
      [3, 'fffffffe'],
      [4, '000000000001'],
      [4, '000101020304'],
      [4, '0007ffffffff'],
    ]);
    expect(received.every(({ csid, streamId }) => csid === 2 && streamId === 0)).toBe(true);
  });

  it('connect is answered with the transaction id and encoding it asked for', () => {
    expect(commandOf(replies.connectResult(1, 3))).toEqual({
      streamId: 0,
      values: [
        '_result',
        1,
        { fmsVer: 'FMS/3,0,1,123', capabilities: 31 },
        {
          level: 'status',
          code: 'NetConnection.Connect.Success',
          description: 'Connection succeeded.',
          objectEncoding: 3,
        },
      ],
    });
  });

  it('calls are answered', () => {
    expect(commandOf(replies.createStreamResult(4, 1)).values).toEqual(['_result', 4, null, 1]);
    expect(commandOf(replies.emptyResult(2)).values).toEqual(['_result', 2, null, undefined]);
  });

  it('onStatus goes out on the message stream it is about', () => {
    const description =
      'headgate: stream_bitrate limit=6000kbps observed=8200kbps retry_after=30s receipt=r-1f3c';
    expect(commandOf(replies.onStatus(3, 'error', 'NetStream.Publish.Rejected', description))).toEqual({
      streamId: 3,
      values: ['onStatus', 0, null, { level: 'error', code: 'NetStream.Publish.Rejected', description }],
    });
  });

  it('sample access is a data message of the stream', () => {
    const [received] = read(replies.sampleAccess(2)) as [ReceivedMessage];
    expect(received).toMatchObject({ type: 18, streamId: 2 });
    expect(decodeAmf(received.payload)).toEqual(['|RtmpSampleAccess', false, false]);
  });
});
