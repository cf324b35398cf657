import { EventEmitter } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';
import { ConfigWatch, type ReloadTrigger } from '../../../src/config/watch.ts';

let folder: string;
let watches: ConfigWatch[];
let loads: { trigger: ReloadTrigger; told: number | string }[];
let signals: EventEmitter;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-watch-'));
  watches = [];
  loads = [];
  signals = new EventEmitter();
});

afterEach(() => {
  for (const watch of watches) watch.close();
  rmSync(folder, { recursive: true, force: true });
});

function text(fps: number): string {
  return `limits: { stream: { max_fps: ${fps}fps } }\n`;
}

function told(result: LoadResult): number | string {
  return result.ok ? result.config.limits.stream.max_fps : result.code;
}

function start(file: string): ConfigWatch {
  const watch = new ConfigWatch({
    file,
    env: {},
    digest: loadConfig(file, {}).digest,
    signals,
    onLoad: (result, trigger) => loads.push({ trigger, told: told(result) }),
  });
  watches.push(watch);
  return watch;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in time; loads: ${JSON.stringify(loads)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('sees a file written in place, and one that is renamed over it', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(10));
  start(file);
  writeFileSync(file, text(20));
  await until(() => loads.length === 1);
  writeFileSync(join(folder, 'a.yaml.tmp'), text(30));
  renameSync(join(folder, 'a.yaml.tmp'), file);
  await until(() => loads.length === 2);
  expect(loads).toEqual([
    { trigger: 'file', told: 20 },
    { trigger: 'file', told: 30 },
  ]);
});

it('sees the symlink of a mounted ConfigMap swapped', async () => {
  const file = join(folder, 'a.yaml');
  for (const [version, fps] of [
    ['..1', 10],
    ['..2', 20],
    ['..3', 30],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'a.yaml'), text(fps));
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/a.yaml', file);
  start(file);
  for (const version of ['..2', '..3']) {
    symlinkSync(version, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
    const before = loads.length;
    await until(() => loads.length > before);
  }
  expect(loads.map((load) => load.told)).toEqual([20, 30]);
});

it('reports a broken file, then one that is gone, then a good one', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(10));
  start(file);
  writeFileSync(file, 'limits: 5');
  await until(() => loads.length === 1);
  rmSync(file);
  await until(() => loads.length === 2);
  writeFileSync(file, text(20));
  await until(() => loads.length === 3);
  expect(loads.map((load) => load.told)).toEqual(['HG_CONFIG_INVALID', 'HG_CONFIG_READ', 20]);
});

it('survives its folder being replaced', async () => {
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const file = join(inner, 'a.yaml');
  writeFileSync(file, text(10));
  start(file);
  rmSync(inner, { recursive: true });
  await until(() => loads.length === 1);
  mkdirSync(inner);
  writeFileSync(file, text(20));
  await until(() => loads.length === 2);
  writeFileSync(file, text(30));
  await until(() => loads.length === 3);
  expect(loads.map((load) => load.told)).toEqual(['HG_CONFIG_READ', 20, 30]);
});

it('loads on SIGHUP without a change, and not on a touch or a change beside the file', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(10));
  start(file);
  utimesSync(file, new Date(), new Date());
  appendFileSync(join(folder, 'beside.log'), 'x');
  signals.emit('SIGHUP');
  expect(loads).toEqual([{ trigger: 'signal', told: 10 }]);
  writeFileSync(file, text(20));
  await until(() => loads.length === 2);
  expect(loads[1]).toEqual({ trigger: 'file', told: 20 });
});

it('tries again at a touch after a load that failed, and not once it went well', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(10));
  start(file);
  writeFileSync(file, `${text(20)}audit: { file: logs/audit.jsonl }\n`);
  await until(() => loads.length === 1);
  mkdirSync(join(folder, 'logs'));
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  await until(() => loads.length === 2);
  utimesSync(file, new Date(), new Date(Date.now() + 10_000));
  signals.emit('SIGHUP');
  writeFileSync(file, text(30));
  await until(() => loads.length === 4);
  expect(loads.map((load) => load.told)).toEqual(['HG_CONFIG_INVALID', 20, 20, 30]);
});

it('sees a change from before it began', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(20));
  const onLoad = (result: LoadResult, trigger: ReloadTrigger): void => {
    loads.push({ trigger, told: told(result) });
  };
  watches.push(new ConfigWatch({ file, env: {}, digest: 'of an older text', signals, onLoad }));
  await until(() => loads.length === 1);
  expect(loads).toEqual([{ trigger: 'file', told: 20 }]);
});

it('is silent once closed', () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, text(10));
  const watch = start(file);
  watch.close();
  watch.close();
  signals.emit('SIGHUP');
  expect(signals.listenerCount('SIGHUP')).toBe(0);
  expect(loads).toEqual([]);
});
