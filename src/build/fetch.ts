import { createHash } from 'node:crypto';
import type { Match } from './glob.ts';
import { filesKey } from './keys.ts';
import { BuildProblem } from './problem.ts';
import type { Spool } from './spool.ts';
import { spooledNode } from './spooled-file.ts';

export interface FetchOptions {
  spool: Spool;
  /** `sha256:…`, `sha384:…` or `sha512:…`. */
  checksum: string | null;
  signal: AbortSignal;
}

export const isUrl = (source: string): boolean => /^https?:\/\//.test(source);

/**
 * What files from elsewhere are known by in the cache, and how they are had: one whose checksum is given is fetched only
 * when it is asked for.
 *
 * @throws BuildProblem
 */
export async function remoteFiles(
  urls: string[],
  options: FetchOptions,
): Promise<{ identity: unknown[]; fetched: () => Promise<Match[]> }> {
  const { checksum } = options;
  if (checksum !== null) {
    if (urls.length !== 1) throw new BuildProblem('--checksum is for one URL');
    return { identity: [checksum, urls], fetched: () => Promise.all(urls.map((url) => fetchFile(url, options))) };
  }
  const files = await Promise.all(urls.map((url) => fetchFile(url, options)));
  const times = files.map(({ node }) => node.entry.mtime);
  return { identity: [await filesKey(files), times], fetched: () => Promise.resolve(files) };
}

/**
 * Fetches a file on the host: the guests of builds have no network. It is never unpacked. As Docker has it its mode is 0600
 * and its time the server's Last-Modified, or 1970.
 */
async function fetchFile(url: string, { spool, checksum, signal }: FetchOptions): Promise<Match> {
  const { name, href, headers } = requestOf(url);
  const fail = (why: string, cause?: unknown) => new BuildProblem(`fetch ${href}: ${why}`, { cause });
  const expected = checksum === null ? undefined : parseChecksum(checksum);
  try {
    const response = await fetch(href, { headers, signal });
    if (!response.ok) throw fail(`${response.status} ${response.statusText}`);
    const hash = createHash(expected?.algorithm ?? 'sha256');
    const spooled = await spool.write(hashed(response.body, hash));
    const found = `${expected?.algorithm ?? 'sha256'}:${hash.digest('hex')}`;
    if (checksum !== null && found !== checksum) throw fail(`its checksum is ${found}, not ${checksum}`);
    const modified = Date.parse(response.headers.get('last-modified') ?? '');
    const mtime = Number.isNaN(modified) ? 0 : Math.floor(modified / 1000);
    return { name, node: spooledNode(spooled, { mode: 0o600, mtime }) };
  } catch (error) {
    if (error instanceof BuildProblem || signal.aborted) throw error;
    const { cause } = error as Error;
    throw fail(cause instanceof Error ? cause.message : String(error), error);
  }
}

async function* hashed(body: Response['body'], hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > LARGEST) throw new BuildProblem(`it is larger than ${LARGEST / 1024 ** 3} GiB`);
    hash.update(chunk);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

/** @throws BuildProblem */
function parseChecksum(checksum: string): { algorithm: string } {
  const [, bits = '', hex = ''] = /^sha(256|384|512):([0-9a-f]+)$/.exec(checksum) ?? [];
  if (hex !== '' && hex.length * 4 === Number(bits)) return { algorithm: `sha${bits}` };
  throw new BuildProblem(`--checksum=${checksum}: it takes sha256:, sha384: or sha512: and the digest in hex`);
}

/**
 * A login in the URL goes into a header, and into no message.
 *
 * @returns `name`: the last component of the URL's path, empty where it has none; as a byte string
 */
function requestOf(url: string): { name: string; href: string; headers: Record<string, string> } {
  try {
    const plain = new URL(url);
    const login = [plain.username, plain.password].map(decodeURIComponent).join(':');
    plain.username = plain.password = plain.hash = '';
    const headers = login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    const name = Buffer.from(decodeURIComponent(plain.pathname.split('/').at(-1) ?? ''), 'utf8').toString('latin1');
    return { name, href: plain.href, headers };
  } catch {
    // The parser's own error shows the whole URL.
    throw new BuildProblem(`\`${url.replace(/\/\/[^/]*@/, '//')}\` is no URL`);
  }
}

const LARGEST = 32 * 1024 ** 3;
