import { beforeAll, expect, test } from 'vitest';
import { buildProgram, run } from './native-build.ts';

/** Compiling a dozen files with sanitizers takes a minute on one slow core. */
const BUILD_TIMEOUT_MS = 600_000;

let program = '';

beforeAll(async () => {
  program = await buildProgram('native-tests', [
    'native/accounting.cc',
    'native/adts.cc',
    'native/avc_unit.cc',
    'native/engine.cc',
    'native/gop.cc',
    'native/media_tag.cc',
    'native/publication.cc',
    'native/rtmp_demux.cc',
    'native/sps.cc',
    'native/srt_address.cc',
    'native/srt_door.cc',
    'native/srt_door_tables.cc',
    'native/srt_filter.cc',
    'native/srt_stream_id.cc',
    'native/ts_filter.cc',
    'native/ts_flv.cc',
    'native/ts_meter.cc',
    'native/ts_outlet.cc',
    'native/ts_psi.cc',
    'native/ts_publication.cc',
    'native/ts_video_unit.cc',
    'native/video_tag.cc',
    'native/test/accounting_test.cc',
    'native/test/main.cc',
    'native/test/demux_test.cc',
    'native/test/engine_test.cc',
    'native/test/gop_test.cc',
    'native/test/media_tag_test.cc',
    'native/test/sps_test.cc',
    'native/test/srt_door_tables_test.cc',
    'native/test/srt_door_test.cc',
    'native/test/srt_event_queue_test.cc',
    'native/test/srt_guesses_test.cc',
    'native/test/srt_filter_test.cc',
    'native/test/srt_stream_id_test.cc',
    'native/test/ts_flv_audio_test.cc',
    'native/test/ts_flv_test.cc',
    'native/test/ts_meter_test.cc',
    'native/test/ts_packet_test.cc',
    'native/test/ts_psi_test.cc',
    'native/test/ts_publication_test.cc',
  ]);
}, BUILD_TIMEOUT_MS);

test('the native code does what its own tests say, without a memory error or undefined behaviour', async () => {
  const { code, output } = await run(program, []);
  expect(code, output).toBe(0);
  expect(output).toMatch(/^\d+ tests, 0 failures$/m);
}, 120_000);

test('running no test at all is a failure', async () => {
  const { code } = await run(program, ['no test has this name']);
  expect(code).toBe(1);
});
