import * as v from 'valibot';
import { asNestError, NestError } from '../../errors.ts';
import { familiarName, normalize } from '../../images/images.ts';
import { progressTo } from '../../progress.ts';
import type { BuildEvent } from '../../api.ts';
import { buildFromTar, type BuildOptions } from '../build/build.ts';
import { eventReport } from '../build/report.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { flag } from './query.ts';

/** POST /build, as Docker's clients without BuildKit send it. @param folder for files that QEMU opens */
export function dockerBuildRoutes(ctx: Context, folder: string): Route[] {
  return [
    { method: 'POST', path: '/build', handle: (call) => build(ctx, folder, call) },
    {
      method: 'POST',
      path: '/build/prune',
      handle: async () => ({ status: 200, json: { CachesDeleted: [], SpaceReclaimed: await ctx.images.pruneCache() } }),
    },
  ];
}

function build(ctx: Context, folder: string, call: Call): Reply {
  const options = readOptions(call.query);
  const quiet = flag(call.query, 'q');
  const stream = ctx.work.lines(async (emit) => {
    const show = (event: BuildEvent) => {
      const line = quiet ? undefined : dockerLine(event);
      if (line !== undefined) emit({ stream: line });
    };
    try {
      const tools = { report: eventReport(show), progress: progressTo(() => undefined), signal: call.signal, folder };
      const { id } = await buildFromTar(ctx, options, call.body as AsyncIterable<Buffer>, tools);
      emit({ aux: { ID: id } });
      emit({ stream: quiet ? `${id}\n` : `Successfully built ${id.slice('sha256:'.length, 'sha256:'.length + 12)}\n` });
      if (!quiet)
        for (const name of options.references) emit({ stream: `Successfully tagged ${familiarName(name)}\n` });
    } catch (error) {
      const { message, code, hint } = asNestError(error);
      emit({ errorDetail: { message, code, ...(hint !== undefined && { hint }) }, error: message });
    }
  }, '\r\n');
  return { status: 200, stream, contentType: 'application/json' };
}

function dockerLine(event: BuildEvent): string | undefined {
  switch (event.type) {
    case 'build-step':
      if (event.state === 'running') return `Step ${event.number}/${event.total} : ${event.text}\n`;
      return event.state === 'cached' ? ' ---> Using cache\n' : undefined;
    case 'output':
      return event.text;
    case 'warning':
      return `[Warning] ${event.message}\n`;
    case 'step':
    case 'result':
    case 'error':
      return undefined;
  }
}

/** What would change the result and is not known is refused; what only tunes Docker's builder is passed over. */
function readOptions(query: URLSearchParams): BuildOptions {
  for (const name of ['remote', 'extrahosts', 'squash', 'outputs'])
    if (!['', '[]', '0', 'false', 'null', null].includes(query.get(name)))
      throw new NestError('unsupported', `build: \`${name}\` is not supported by nest`, { hint: 'leave it out' });
  if (query.get('version') === '2')
    throw new NestError('unsupported', 'build: BuildKit is not supported by nest', { hint: 'set DOCKER_BUILDKIT=0' });
  const platform = query.get('platform') || 'linux/amd64';
  if (!/^linux\/(amd64|x86_64)$/.test(platform))
    throw new NestError('unsupported', `build for platform \`${platform}\`: guests run linux/amd64`);
  return {
    dockerfile: { path: query.get('dockerfile') || 'Dockerfile' },
    references: query
      .getAll('t')
      .filter((name) => name !== '')
      .map(normalize),
    buildArgs: new Map(
      Object.entries(record(query, 'buildargs')).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    ),
    target: query.get('target') || null,
    noCache: flag(query, 'nocache'),
    pull: flag(query, 'pull') ? 'always' : 'missing',
    labels: Object.fromEntries(Object.entries(record(query, 'labels')).map(([name, value]) => [name, value ?? ''])),
    secrets: new Map(),
  };
}

function record(query: URLSearchParams, name: string): Record<string, string | null> {
  const parsed = v.safeParse(Strings, query.get(name) || '{}');
  if (parsed.success) return parsed.output ?? {};
  throw new NestError('invalid-input', `query \`${name}\`: not a JSON object of strings`);
}

const Strings = v.pipe(v.string(), v.parseJson(), v.nullable(v.record(v.string(), v.nullable(v.string()))));
