import { describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { apiAddress } from '../../../src/cli/api/address.ts';
import { changeOf } from '../../../src/cli/commands/limit.ts';
import { terminalOf } from '../../../src/cli/terminal.ts';
import { CapturedTerminal, headgate } from './capture.ts';

const COMMANDS = ['serve', 'check', 'top', 'streams', 'stream', 'kick', 'limit', 'why', 'events'];

describe('a wrong command line ends with 2 and one line that says what to do', () => {
  test.each([
    ['strems', "headgate: unknown command 'strems'; did you mean streams?"],
    ['xyzzy', "headgate: unknown command 'xyzzy'; see headgate --help"],
    ['streams --jsn', "headgate: unknown option '--jsn'; did you mean --json?"],
    ['streams --xyzzy', "headgate: unknown option '--xyzzy'; see headgate streams --help"],
    ['--url http://x streams', "headgate: unknown option '--url'; write --url after the command"],
    ['-c x serve', "headgate: unknown option '-c'; write -c after the command"],
    ['stream', "headgate: missing required argument 'id'; see headgate stream --help"],
    ['streams --url', "headgate: option '--url <url>' argument missing; see headgate streams --help"],
    ['streams more', 'headgate: too many arguments'],
    ['events -n 0', 'Expected 1 to 1000'],
    ['why x -n 1001', 'Expected 1 to 1000'],
    ['limit cam1', 'headgate: name what to change, such as max_bitrate=4Mbps'],
    [
      'limit cam1 max_bitrat=1Mbps',
      'headgate: max_bitrat is no limit of a stream; did you mean max_bitrate?',
    ],
    ['limit cam1 constructor=1', 'headgate: constructor is no limit of a stream; the limits are'],
    ['limit cam1 max_fps', 'headgate: max_fps needs a value: max_fps=VALUE'],
    ['limit cam1 max_fps=1fps max_fps=2fps', 'headgate: max_fps is given twice'],
    [
      'limit cam1 --clear --for 1m',
      'headgate: --clear takes all overrides back and goes with no other change',
    ],
    [
      'why cam1 --reason stream_bitrat',
      'headgate: --reason stream_bitrat is no reason; did you mean stream_bitrate?',
    ],
    ['streams --url ftp://x', 'headgate: --url ftp://x is not http:// or https://'],
    [
      'streams --url http://[',
      'headgate: --url http://[ is no URL; expected something like http://127.0.0.1:8080',
    ],
    ['streams --url http://u:secret@x', 'headgate: --url has a user or password in it'],
    ['streams --token a\tb', 'headgate: --token is no token'],
  ])('headgate %s', async (line, says) => {
    const { code, stdout, stderr } = await headgate(line.split(' '));
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^headgate: .*\n$/);
    expect(stderr).not.toContain('secret');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('escapes what could drive the terminal', async () => {
    const { stderr } = await headgate(['\u001b[2Jx\u202e']);
    expect(stderr).toContain('\\u001b[2Jx\\u202e');
    expect(stderr).not.toContain('\u001b');
  });

  test('no command at all shows the help, on stderr', async () => {
    const { code, stdout, stderr } = await headgate([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const command of COMMANDS) expect(stderr).toContain(`\n  ${command} `);
  });
});

test.each(COMMANDS)('headgate %s --help says how it is used, and takes no server', async (command) => {
  const { code, stdout, stderr } = await headgate([command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: headgate ${command}`);
});

test('--version is the version of the package', async () => {
  expect(await headgate(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
});

test('help fits the terminal', async () => {
  const { stdout } = await headgate(['--help'], new CapturedTerminal({ isTty: true, columns: 80 }));
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe('where the server is', () => {
  test.each([
    [{}, {}, 'http://127.0.0.1:8080'],
    [{}, { HEADGATE_URL: 'http://gate:1' }, 'http://gate:1'],
    [{}, { HEADGATE_URL: '' }, 'http://127.0.0.1:8080'],
    [{ url: 'http://other:2/' }, { HEADGATE_URL: 'http://gate:1' }, 'http://other:2'],
    [{ url: 'localhost:8080' }, {}, 'http://localhost:8080'],
    [{ url: '127.0.0.1:8080' }, {}, 'http://127.0.0.1:8080'],
    [{ url: '[::1]:8080' }, {}, 'http://[::1]:8080'],
    [{ url: 'https://proxy/headgate//' }, {}, 'https://proxy/headgate'],
  ])('%o under %o is %s', (given, env, url) => {
    expect(apiAddress(given, env).url).toBe(url);
  });

  test.each([
    [{}, {}, null],
    [{}, { HEADGATE_TOKEN: '' }, null],
    [{}, { HEADGATE_TOKEN: 'fromenv' }, 'fromenv'],
    [{ token: 'given' }, { HEADGATE_TOKEN: 'fromenv' }, 'given'],
  ])('the token of %o under %o is %s', (given, env, token) => {
    expect(apiAddress(given, env).token).toBe(token);
  });

  test('a token that no header can carry is not repeated in the error', () => {
    expect(() => apiAddress({}, { HEADGATE_TOKEN: 's3cret\n' })).toThrow(
      /^(?!.*s3cret).*HEADGATE_TOKEN is no token/s,
    );
  });
});

describe('changes of limits', () => {
  const asked = { stream: 'x', changes: [], for: undefined, clear: false, json: false };

  test('values go as they are, config takes an override back', () => {
    expect(changeOf({ ...asked, changes: ['max_bitrate=4Mbps', 'grace=never', 'on_exceed=config'] })).toEqual(
      {
        max_bitrate: '4Mbps',
        grace: 'never',
        on_exceed: null,
      },
    );
  });

  test('--clear takes all of them back', () => {
    expect(changeOf({ ...asked, clear: true })).toEqual({
      max_bitrate: null,
      max_fps: null,
      max_packets_per_sec: null,
      on_exceed: null,
      grace: null,
    });
  });
});

describe('a terminal', () => {
  const of = (isTTY: boolean, env: Record<string, string>, columns = 80) =>
    terminalOf({ write: () => true, isTTY, columns }, { write: () => true }, env, () => 0);

  test.each([
    ['a pipe has neither colours nor columns', of(false, { LANG: 'C.UTF-8' }), false, false, null],
    ['a terminal has both', of(true, { LANG: 'C.UTF-8' }), true, true, 80],
    ['NO_COLOR is respected', of(true, { NO_COLOR: '1', LANG: 'C.UTF-8' }), false, true, 80],
    ['an empty NO_COLOR is none', of(true, { NO_COLOR: '' }), true, false, 80],
    ['a dumb terminal has no colours', of(true, { TERM: 'dumb' }), false, false, 80],
    ['LC_ALL goes before LANG', of(true, { LC_ALL: 'C', LANG: 'C.UTF-8' }), true, false, 80],
    ['a terminal without a size has no columns', of(true, {}, 0), true, false, null],
  ])('%s', (_what, terminal, colour, unicode, columns) => {
    expect(terminal).toMatchObject({ colour, unicode, columns });
  });
});
