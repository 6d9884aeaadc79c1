import { NestError } from '../../errors.ts';
import type { Route } from './route.ts';

export interface Match {
  route: Route;
  params: Record<string, string>;
  query: URLSearchParams;
}

export type Router = (method: string, target: string) => Match;

/** @throws (when asked) NestError `invalid-input`, `unsupported`: what matches no route is not supported yet. */
export function createRouter(routes: Route[]): Router {
  const table = routes.map((route) => ({ route, pattern: new URLPattern({ pathname: route.path }) }));
  return (method, target) => {
    const { pathname, query } = parseTarget(target);
    for (const { route, pattern } of table) {
      if (route.method !== method) continue;
      const groups = pattern.exec({ pathname })?.pathname.groups;
      if (groups !== undefined) return { route, params: decoded(groups), query };
    }
    throw new NestError('unsupported', `${method} ${pathname.slice(0, 200)}: not supported by nest yet`);
  };
}

function parseTarget(target: string): { pathname: string; query: URLSearchParams } {
  const url = URL.parse(target, 'http://engine');
  if (url === null) throw new NestError('invalid-input', 'parse the request: its path is not one');
  const version = /^\/v(\d{1,3})\.(\d{1,3})(?=\/)/.exec(url.pathname);
  if (version === null) return { pathname: url.pathname, query: url.searchParams };
  checkVersion(Number(version[1]), Number(version[2]));
  return { pathname: url.pathname.slice(version[0].length), query: url.searchParams };
}

function checkVersion(major: number, minor: number): void {
  const asked = `${major}.${minor}`;
  if (major === MAJOR && minor >= OLDEST_MINOR && minor <= NEWEST_MINOR) return;
  const newer = major > MAJOR || (major === MAJOR && minor > NEWEST_MINOR);
  throw new NestError(
    'invalid-input',
    newer
      ? `client version ${asked} is too new. Maximum supported API version is ${API_VERSION}`
      : `client version ${asked} is too old. Minimum supported API version is ${OLDEST_API_VERSION}`,
  );
}

function decoded(groups: Record<string, string | undefined>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value ?? '')]));
  } catch (error) {
    throw new NestError('invalid-input', 'parse the request: its path is not percent-encoded UTF-8', { cause: error });
  }
}

const MAJOR = 1;
const OLDEST_MINOR = 24;
const NEWEST_MINOR = 47;

/** Versions of the Docker Engine API that are served. */
export const API_VERSION = `${MAJOR}.${NEWEST_MINOR}`;
export const OLDEST_API_VERSION = `${MAJOR}.${OLDEST_MINOR}`;
