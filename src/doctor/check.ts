import type { Probes } from './probes.ts';

/** What a check found. Only `failed` keeps nest from working; `note` is worth knowing. */
export interface Verdict {
  status: 'ok' | 'note' | 'warning' | 'failed';
  detail: string;
  /** What to do next. */
  hint?: string;
  /** Present when the doctor itself can mend it. */
  mend?: Mend;
}

export interface Mend {
  /** What it does, as a person would do it by hand. */
  command: string;
  run: () => Promise<void>;
}

/** One requirement of this host, as data. Checks know nothing of each other and run at the same time. */
export interface Check {
  /** Stable: scripts match it. */
  id: string;
  /** A word or two. */
  what: string;
  why: string;
  examine: (probes: Probes) => Promise<Verdict>;
}

export const ok = (detail: string): Verdict => ({ status: 'ok', detail });
