import * as v from 'valibot';
import { BuildRequest, type BuildResult } from '../../api.ts';
import { byteReader } from '../../../guest-agent/tar/byte-reader.ts';
import { NestError, asNestError, toErrorBody } from '../../errors.ts';
import { familiarName, normalize } from '../../images/images.ts';
import { progressTo } from '../../progress.ts';
import { buildFromTar } from '../build/build.ts';
import { eventReport } from '../build/report.ts';
import type { Context } from '../context.ts';
import { parseInput } from '../input.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { NDJSON } from './result-stream.ts';

/** Builds of nest's own client; Docker's are in docker-api/build.ts. @param folder for files that QEMU opens */
export function buildRoutes(ctx: Context, folder: string): Route[] {
  return [{ method: 'POST', path: '/nest/builds', handle: (call) => build(ctx, folder, call) }];
}

async function build(ctx: Context, folder: string, call: Call): Promise<Reply> {
  const { request, rest } = await readRequest(call.body as AsyncIterable<Buffer>);
  const options = {
    ...request,
    references: request.tags.map(normalize),
    buildArgs: new Map(Object.entries(request.buildArgs)),
    secrets: new Map(Object.entries(request.secrets).map(([id, text]) => [id, Buffer.from(text, 'base64')])),
  };
  const stream = ctx.work.lines(async (emit) => {
    try {
      const tools = { report: eventReport(emit), progress: progressTo(emit), signal: call.signal, folder };
      const image = await buildFromTar(ctx, options, rest, tools);
      const value: BuildResult = {
        id: image.id,
        names: options.references.map(familiarName),
        layers: image.layers,
        size: image.size,
      };
      emit({ type: 'result', value });
    } catch (error) {
      emit({ type: 'error', error: toErrorBody(asNestError(error)) });
    }
  });
  return { status: 200, stream, contentType: NDJSON };
}

/** The body's first line is the request, the rest the context's tar. */
async function readRequest(
  body: AsyncIterable<Buffer>,
): Promise<{ request: BuildRequest; rest: AsyncIterable<Buffer> }> {
  const cut = () => new NestError('invalid-input', 'read the request: it is cut short');
  const input = byteReader(body, cut);
  const parts: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = await input.some(64 * 1024, '');
    const end = chunk.indexOf(0x0a);
    parts.push(end === -1 ? chunk : chunk.subarray(0, end));
    size += chunk.length;
    if (size > REQUEST_LIMIT)
      throw new NestError('invalid-input', `read the request: longer than ${REQUEST_LIMIT} bytes`);
    if (end === -1) continue;
    const text = Buffer.concat(parts).toString('utf8');
    const request = parseInput(v.pipe(v.string(), v.parseJson(), BuildRequest), text, 'read the request');
    return { request, rest: joined(chunk.subarray(end + 1), input) };
  }
}

async function* joined(first: Buffer, input: ReturnType<typeof byteReader>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let part = await input.next(); part !== undefined; part = await input.next()) yield part;
}

/** Dockerfile, arguments and secrets. */
const REQUEST_LIMIT = 16 * 1024 ** 2;
