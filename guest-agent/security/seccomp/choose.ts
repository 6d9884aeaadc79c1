import * as v from 'valibot';
import { invalid } from '../../errors.ts';
import { DEFAULT_PROFILE } from './default-profile.ts';
import { type InstalledFilter, installable, refuseNotify } from './filter.ts';
import { filterOf, SeccompProfile } from './profile.ts';

/**
 * The filter of a container's processes.
 *
 * @param choice `unconfined`, or a profile in JSON; the default one otherwise
 * @param capabilities names without CAP_
 * @throws RequestError when the profile cannot be used, with all that is wrong with it
 */
export function seccompFilter(choice: string | undefined, capabilities: readonly string[]): InstalledFilter | null {
  if (choice === 'unconfined') return null;
  const key = JSON.stringify([choice, capabilities]);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const filter = compile(choice, capabilities);
  const [oldest] = cache.keys();
  if (cache.size >= CACHE_LIMIT && oldest !== undefined) cache.delete(oldest);
  cache.set(key, filter);
  return filter;
}

function compile(choice: string | undefined, capabilities: readonly string[]): InstalledFilter {
  const profile = choice === undefined ? DEFAULT_PROFILE : parseProfile(choice);
  const filter = filterOf(
    profile,
    capabilities.map((name) => `CAP_${name}`),
  );
  const refused = refuseNotify(filter);
  if (refused.length > 0) throw invalid(`check seccomp profile: ${refused.join('; ')}`);
  return installable(filter);
}

function parseProfile(text: string): SeccompProfile {
  const result = v.safeParse(SeccompProfile, parseJson(text));
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'profile'}: ${issue.message}`);
  throw invalid(`check seccomp profile: ${issues.slice(0, 10).join('; ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`read seccomp profile: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Compiling takes longer than all else that a start does. */
const cache = new Map<string, InstalledFilter>();
const CACHE_LIMIT = 64;
