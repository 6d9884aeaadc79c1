import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { imageTree } from '../helpers/image-tree.ts';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

let nest: Nest;
let folder: string;

test.before(async () => {
  nest = await openNest();
  folder = path.join(nest.paths.data, 'peer');
  await mkdir(path.join(folder, 'context/tree/deep'), { recursive: true });
});

test.after.always(() => nest.close());

/** What both builders know. */
const DOCKERFILE = `ARG BASE=localhost/peer-base
FROM $BASE AS builder
ARG FLAVOUR=plain
ENV NAME="a name" DIR=/work
WORKDIR $DIR/sub
COPY . .
COPY --chown=nobody:nobody tree/ /owned/
COPY --chmod=640 one*.txt two.txt /texts/
ADD archive.tar.gz /unpacked
RUN echo "$NAME $FLAVOUR" > made && ln made hard && chmod 6755 made && mkfifo -m 600 pipe
RUN ["sh", "-c", "rm -r /old && mkdir /old && echo new > /old/new; rm /gone; ln -s made link"]
USER nobody
RUN id -u > /tmp/who

FROM localhost/peer-base
COPY --from=builder /work /work
COPY --from=builder /owned /texts /unpacked /copied/
COPY --from=0 /tmp/who /etc/who
RUN mkdir -p /var/lib/x && chown 7:8 /var/lib/x && chmod 2770 /var/lib/x
`;

test('buildah makes the same files of the same Dockerfile', async (t) => {
  const context = path.join(folder, 'context');
  for (const [name, content] of [
    ['one1.txt', '1'],
    ['one2.txt', '2'],
    ['two.txt', '3'],
    ['tree/deep/file', 'deep'],
    ['tree/.hidden', 'h'],
  ])
    await writeFile(path.join(context, name ?? ''), content ?? '');
  await symlink('deep/file', path.join(context, 'tree/link'));
  await promisify(execFile)('tar', [
    '-czf',
    path.join(context, 'archive.tar.gz'),
    '--owner=11',
    '--group=12',
    '-C',
    context,
    'tree',
  ]);
  await writeFile(path.join(context, 'Dockerfile'), DOCKERFILE);
  const base = await busyboxImage(path.join(folder, 'base'), {
    name: 'localhost/peer-base:latest',
    layers: [
      [
        { name: 'old/file', content: 'old' },
        { name: 'gone', content: '' },
      ],
    ],
  });
  await nest.ok('image', 'load', base);
  await nest.ok('build', '-t', 'localhost/peer:latest', '--build-arg', 'FLAVOUR=sweet', context);
  const ours = await imageTree(t, nest.paths.imageStore, 'localhost/peer:latest');
  const theirs = await imageTree(t, await byBuildah(base, context), 'peer');
  t.deepEqual([...ours].filter(isOfBoth).sort(), [...theirs].filter(isOfBoth).sort());
  t.true(ours.has('/copied/deep/file'));
});

/** Mount points, which buildah leaves behind. */
const isOfBoth = ([file]: [string, string]) =>
  !/^\/(dev|proc|sys|run|etc\/(hosts|resolv\.conf|hostname))(\/|$)/.test(file);

/** Needs no cgroups and no overlay: chroot isolation, vfs storage. @returns an OCI layout */
async function byBuildah(base: string, context: string): Promise<string> {
  const storage = [
    '--root',
    path.join(folder, 'root'),
    '--runroot',
    path.join(folder, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const buildah = (...args: string[]) => promisify(execFile)('buildah', [...storage, ...args]);
  const store = `[vfs@${path.join(folder, 'root')}+${path.join(folder, 'run')}]`;
  const target = `containers-storage:${store}localhost/peer-base:latest`;
  await promisify(execFile)('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${base}`, target]);
  await buildah(
    'build',
    '-q',
    '--isolation',
    'chroot',
    '--pull-never',
    '--build-arg',
    'FLAVOUR=sweet',
    '-t',
    'peer',
    context,
  );
  const layout = path.join(folder, 'layout');
  await buildah('push', '-q', 'peer', `oci:${layout}:peer`);
  return layout;
}
