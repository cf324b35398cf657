import type { Page } from 'playwright-core';

/** How smoothly the table of streams goes by. */
export interface ScrollFigures {
  /** ms between two frames, in order */
  readonly frames: readonly number[];
  /** ms of each task that held the page for 50 ms or more */
  readonly longTasks: readonly number[];
  /** rows in the document, the most that there were */
  readonly rowsMax: number;
  /** frames in which nothing but empty space was seen */
  readonly blank: number;
}

/** Scrolls up and down for that long, `step` CSS pixels a frame, while readings come in as they do. */
export function scrollFor(page: Page, seconds: number, step: number): Promise<ScrollFigures> {
  return page.evaluate<ScrollFigures>(`new Promise((resolve) => {
    const place = document.querySelector('.streams-scroll');
    const longTasks = [];
    const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((task) => task.duration)));
    observer.observe({ type: 'longtask' });
    const frames = [];
    const end = performance.now() + ${seconds * 1000};
    let [last, step, rowsMax, blank] = [performance.now(), ${step}, 0, 0];
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      const rows = place.querySelectorAll('tr.stream');
      rowsMax = Math.max(rowsMax, rows.length);
      const { top, bottom } = place.getBoundingClientRect();
      const seen = [...rows].some((row) => {
        const box = row.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
      });
      if (!seen) blank += 1;
      const room = place.scrollHeight - place.clientHeight;
      if (place.scrollTop + step > room || place.scrollTop + step < 0) step = -step;
      place.scrollTop += step;
      if (now < end) requestAnimationFrame(frame);
      else {
        observer.disconnect();
        resolve({ frames, longTasks, rowsMax, blank });
      }
    };
    requestAnimationFrame(frame);
  })`);
}
