import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cli, headgate } from '../support/cli.ts';
import { TestServer, until } from '../support/server.ts';
import { listenTlsLines } from '../support/tls-pair.ts';

/** What keeps `serve` from starting, and what `check` says about it: one line and the right exit code. */

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

let folder: string;

beforeAll(() => {
  folder = listenTlsLines().folder;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  write('other.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  write('free.yaml', listen({}));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** A config whose listeners take free ports, except those that are given. */
function listen(given: Record<string, string>): string {
  const free = '"127.0.0.1:0"';
  const places = { rtmp: free, srt: free, playback: free, admin: free, ...given };
  return `listen:\n${Object.entries(places)
    .map(([name, place]) => `  ${name}: ${place}\n`)
    .join('')}`;
}

async function expectLine(args: readonly string[], code: number, line: RegExp, options = {}): Promise<void> {
  const ran = await headgate(args, { cwd: folder, ...options });
  expect(ran.stderr).toMatch(line);
  expect(ran.stderr.trimEnd()).not.toContain('\n');
  expect(ran).toMatchObject({ code, stdout: '' });
}

describe('a port in use', () => {
  let taken: net.Server;
  let port: number;
  beforeAll(async () => {
    taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    port = (taken.address() as net.AddressInfo).port;
  });
  afterAll(() => taken.close());

  test.each(['rtmp', 'playback', 'admin'])('of listen.%s', async (name) => {
    write('taken.yaml', listen({ [name]: `"127.0.0.1:${port}"` }));
    await expectLine(
      ['serve', '-c', 'taken.yaml'],
      1,
      new RegExp(`^headgate: .*cannot listen on 127.0.0.1:${port}: .*in use`),
      {
        env: { HEADGATE_LOGGING__LEVEL: 'error' },
      },
    );
  });
});

test('a UDP port that another one has', async () => {
  const taken = dgram.createSocket('udp4');
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
  const { port } = taken.address();
  write('taken.yaml', listen({ srt: `"127.0.0.1:${port}"` }));
  await expectLine(
    ['serve', '-c', 'taken.yaml'],
    1,
    new RegExp(`^headgate: cannot listen on 127.0.0.1:${port}: .*in use`),
    { env: { HEADGATE_LOGGING__LEVEL: 'error' } },
  );
  taken.close();
});

test.each(['rtmp', 'srt'])('an address of listen.%s that is not of this machine', async (name) => {
  write('foreign.yaml', listen({ [name]: '"192.0.2.1:1935"' }));
  await expectLine(
    ['serve', '-c', 'foreign.yaml'],
    1,
    /^headgate: cannot listen on 192\.0\.2\.1:1935: this machine has no such address/,
    { env: { HEADGATE_LOGGING__LEVEL: 'error' } },
  );
});

test('a port that the system does not give', async () => {
  // Whether a low port needs a privilege differs between machines: the answer of the system is put in its place.
  const refuse = `import net from 'node:net';
    net.Server.prototype.listen = function () {
      process.nextTick(() => this.emit('error', Object.assign(new Error('listen EACCES'), { code: 'EACCES' })));
      return this;
    };`;
  await expectLine(
    ['serve', '-c', 'free.yaml'],
    1,
    /^headgate: .*cannot listen on 127\.0\.0\.1:0: no permission/,
    {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(refuse)}`],
    },
  );
});

describe('without libsrt', () => {
  const forget = `const { dlopen } = process;
    process['dlopen'] = (module, file, ...rest) => {
      if (file.includes('headgate_srt')) throw new Error('libsrt-gnutls.so.1.5: cannot open shared object file');
      return dlopen(module, file, ...rest);
    };`;
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(forget)}`];

  test('a server that is to receive SRT says what to do', () =>
    expectLine(
      ['serve', '-c', 'free.yaml'],
      1,
      /^headgate: cannot listen for SRT: .*libsrt.*or turn it off/,
      {
        nodeArgs,
        env: { HEADGATE_LOGGING__LEVEL: 'error' },
      },
    ));

  test('a server that has SRT by default goes on without it, and says so', async () => {
    write('default.yaml', 'listen: { rtmp: "127.0.0.1:0", playback: null, admin: null }\n');
    const server = new Cli(['serve', '-c', 'default.yaml'], { cwd: folder, nodeArgs });
    await until(() => server.stdout.includes('headgate is ready'), 'the server');
    expect(server.stdout).toMatch(/"level":"warn".*SRT is off: .*libsrt/);
    expect(server.stdout).toContain('"srt":null');
    expect(await server.stop('SIGTERM')).toBe(0);
  });
});

test('a server that has SRT turned off does not load libsrt', async () => {
  const tell = `const { dlopen } = process;
    process['dlopen'] = (module, file, ...rest) => {
      if (file.includes('headgate_srt')) process.stderr.write('loaded');
      return dlopen(module, file, ...rest);
    };`;
  write('off.yaml', listen({ srt: 'null' }));
  const server = new Cli(['serve', '-c', 'off.yaml'], {
    cwd: folder,
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(tell)}`],
  });
  await until(() => server.stdout.includes('headgate is ready'), 'the server');
  expect(await server.stop('SIGTERM')).toBe(0);
  expect(server.stderr).not.toContain('loaded');
});

describe.each(['serve', 'check'])('%s', (command) => {
  test('a file that is not there', () =>
    expectLine(
      [command, '-c', 'missing.yaml'],
      2,
      /^missing\.yaml: there is no such file; give another with -c FILE\n$/,
    ));

  test('a folder', () => expectLine([command, '-c', '.'], 2, /^\.: is a folder/));

  test('a file that may not be read', () => {
    chmodSync(write('secret.yaml', 'version: 1\n'), 0o000);
    const node = [process.execPath, MAIN, command, '-c', 'secret.yaml'];
    // Root reads everything, until it gives up the capabilities for it (setpriv is part of util-linux).
    const capabilities = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
    const [program = '', ...args] = process.getuid?.() === 0 ? [...capabilities, ...node] : node;
    const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toMatch(/^secret\.yaml: no permission to read it; check its owner and mode\n$/);
    expect(status).toBe(2);
  });

  test('every error with its place', async () => {
    write('wrong.yaml', 'limits:\n  stream:\n    max_bitrate: 6\n    max_fsp: 60fps\n');
    const { code, stdout, stderr } = await headgate([command, '-c', 'wrong.yaml'], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^wrong\.yaml:3:18 limits\.stream\.max_bitrate: .*unit.*\nwrong\.yaml:4:5 .*max_fsp.*max_fps.*\n$/,
    );
  });

  test('a key that is not the key of the certificate', async () => {
    const rtmps = '{ address: "127.0.0.1:0", cert: cert.pem, key: other.pem }';
    write('tls.yaml', listen({ rtmps }));
    await expectLine(
      [command, '-c', 'tls.yaml'],
      2,
      /^tls\.yaml:\d+:\d+ listen\.rtmps: key is not the private key of cert/,
    );
  });

  test('a certificate that is none', async () => {
    write('none.pem', 'hello\n');
    write('tls.yaml', listen({ rtmps: '{ address: "127.0.0.1:0", cert: none.pem, key: key.pem }' }));
    await expectLine([command, '-c', 'tls.yaml'], 2, /listen\.rtmps: cert holds no certificate in PEM form/);
  });

  test('an API for everybody without a token', async () => {
    write('open.yaml', listen({ admin: '"0.0.0.0:0"' }));
    await expectLine([command, '-c', 'open.yaml'], 2, /^open\.yaml:\d+:\d+ .*token/);
  });

  test('a variable that is wrong', () =>
    expectLine(
      [command, '-c', 'free.yaml'],
      2,
      /^HEADGATE_LIMITS__STREAM__MAX_BITRATE limits\.stream\.max_bitrate: /,
      {
        env: { HEADGATE_LIMITS__STREAM__MAX_BITRATE: '6' },
      },
    ));
});

describe('without a named file', () => {
  const env = Object.fromEntries(
    ['RTMP', 'PLAYBACK', 'ADMIN'].map((name) => [`HEADGATE_LISTEN__${name}`, '127.0.0.1:0']),
  );

  test.each([
    ['the defaults serve', null, 'ingest-1'],
    ['config/headgate.yaml is read where it is', 'node: { id: from-file }\n', 'from-file'],
  ])('%s', async (_what, text, id) => {
    const cwd = mkdtempSync(path.join(folder, 'cwd-'));
    if (text !== null) {
      mkdirSync(path.join(cwd, 'config'));
      writeFileSync(path.join(cwd, 'config/headgate.yaml'), text);
    }
    const checked = await headgate(['check'], { cwd, env });
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toMatch(new RegExp(`^node\\.id +${id} `, 'm'));
    const server = new Cli(['serve'], { cwd, env });
    await until(() => server.stdout.includes('headgate is ready'), 'the server to be ready');
    expect(server.stdout).toContain(`"node":"${id}"`);
    expect(await server.stop('SIGTERM')).toBe(0);
  });
});

test.each(['a full disk', 'nobody'])(
  'a log that is written to %s does not stop the server',
  async (reader) => {
    const place = `127.0.0.1:${await freePort()}`;
    const stdout = reader === 'nobody' ? 'pipe' : openSync('/dev/full', 'w');
    const args = [MAIN, 'serve', '-c', path.join(folder, 'free.yaml')];
    const env = { ...process.env, HEADGATE_LISTEN__ADMIN: place };
    const server = spawn(process.execPath, args, { env, stdio: ['ignore', stdout, 'inherit'] });
    server.stdout?.destroy();
    const answers = () =>
      fetch(`http://${place}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(answers, 'the server to answer');
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
    if (typeof stdout === 'number') closeSync(stdout);
  },
);

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('SIGTERM ends it with 0', async () => {
  const server = await TestServer.start();
  expect(await server.stop('SIGTERM')).toBe(0);
});

test('SIGTERM that comes while it starts ends it with 0 too', async () => {
  const file = write('warned.yaml', `${listen({})}allow: [ 0.0.0.0/0 ]\n`);
  const args = [MAIN, 'serve', '-c', file];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // The first line it writes is the warning, before it listens anywhere.
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  server.kill('SIGTERM');
  expect(line.toString()).toContain('exempts everybody');
  expect(await once(server, 'exit')).toEqual([0, null]);
});

test('asking for the version loads no server', async () => {
  const trace = `import { registerHooks } from 'node:module';
    import { writeSync } from 'node:fs';
    registerHooks({ load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); } });`;
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(trace)}`];
  for (const args of [['--version'], ['streams', '--help']]) {
    const { code, stderr } = await headgate(args, { nodeArgs });
    expect(code).toBe(0);
    expect(stderr).toContain('/commander/');
    // Words that options are made of it does load: the names of reasons, states and limits.
    expect(stderr).not.toMatch(/fastify|zod|pino|prom-client|src\/(app|ingest|native|config|control)\b/);
    expect(stderr).not.toMatch(/src\/http\/(server|routes|schemas)/);
  }
});
