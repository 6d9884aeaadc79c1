/**
 * Does one thing to a store in a process of its own, to be killed with all it has started:
 * `node power-cut-process.ts FOLDER load|pull|assemble|prune SOURCE`. Writes a line when it begins and one when it has ended.
 */
import { createCipheriv } from 'node:crypto';
import { openImages } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { pathsIn, streamOf, tarOf } from '../helpers/images.ts';

const [, , folder = '', action = '', source = ''] = process.argv;
const images = await openImages(pathsIn(folder));
process.stdout.write('begin\n');
switch (action) {
  case 'load':
    await images.load({ kind: 'path', path: source }, silent);
    break;
  case 'pull':
    await images.load({ kind: 'registry', reference: source }, silent);
    break;
  case 'assemble': {
    await using assembly = await images.assemble();
    const layers = [];
    for (const name of ['a', 'b', 'c']) {
      const tar = await tarOf([{ name, content: noise(name, 500_000) }]);
      layers.push(await assembly.addLayer(streamOf(tar, 64 * 1024), silent));
    }
    await assembly.addImage({ architecture: 'amd64', os: 'linux' }, layers, ['localhost/made:1']);
    break;
  }
  case 'prune':
    await images.prune(() => true);
    break;
  default:
    throw new Error(`unknown action ${action}`);
}
process.stdout.write('end\n');

/** Bytes that do not shrink, and are the same each time: what is made again is the same image. */
function noise(seed: string, length: number): Buffer {
  return createCipheriv('aes-128-ctr', seed.padEnd(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}
