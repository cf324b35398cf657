import { Badge } from '../ui/badge.tsx';
import { Moment } from '../ui/moment.tsx';
import type { Finding } from './findings.ts';

/** The first thing to see: all is well, or what is not, since when, and what to do about it. */
export function Verdict({ findings }: { readonly findings: readonly Finding[] }) {
  const worst = findings[0]?.tone ?? 'ok';
  const troubles = findings.filter(({ tone }) => tone !== 'info').length;
  const headline =
    worst === 'bad'
      ? 'This needs you now'
      : worst === 'warn'
        ? troubles === 1
          ? 'One thing to look at'
          : `${troubles} things to look at`
        : 'All is well';
  const calm = troubles === 0;
  return (
    <section class={`verdict ${calm ? 'ok' : worst}`} aria-labelledby="verdict">
      <header>
        <h1 id="verdict">{headline}</h1>
        {calm ? <p>The gate is open, and the machine has room.</p> : null}
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

const WORDS: Readonly<Record<Finding['tone'], string>> = { bad: 'act', warn: 'look', info: 'note' };
