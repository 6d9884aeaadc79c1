import type { LogLimits } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { readSize } from '../../quantities.ts';

/**
 * How much of the log is kept, as the options of Docker's json-file driver say it:
 * https://docs.docker.com/engine/logging/drivers/json-file/. Undefined is left to the agent, which bounds every log.
 *
 * @throws NestError `unsupported` for another driver or option, `invalid-input` for a value
 */
export function logLimits(
  config: { Type?: string | null | undefined; Config?: Record<string, string> | null | undefined } | null | undefined,
): LogLimits | undefined {
  const driver = config?.Type;
  if (driver !== undefined && driver !== null && !DRIVERS.includes(driver))
    throw new NestError('unsupported', `HostConfig.LogConfig.Type: not supported by nest yet: ${driver.slice(0, 64)}`, {
      hint: 'leave the driver out: logs are kept as json-file keeps them',
    });
  const options = Object.entries(config?.Config ?? {});
  const unknown = options.find(([name]) => name !== 'max-size' && name !== 'max-file');
  if (unknown !== undefined)
    throw new NestError(
      'unsupported',
      `HostConfig.LogConfig.Config: not supported by nest yet: ${unknown[0].slice(0, 64)}`,
      {
        hint: 'supported: max-size, max-file',
      },
    );
  if (options.length === 0) return undefined;
  const given = new Map(options);
  return { size: size(given.get('max-size')), files: files(given.get('max-file')) };
}

/** As GET /containers/{id}/json shows it. */
export function logConfig(limits: LogLimits | undefined): Record<string, unknown> {
  const options = limits && { 'max-size': String(limits.size), 'max-file': String(limits.files) };
  return { Type: 'json-file', Config: options ?? {} };
}

function size(text = '10m'): number {
  const bytes = readSize(text) ?? 0;
  if (bytes >= LEAST && bytes <= MOST) return bytes;
  throw new NestError(
    'invalid-input',
    `HostConfig.LogConfig.Config.max-size: ${text.slice(0, 64)} is no size from 4k to 1024g`,
    {
      hint: 'for example 10m',
    },
  );
}

function files(text = '1'): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000) return Number(text);
  throw new NestError(
    'invalid-input',
    `HostConfig.LogConfig.Config.max-file: ${text.slice(0, 64)} is no number from 1 to 1000`,
  );
}

const DRIVERS = ['', 'json-file', 'local'];
const LEAST = 4096;
const MOST = 1024 ** 4;
