import { execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openImages } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { pathsIn, tarOf, temporaryFolder, writeImage } from '../helpers/images.ts';
import { randomNumbers } from '../helpers/random.ts';
import { startRegistry } from '../helpers/registry.ts';

/**
 * SIGKILL of the process and everything it has started, at random moments: NEST_TEST_SEED repeats them,
 * NEST_TEST_POWER_CUTS is how many each action gets.
 */
const SEED = Number(process.env['NEST_TEST_SEED'] ?? randomInt(2 ** 31));
const CUTS = Number(process.env['NEST_TEST_POWER_CUTS'] ?? 5);

const survives = test.macro<['load' | 'pull' | 'assemble' | 'prune']>({
  async exec(t, action) {
    t.log(`NEST_TEST_SEED=${SEED}`);
    const folder = await temporaryFolder(t);
    const source = await sourceFor(t, action, folder);
    const random = randomNumbers(SEED);
    const whole = await run(path.join(folder, 'whole'), folder, action, source, Infinity);
    t.true(whole.ended);
    for (let cut = 0; cut < CUTS; cut++) {
      const data = path.join(folder, `cut-${cut}`);
      const at = random() * whole.milliseconds;
      const { ended } = await run(data, folder, action, source, at);
      const images = await openImages(pathsIn(data));
      const { problems } = await images.check({ repair: false, progress: silent });
      t.deepEqual(problems, [], `killed after ${Math.round(at)} ms${ended ? ', when it had ended' : ''}`);
    }
    // The last one, repeated, succeeds, and on the very data that were cut.
    const again = await run(path.join(folder, `cut-${CUTS - 1}`), folder, action, source, Infinity);
    t.true(again.ended);
    const images = await openImages(pathsIn(path.join(folder, `cut-${CUTS - 1}`)));
    t.is((await images.list()).length, action === 'prune' ? 0 : 1);
    t.deepEqual((await images.check({ repair: false, progress: silent })).problems, []);
  },
  title: (_, action) =>
    `a power cut at any moment of ${action} leaves a store that is whole, and ${action} can be repeated`,
});

test(survives, 'load');
test(survives, 'pull');
test(survives, 'assemble');
test(survives, 'prune');

/** What the action works on; the data that prune empties are copied for each run. */
async function sourceFor(t: ExecutionContext, action: string, folder: string): Promise<string> {
  const tars = await Promise.all(['a', 'b', 'c'].map((name) => tarOf([{ name, content: randomBytes(2_000_000) }])));
  const layers = tars.map((tar) => ({ tar, compression: 'gzip' as const }));
  const source = await writeImage(path.join(folder, 'source'), layers, {
    name: 'localhost/x:1',
    format: 'oci-archive',
  });
  if (action === 'prune') {
    const images = await openImages(pathsIn(path.join(folder, 'full')));
    await images.load({ kind: 'path', path: source }, silent);
    return path.join(folder, 'full');
  }
  if (action !== 'pull') return source;
  const registry = await startRegistry(t);
  const flags = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
  execFileSync('skopeo', [...flags, `oci-archive:${source}`, `docker://${registry}/x:1`]);
  return `${registry}/x:1`;
}

/** @param milliseconds after which all is killed, counted from the action's begin. */
async function run(data: string, folder: string, action: string, source: string, milliseconds: number) {
  await mkdir(data, { recursive: true });
  if (action === 'prune') await cp(path.join(folder, 'full'), data, { recursive: true });
  const program = path.join(import.meta.dirname, 'power-cut-process.ts');
  // A process group of its own: skopeo and sqfstar end with it, as they do without power.
  const child = spawn(process.execPath, [program, data, action, source], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines: string[] = [];
  const begun = Promise.withResolvers<undefined>();
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    begun.resolve(undefined);
  });
  await Promise.race([begun.promise, closed]);
  const start = performance.now();
  if (milliseconds < Infinity) {
    await Promise.race([sleep(milliseconds), closed]);
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }
  await closed;
  return { ended: lines.includes('end'), milliseconds: performance.now() - start };
}
