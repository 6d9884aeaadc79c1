import test from 'ava';
import { NestError } from '../../src/errors.ts';
import type { BuildRequest } from '../../src/build/build.ts';
import { tarOf, type TarEntry } from '../helpers/images.ts';
import { link } from './trees.ts';
import { builder } from './builder.ts';

test('each instruction that changes files makes one layer, all of them history', async (t) => {
  const { build } = await builder(t);
  const { image, layers } = await build('FROM localhost/base\nWORKDIR /w\nCOPY a .\nENV X=1\nRUN x\nWORKDIR /w\n', [
    { name: 'a', content: 'A' },
  ]);
  t.deepEqual(layers.slice(1), [['w/ 755 0:0'], ['w/ 755 0:0', 'w/a 644 0:0 A'], ['ran 644 0:0 ran']]);
  t.deepEqual(
    image.history.slice(1).map(({ createdBy, size }) => [createdBy, size > 0]),
    [
      ['WORKDIR /w', true],
      ['COPY a .', true],
      ['ENV X=1', false],
      ['RUN x', true],
      ['WORKDIR /w', false],
    ],
  );
});

test('the configuration is what the instructions say', async (t) => {
  const { build } = await builder(t);
  const { image } = await build(
    `FROM localhost/base
    ARG V=1
    ENV A="a b" B=$V
    ENV C=\${A}c
    LABEL l="$B"
    EXPOSE 80 53/udp 7000-7001
    VOLUME ["/data"]
    USER web
    STOPSIGNAL SIGQUIT
    SHELL ["/bin/bash", "-ec"]
    HEALTHCHECK --interval=5s CMD check
    ONBUILD COPY . .
    ENTRYPOINT serve $V
    MAINTAINER Jo`,
    [],
    { labels: { given: 'yes' } },
  );
  t.like(image.config, {
    Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'A=a b', 'B=1', 'C=a bc'],
    Labels: { l: '1', given: 'yes' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '7000/tcp': {}, '7001/tcp': {} },
    Volumes: { '/data': {} },
    User: 'web',
    StopSignal: 'SIGQUIT',
    Entrypoint: ['/bin/bash', '-ec', 'serve $V'],
    Cmd: null,
    OnBuild: ['COPY . .'],
  });
  t.like(image.config.Healthcheck, { Test: ['CMD-SHELL', 'check'], Interval: 5e9 });
  t.is(image.author, 'Jo');
});

test('a CMD of this build outlives its ENTRYPOINT', async (t) => {
  const { build } = await builder(t);
  t.deepEqual((await build('FROM localhost/base\nCMD ["c"]\nENTRYPOINT ["e"]')).image.config.Cmd, ['c']);
});

test('the second build is all cached, and its image the same', async (t) => {
  const { build } = await builder(t);
  const text = 'FROM localhost/base\nARG V\nCOPY a /\nRUN x $V\nCMD y';
  const first = await build(text, [{ name: 'a', content: 'A' }]);
  const second = await build(text, [{ name: 'a', content: 'A', mtime: new Date(1e12) }], {
    now: Date.parse('2031-01-01'),
  });
  t.deepEqual(first.steps, ['done', 'done', 'done', 'done', 'done']);
  t.deepEqual(second.steps, ['done', 'cached', 'cached', 'cached', 'cached']);
  t.is(second.image.id, first.image.id);
  t.is(second.runs.length, 0);
});

test('a step is done again when its input, an argument or a step before it changed', async (t) => {
  const { build } = await builder(t);
  const text = 'FROM localhost/base\nARG V\nCOPY a /\nRUN x\nCMD y';
  await build(text, [{ name: 'a', content: 'A' }]);
  const steps = async (...[context, change]: [TarEntry[], Partial<BuildRequest>?]) =>
    (await build(text, context, change)).steps.slice(1).join(' ');
  t.is(await steps([{ name: 'a', content: 'B' }]), 'cached done done done');
  t.is(await steps([{ name: 'a', content: 'A', mode: 0o755 }]), 'cached done done done');
  t.is(await steps([{ name: 'a', content: 'A' }], { buildArgs: new Map([['V', '2']]) }), 'cached cached done done');
  t.is(await steps([{ name: 'a', content: 'A' }], { noCache: true }), 'done done done done');
});

test('with SOURCE_DATE_EPOCH the same input makes the same digests, whenever it is built', async (t) => {
  const change = (now: string) => ({
    now: Date.parse(now),
    noCache: true,
    buildArgs: new Map([['SOURCE_DATE_EPOCH', '1700000000']]),
    changes: [{ name: 'ran', mtime: new Date(now) }],
  });
  const text = 'FROM localhost/base\nWORKDIR /w\nCOPY a .\nRUN x';
  const [one, two] = [await builder(t), await builder(t)];
  const first = await one.build(text, [{ name: 'a', mtime: new Date('2029-01-01') }], change('2030-01-01'));
  const second = await two.build(text, [{ name: 'a', mtime: new Date('2029-06-01') }], change('2031-01-01'));
  t.is(first.image.id, second.image.id);
  t.is(first.image.created, '2023-11-14T22:13:20.000Z');
});

test('stages are taken by name and number; those that nobody needs are not built', async (t) => {
  const { build } = await builder(t);
  const text =
    'FROM localhost/base AS one\nRUN one\nFROM scratch AS unused\nCOPY none /\nFROM scratch\nCOPY --from=one /ran /a\nCOPY --from=0 ran /b\nFROM one AS last\nCOPY --from=2 / /all/';
  const last = await build(text);
  t.deepEqual(last.layers.at(-1), ['all/ 755 0:0', 'all/a 644 0:0 ran', 'all/b 644 0:0 ran']);
  t.is((await build(text, [], { target: '2' })).layers.length, 2);
  await t.throwsAsync(build(text, [], { target: 'nope' }), { message: /target stage `nope`/ });
});

test('COPY --from keeps owners, whiteouts and links of the layers are seen through', async (t) => {
  const { build } = await builder(t, [{ name: 'd/old' }, { name: 'd/kept', uid: 7 }, link('l', 'd')]);
  const { layers } = await build('FROM localhost/base AS b\nRUN x\nFROM scratch\nCOPY --from=b /l/ /out/', [], {
    changes: [{ name: 'd/.wh.old' }, { name: 'd/new', content: 'n', uid: 3 }],
  });
  t.deepEqual(layers[0], ['out/ 755 0:0', 'out/kept 644 7:0', 'out/new 644 3:0 n']);
});

test('--chown looks into the image, ADD unpacks archives, heredocs make files', async (t) => {
  const { build } = await builder(t);
  const archive = await tarOf([{ name: 'in/file', content: 'f', uid: 12 }]);
  const { layers } = await build(
    'FROM localhost/base\nARG A=1\nCOPY --chown=web a /x\nADD p.tar.gz a /u/\nCOPY <<EOF <<"RAW" /h/\n$A\nEOF\n$A\nRAW\n',
    [{ name: 'a' }, { name: 'p.tar.gz', content: archive }],
  );
  t.deepEqual(layers.slice(1), [
    ['x 644 33:34'],
    ['u/ 755 0:0', 'u/a 644 0:0', 'u/in/ 755 0:0', 'u/in/file 644 12:0 f'],
    ['h/ 755 0:0', 'h/EOF 644 0:0 1', 'h/RAW 644 0:0 $A'],
  ]);
});

test('a file with two names stays one file', async (t) => {
  const { build } = await builder(t);
  const { layers } = await build('FROM scratch\nCOPY . /', [
    { name: 'a', content: 'A' },
    { name: 'b', type: 'link', linkname: 'a' },
  ]);
  t.deepEqual(layers[0], ['a 644 0:0 A', 'b 644 0:0']);
});

test('RUN gets arguments, environment, user and folder; its secrets are in no layer and no key', async (t) => {
  const { build } = await builder(t);
  const text =
    'FROM localhost/base\nARG V=1\nENV E=2\nUSER web\nWORKDIR /w\nRUN --mount=type=secret,id=s --mount=type=secret,id=s,env=S x';
  const secrets = new Map([['s', Buffer.from('top secret')]]);
  const { runs, layers, image } = await build(text, [], {
    secrets,
    changes: [{ name: 'run/secrets/s', content: 'top secret' }, { name: 'run/secrets/.wh.s' }, { name: 'out' }],
  });
  t.like(runs[0], { argv: ['/bin/sh', '-c', 'x'], user: 'web', cwd: '/w' });
  t.deepEqual(
    runs[0]?.env.filter((entry) => !entry.startsWith('PATH=')),
    ['V=1', 'E=2', 'S=top secret'],
  );
  t.deepEqual(runs[0]?.extra, ['run/ 755 0:0', 'run/secrets/ 755 0:0', 'run/secrets/s 400 0:0 top secret']);
  t.deepEqual(layers.at(-1), ['out 644 0:0']);
  t.false(JSON.stringify(image).includes('top secret'));
  t.is((await build(text, [], { secrets: new Map([['s', Buffer.from('another')]]) })).steps.at(-1), 'cached');
});

test('a RUN that changes nothing makes no layer', async (t) => {
  const { build } = await builder(t);
  t.is((await build('FROM localhost/base\nRUN true', [], { changes: [] })).layers.length, 1);
});

test('heredocs of RUN are scripts', async (t) => {
  const { build } = await builder(t);
  const { runs } = await build(
    'FROM localhost/base\nRUN <<EOF\na\nEOF\nRUN <<EOF\n#!/bin/awk\nb\nEOF\nRUN cat <<EOF > f\nc\nEOF',
  );
  t.deepEqual(
    runs.map(({ argv }) => argv),
    [['/bin/sh', '-c', 'a\n'], ['/run/nest-build-script'], ['/bin/sh', '-c', 'cat <<EOF > f\nc\nEOF\n']],
  );
});

test('ONBUILD of a base image happens in the build upon it', async (t) => {
  const { build, images } = await builder(t);
  await build('FROM localhost/base\nONBUILD COPY a /onbuild', [], { references: ['localhost/trigger:latest'] });
  t.truthy(await images.find('localhost/trigger'));
  const { layers, image } = await build('FROM localhost/trigger', [{ name: 'a' }]);
  t.deepEqual(layers.at(-1), ['onbuild 644 0:0']);
  t.deepEqual(image.config.OnBuild, []);
});

test('arguments before FROM choose the base, and reach a stage that declares them', async (t) => {
  const { build } = await builder(t);
  const { image, warnings } = await build('ARG B=none\nFROM localhost/$B\nARG B\nENV X=$B', [], {
    buildArgs: new Map([
      ['B', 'base'],
      ['UNUSED', '1'],
    ]),
  });
  t.is(image.config.Env.at(-1), 'X=base');
  t.deepEqual(warnings, ['build arguments that no ARG declares: UNUSED']);
});

for (const [title, text, message] of [
  ['a missing file', 'FROM scratch\n\nCOPY none /', /^Dockerfile:3: COPY none \/: `none` is not in the build context$/],
  ['a link that leaves the context', 'FROM scratch\nCOPY out /', /`out` is not in the build context/],
  ['an unknown user', 'FROM localhost/base\nCOPY --chown=nope a /', /there is no user `nope`/],
  ['a bad port', 'FROM scratch\nEXPOSE x', /^Dockerfile:2: EXPOSE x: `x` is no port/],
  ['a required secret', 'FROM localhost/base\nRUN --mount=type=secret,id=q,required=true x', /secret `q` is not given/],
] as [string, string, RegExp][])
  test(`${title} is an error that names its line`, async (t) => {
    const { build } = await builder(t);
    await t.throwsAsync(build(text, [{ name: 'a' }, link('out', '/etc/passwd')]), { instanceOf: NestError, message });
  });
