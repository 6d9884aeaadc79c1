import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { openImages } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { pathsIn, temporaryFolder } from '../helpers/images.ts';

const template = path.join(import.meta.dirname, '../../templates/hello');
const build = path.join(template, 'image/build');

test('the image of templates/hello is built the same each time and loads', async (t) => {
  const folder = await temporaryFolder(t);
  for (const output of ['a', 'b', 'b', 'archive.tar']) execFileSync(build, [path.join(folder, output)]);
  const files = (await readdir(path.join(folder, 'a'), { recursive: true })).sort();
  t.deepEqual((await readdir(path.join(folder, 'b'), { recursive: true })).sort(), files);
  t.deepEqual(await readFile(path.join(folder, 'a/index.json')), await readFile(path.join(folder, 'b/index.json')));

  const images = await openImages(pathsIn(folder));
  for (const output of ['a', 'archive.tar']) {
    const [image] = await images.load({ kind: 'path', path: path.join(folder, output) }, silent);
    t.like(image, {
      references: ['localhost/nest-hello:latest'],
      config: { Cmd: ['httpd', '-f', '-p', '0.0.0.0:80', '-h', '/www'], StopSignal: 'SIGKILL' },
    });
    t.deepEqual(image?.config.ExposedPorts, { '80/tcp': {} });
  }
  const compose = await readFile(path.join(template, 'compose.yaml'), 'utf8');
  t.regex(compose, /image: localhost\/nest-hello:latest/);
});

test('the build replaces nothing that is no image', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'precious'), 'x');
  t.throws(() => execFileSync(build, [folder], { stdio: 'pipe' }));
  t.deepEqual(await readdir(folder), ['precious']);
});

test('the page tells where it runs: HTML for a browser, text for curl, nothing unescaped', async (t) => {
  const shim = await temporaryFolder(t);
  await writeFile(path.join(shim, 'hostname'), '#!/bin/sh\necho \'<b>&"x"</b>\'\n', { mode: 0o755 });
  const page = (accept: string) =>
    execFileSync('sh', ['./index.cgi'], {
      cwd: path.join(template, 'image/www/cgi-bin'),
      env: { PATH: `${shim}:${process.env['PATH'] ?? ''}`, HTTP_ACCEPT: accept },
      encoding: 'utf8',
    });
  const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
  const html = page('text/html,application/xhtml+xml');
  t.regex(html, /^Content-Type: text\/html; charset=utf-8\r\n/);
  t.true(html.includes('<dd>&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;</dd>'));
  t.true(html.includes(`<dd>${kernel}</dd>`));
  const text = page('*/*');
  t.regex(text, /^Content-Type: text\/plain; charset=utf-8\r\n/);
  t.regex(text, /\n {2}hostname +<b>&"x"<\/b>\n/);
  t.true(text.includes(kernel));
});
