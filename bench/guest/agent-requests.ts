import { randomBytes } from 'node:crypto';
import type { ContainerSpec, Identity } from '../../guest-agent/api.ts';
import { DIFF_ID, ENVIRONMENT } from './contract.ts';

/** What an engine gives a guest first. */
export const identity = (): Identity => ({
  hostname: 'bench',
  machineId: randomBytes(16).toString('hex'),
  entropy: randomBytes(66).toString('base64'),
  now: Date.now(),
});

/** A container of the one layer, with an id of its own. */
export function containerSpec(argv: string[]): ContainerSpec {
  return {
    id: randomBytes(32).toString('hex'),
    hostname: 'bench',
    layers: [DIFF_ID],
    argv,
    env: ENVIRONMENT,
    cwd: '/',
    user: '',
    stdin: false,
    stopSignal: 'SIGTERM',
    stopSeconds: 10,
    limits: {},
    restart: { name: 'no', maximumRetries: 0 },
    annotations: {},
  };
}
