import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { headgate } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer } from '../support/server.ts';

/** The completion of real shells, with a real server behind it. */
const ROOT = path.resolve(import.meta.dirname, '../..');
let folder: string;
let server: TestServer;
let publisher: Publisher;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-shell-'));
  // The command as it is installed, run by the Node of the tests.
  writeFileSync(
    path.join(folder, 'run'),
    `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/src/main.ts" "$@"\n`,
    { mode: 0o755 },
  );
  symlinkSync(path.join(folder, 'run'), path.join(folder, 'headgate'));
  writeFileSync(path.join(folder, 'a-file.yaml'), '');
  server = await TestServer.start();
  publisher = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam1`);
  await server.stream('/live/cam1');
});
afterAll(async () => {
  await publisher.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function shell(name: string, args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(name, args, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${folder}:${process.env['PATH']}`,
      HOME: folder,
      HEADGATE_URL: server.url(''),
      ...env,
    },
  });
}

/** What bash offers when TAB is pressed at the end of `line`: the function it registered, called as bash calls it. */
function bash(line: string, env: Record<string, string> = {}): string[] {
  const script = `
source <(headgate completion bash)
complete -p headgate >/dev/null || exit 9
COMP_LINE=$1 COMP_POINT=\${#1}
# Bash breaks the line at = and : as well.
words=\${1//=/ = }; read -ra COMP_WORDS <<< "\${words//:/ : }"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_headgate headgate "\${COMP_WORDS[COMP_CWORD]}" x 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = shell('bash', ['--norc', '-c', script, 'bash', line], env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((each) => each !== '');
}

test('bash: commands, options, words, live streams, and only what follows a sign it breaks words at', async () => {
  const { id } = await server.stream('/live/cam1');
  expect(bash('headgate str')).toEqual(['streams', 'stream']);
  expect(bash('headgate kick --coo')).toEqual(['--cooldown']);
  expect(bash('headgate why cam1 --reason stream_b')).toEqual(['stream_bitrate']);
  expect(bash('headgate why cam1 --reason=stream_b')).toEqual(['stream_bitrate']);
  expect(bash('headgate limit cam1 on_exceed=dr')).toEqual(['drop']);
  expect(bash('headgate kick /live/')).toEqual(['/live/cam1']);
  expect(bash(`headgate stream ${id.slice(0, 3)}`)).toEqual([id]);
});

test('bash: a server that is not there costs nothing but what it knows', () => {
  expect(bash('headgate kick /live/', { HEADGATE_URL: 'http://127.0.0.1:1' })).toEqual([]);
  expect(bash('headgate ki', { HEADGATE_URL: 'http://127.0.0.1:1' })).toEqual(['kick']);
});

test('bash: keys in a real terminal', () => {
  const init = path.join(folder, 'init');
  writeFileSync(init, 'source <(headgate completion bash)\nPS1="> "\n');
  const { stdout } = spawnSync('script', ['-qec', `bash --noprofile --rcfile ${init} -i`, '/dev/null'], {
    cwd: folder,
    input: 'headgate kick --reason x /li\t--help | grep -c Usage\nexit\n',
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${folder}:${process.env['PATH']}`,
      HOME: folder,
      HEADGATE_URL: server.url(''),
      TERM: 'dumb',
    },
    timeout: 30_000,
  });
  expect(stdout).toContain('--reason x /live/cam1 --help');
});

test.each([
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const)('%s can read its script', async (name, args) => {
  const { code, stdout } = await headgate(['completion', name]);
  expect(code).toBe(0);
  expect(stdout).toBe(completionScript(name));
  expect(stdout).toContain('__complete --');
  const file = path.join(folder, `script.${name}`);
  writeFileSync(file, stdout);
  const { status, stderr } = shell(name, [...args, file]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

/** What fish offers: it tells by itself, each candidate with its description after a tab. */
function fish(line: string): string[] {
  const script = 'source (headgate completion fish | psub); complete --do-complete $argv[1]';
  const { status, stdout } = shell('fish', ['--no-config', '-c', script, line]);
  expect(status).toBe(0);
  return stdout.split('\n').flatMap((each) => each.split('\t', 1)[0] || []);
}

/** What zsh is given to offer: the function it registered, with the words of the line; what shows them is replaced. */
function zsh(...words: string[]): string[] {
  const script = `
autoload -U compinit && compinit -u -D
source <(headgate completion zsh)
[[ $_comps[headgate] == _headgate ]] || exit 9
_describe() { print -rl -- "\${(@P)3}" }
words=("$@"); CURRENT=$#words
_headgate`;
  const { status, stdout, stderr } = shell('zsh', ['-f', '-c', script, 'zsh', ...words]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').flatMap((each) => each.split(/(?<!\\):/, 1)[0] || []);
}

test('fish: commands, options, words and live streams', () => {
  expect(fish('headgate str').sort()).toEqual(['stream', 'streams']);
  expect(fish('headgate kick --coo')).toEqual(['--cooldown']);
  expect(fish('headgate why cam1 --reason stream_b')).toEqual(['stream_bitrate']);
  expect(fish('headgate kick /live/')).toEqual(['/live/cam1']);
});

test('zsh: commands, options, words and live streams', () => {
  expect(zsh('headgate', 'str')).toEqual(['streams', 'stream']);
  expect(zsh('headgate', 'kick', '--coo')).toEqual(['--cooldown']);
  expect(zsh('headgate', 'why', 'cam1', '--reason', 'stream_b')).toEqual(['stream_bitrate']);
  expect(zsh('headgate', 'kick', '/live/')).toEqual(['/live/cam1']);
});
