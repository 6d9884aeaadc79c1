import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { archiveTree } from '../../src/build/archive-tree.ts';
import { buildImage, type BuildRequest, type RunRequest } from '../../src/build/build.ts';
import { openSpool } from '../../src/build/spool.ts';
import { NestError } from '../../src/errors.ts';
import type { Image, Images } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { from, openTestImages } from '../helpers/image-store.ts';
import { streamOf, tarOf, writeImage, type TarEntry } from '../helpers/images.ts';

interface Built {
  image: Image;
  /** `cached` or `done`, for each step. */
  steps: string[];
  warnings: string[];
  runs: (Omit<RunRequest, 'extra'> & { extra: string[] })[];
  /** `name mode uid:gid content` of each layer's entries. */
  layers: string[][];
}

/** Builds on a real store; RUN gives back a layer that the test makes up. */
export async function builder(
  t: ExecutionContext,
  base: TarEntry[] = [{ name: 'etc/passwd', content: 'root:x:0:0::/:\nweb:x:33:34::/:\n' }],
) {
  const { images, folder } = await openTestImages(t);
  const layer = { tar: await tarOf(base) };
  await images.load(
    from(await writeImage(path.join(folder, 'base'), [layer], { name: 'localhost/base:latest', cmd: ['base'] })),
    silent,
  );
  let count = 0;
  return {
    images,
    build: async (
      dockerfile: string,
      context: TarEntry[] = [],
      change: Partial<BuildRequest> & { changes?: TarEntry[] } = {},
    ): Promise<Built> => {
      const { changes = [{ name: 'ran', content: 'ran' }], ...request } = change;
      await using assembly = await images.assemble();
      await using spool = await openSpool(path.join(assembly.stage, `spool-${(count += 1)}`));
      const built: Omit<Built, 'image' | 'layers'> = { steps: [], warnings: [], runs: [] };
      const id = await buildImage(
        {
          dockerfile,
          fileName: 'Dockerfile',
          context: await archiveTree(streamOf(await tarOf(context)), spool),
          spool,
          buildArgs: new Map(),
          target: null,
          noCache: false,
          labels: {},
          references: ['localhost/built:latest'],
          secrets: new Map(),
          now: Date.parse('2030-01-01'),
          ...request,
        },
        {
          assembly,
          findBase: (name) => findImage(images, name),
          async run(run) {
            built.runs.push({ ...run, extra: run.extra === undefined ? [] : await listing(run.extra) });
            return streamOf(await tarOf(changes));
          },
          report: {
            async step(_step, work) {
              built.steps.push(await work(() => undefined));
            },
            warn: (message) => built.warnings.push(message),
          },
          signal: new AbortController().signal,
        },
      );
      const image = await findImage(images, id);
      const layers = assembly.layersOf(id) ?? [];
      return { ...built, image, layers: await Promise.all(layers.map((each) => listing(assembly.openLayer(each)))) };
    },
  };
}

async function findImage(images: Images, name: string): Promise<Image> {
  const image = await images.find(name);
  if (image === undefined) throw new NestError('image-not-found', name);
  return image;
}

async function listing(tar: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { entry, body } of readTar(tar)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    lines.push(
      `${entry.name} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${Buffer.concat(chunks).toString()}`.trimEnd(),
    );
  }
  return lines;
}
