import * as Flags from '@oclif/core/flags';

/** How to find out whether a container works. */
export const HEALTH_FLAGS = {
  'health-cmd': Flags.string({ summary: 'Command that tells whether it works', helpValue: 'COMMAND' }),
  'health-interval': Flags.string({ summary: 'Time between two checks: 30s', helpValue: 'TIME' }),
  'health-timeout': Flags.string({ summary: 'Time that a check may take', helpValue: 'TIME' }),
  'health-retries': Flags.integer({ summary: 'Failures in a row that make it unhealthy', helpValue: 'N', min: 1 }),
  'health-start-period': Flags.string({
    summary: 'Time after the start in which failures do not count',
    helpValue: 'TIME',
  }),
  'health-start-interval': Flags.string({ summary: 'Time between two checks in the start period', helpValue: 'TIME' }),
  'no-healthcheck': Flags.boolean({ summary: "Leave out the image's health check", exclusive: ['health-cmd'] }),
};
