/** Stretches of time as people read them. */

import { count } from './numbers.ts';

/** Milliseconds as `340 ms`, `2.1 s`, `3 min 20 s`, `2 h 05 min`. */
export function duration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 59_950) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(value / 60_000);
  return `${count(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
}

const pad = (value: number) => String(value).padStart(2, '0');
