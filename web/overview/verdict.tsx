import { Badge } from '../ui/badge.tsx';
import { Moment } from '../ui/moment.tsx';
import type { Finding } from './findings.ts';

export interface VerdictProps {
  readonly findings: readonly Finding[];
  /** the figures are old: whatever they say, it may have changed */
  readonly stale: boolean;
}

/** The first thing to see: all is well, or what is not, since when, and what to do about it. */
export function Verdict({ findings, stale }: VerdictProps) {
  const worst = findings[0]?.tone ?? 'info';
  const troubles = findings.filter(({ tone }) => tone !== 'info').length;
  const calm = troubles === 0;
  const tone = stale ? 'unknown' : calm ? 'ok' : worst;
  return (
    <section class={`verdict ${tone}`} aria-labelledby="verdict">
      <header>
        <h1 id="verdict">{stale ? 'Not known now' : headline(worst, troubles)}</h1>
        {stale ? (
          <p>What follows is how it was when the server was heard last.</p>
        ) : calm ? (
          <p>The gate is open, and the machine has room.</p>
        ) : null}
      </header>
      {findings.length === 0 ? null : (
        <ul>
          {findings.map(({ key, tone, what, since, advice, link }) => (
            <li key={key}>
              <Badge tone={tone}>{WORDS[tone]}</Badge>
              <div>
                <p>
                  {what}.{' '}
                  {since === null ? null : (
                    <span class="soft">
                      Since <Moment at={since} />.
                    </span>
                  )}
                </p>
                {advice === null && link === null ? null : (
                  <p class="soft">
                    {advice === null ? null : `${advice}. `}
                    {link === null ? null : <a href={link.href}>{link.text}</a>}
                  </p>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function headline(worst: Finding['tone'], troubles: number): string {
  if (worst === 'bad') return 'This needs you now';
  if (troubles === 0) return 'All is well';
  return troubles === 1 ? 'One thing to look at' : `${troubles} things to look at`;
}

const WORDS: Readonly<Record<Finding['tone'], string>> = { bad: 'act', warn: 'look', info: 'note' };
