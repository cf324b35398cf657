/** One stream's last minutes, for its charts: from the server at first, then with every reading. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import type { StreamColumn, StreamHistory } from '../../src/telemetry/history/streams.ts';
import type { ApiError } from '../live/api.ts';
import { useAsk } from '../live/use-ask.ts';
import { COURSE_SPAN_S, GAP_S, type Mark, marksOf, readAtS, StreamCourse } from './course.ts';

export interface CourseView {
  /** what the server says of the past; null while it is asked, or when nothing is known */
  readonly history: StreamHistory | null;
  readonly error: ApiError | null;
  /** seconds since 1970; a new array for every new point */
  readonly times: readonly number[];
  readonly columns: Readonly<Record<StreamColumn, readonly (number | null)[]>>;
  /** seconds from the first point to the last, as wide as the charts are drawn */
  readonly spanS: number;
  readonly throttled: readonly Mark[];
  readonly dropped: readonly Mark[];
  latest(name: StreamColumn): number | null;
}

/** A young stream fills the chart as well; whole minutes, so that the axis does not creep. */
function spanOf(times: readonly number[]): number {
  const age = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return Math.min(COURSE_SPAN_S, Math.max(60, Math.ceil(age / 60) * 60));
}

/** `stream` is null when it does not live (any more): then the history is asked for its end. */
export function useCourse(id: string, stream: StreamSnapshot | null): CourseView {
  const path = `/api/v1/streams/${encodeURIComponent(id)}/history`;
  const { answer: history, error, again } = useAsk<StreamHistory>(path, Number.POSITIVE_INFINITY);
  const course = useMemo(() => StreamCourse.of(history), [history]);
  const lastAt = useRef(Number.NaN);
  const lives = stream !== null;
  useEffect(() => {
    if (!lives) again();
  }, [lives]);
  useEffect(() => {
    if (stream === null) return;
    const at = readAtS(stream);
    // The tab was hidden, or the connection gone: the server knows what was missed.
    if (at - lastAt.current > GAP_S) again();
    lastAt.current = at;
  }, [stream]);
  return useMemo(() => {
    if (stream !== null) course.append(stream);
    return {
      history,
      error,
      times: [...course.times],
      columns: { ...course.columns },
      spanS: spanOf(course.times),
      throttled: marksOf(course, 'throttled'),
      dropped: marksOf(course, 'dropped'),
      latest: (name) => course.latest(name),
    };
  }, [course, stream, error]);
}
