import type { ServerHttp2Stream } from 'node:http2';
import type { Runtime } from '../runtime.ts';

/** One request. A handler either returns the reply or answers on `stream` itself. */
export interface Call {
  runtime: Runtime;
  stream: ServerHttp2Stream;
  params: Params;
  query: URLSearchParams;
  /** Aborted when the client has left or has got everything. */
  left: AbortSignal;
}

/** The `:names` of a path; '' for those it does not have. */
export interface Params {
  id: string;
  execId: string;
  diffId: string;
  volume: string;
  copy: string;
  port: string;
}

export interface Reply {
  status: number;
  body?: unknown;
}

export type Handler = (call: Call) => Promise<Reply | undefined> | Reply | undefined;

/** `METHOD /path/:name` → handler. */
export type Routes = Record<string, Handler>;

/** Finds the handler of a request; undefined when there is none. */
export function router(
  routes: Routes,
): (method: string, path: string) => { handler: Handler; params: Params } | undefined {
  const table = Object.entries(routes).map(([route, handler]) => {
    const [method = '', path = ''] = route.split(' ');
    return { method, pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`), handler };
  });
  return (method, path) => {
    for (const route of table) {
      const match = route.method === method ? route.pattern.exec(path) : null;
      if (match !== null) return { handler: route.handler, params: { ...NO_PARAMS, ...match.groups } };
    }
    return undefined;
  };
}

const NO_PARAMS: Params = { id: '', execId: '', diffId: '', volume: '', copy: '', port: '' };
