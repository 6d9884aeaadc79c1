import { parseDuration } from './docker-values.ts';

/** A health check as the flags of HEALTH_FLAGS say it. */
export interface HealthOptions {
  'health-cmd'?: string | undefined;
  'health-interval'?: string | undefined;
  'health-timeout'?: string | undefined;
  'health-retries'?: number | undefined;
  'health-start-period'?: string | undefined;
  'health-start-interval'?: string | undefined;
  'no-healthcheck': boolean;
}

export interface Healthcheck {
  Test?: string[];
  /** Nanoseconds. */
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** Docker's Healthcheck; what was not asked is left to the image. Undefined when nothing was. Throws `invalid-input`. */
export function healthCheck(options: HealthOptions): Healthcheck | undefined {
  if (options['no-healthcheck']) return { Test: ['NONE'] };
  const time = (name: 'interval' | 'timeout' | 'start-period' | 'start-interval') => {
    const text = options[`health-${name}`];
    return text === undefined ? undefined : parseDuration(text) * 1e6;
  };
  const command = options['health-cmd'];
  const fields = {
    Test: command === undefined ? undefined : ['CMD-SHELL', command],
    Interval: time('interval'),
    Timeout: time('timeout'),
    StartPeriod: time('start-period'),
    StartInterval: time('start-interval'),
    Retries: options['health-retries'],
  };
  const asked = Object.entries(fields).filter(([, value]) => value !== undefined);
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}
