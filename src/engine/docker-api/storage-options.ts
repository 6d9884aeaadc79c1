import { LEAST_STORAGE } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { readSize } from '../../quantities.ts';

/**
 * Bytes that a container's writable layer may hold, as the option `size` of Docker's overlay2 driver says it: "2g".
 *
 * @throws NestError `unsupported` for another option, `invalid-input` for a value
 */
export function storageLimit(options: Record<string, string>): number {
  const unknown = Object.keys(options).find((name) => name !== 'size');
  if (unknown !== undefined)
    throw new NestError('unsupported', `HostConfig.StorageOpt: not supported by nest: ${unknown.slice(0, 64)}`, {
      hint: 'supported: size',
    });
  const text = options['size'] ?? '';
  const bytes = readSize(text) ?? 0;
  if (bytes >= LEAST_STORAGE && Number.isSafeInteger(bytes)) return bytes;
  throw new NestError('invalid-input', `HostConfig.StorageOpt.size: \`${text.slice(0, 64)}\` is no size from 1m on`, {
    hint: 'for example size=2g',
  });
}

/** As GET /containers/{id}/json shows it. */
export const storageOptions = (limit: number | undefined) => (limit === undefined ? null : { size: String(limit) });
