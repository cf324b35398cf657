import { expect, test } from 'vitest';
import { pathIn, soughtIn } from '../../../../src/core/words/sought.ts';

test.each([
  ['/live/cam1', '/live/cam1'],
  ['live/cam1', '/live/cam1'],
  ['rtmp://host:1935/live/cam1?key=x', '/live/cam1'],
  ['http://host:8000/live/cam1.ts', '/live/cam1'],
  ['srt://host:8890?streamid=#!::r=live/cam1,m=publish', '/live/cam1'],
  ['srt://host:8890?latency=200&streamid=#!::m=publish,r=/live/cam1,s=secret&passphrase=x', '/live/cam1'],
  ['srt://host:8890?streamid=%23!%3A%3Ar%3Dlive%2Fcam1%2Cm%3Dpublish&pbkeylen=16', '/live/cam1'],
  ['srt://host:8890?streamid=publish:live/cam1:user:secret', '/live/cam1'],
  ['srt://host:8890?streamid=cam1', '/live/cam1'],
  ['#!::r=cam1,m=publish', '/live/cam1'],
  ['srt://host:8890?streamid=100%', '/live/100%'],
  ['cam1', null],
  ['s-7k2f', null],
])('%s means %s', (text, path) => expect(pathIn(text)).toBe(path));

test.each([
  ['headgate: client_streams limit=3 observed=3 retry_after=5s receipt=r-1f3c', 'r-1f3c'],
  [' r-1f3c ', 'r-1f3c'],
  ['live/cam1', '/live/cam1'],
  ['192.0.2.10', '192.0.2.10'],
  ['2001:db8::/64', '2001:db8::/64'],
  ['alice', 'alice'],
])('who asks about %s means %s', (text, key) => expect(soughtIn(text)).toBe(key));
