import { chmod, cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { NestError } from '../../src/errors.ts';
import { projectRoot } from '../../src/guest-image/project-root.ts';
import { loadRecipe } from '../../src/guest-image/recipe.ts';
import { folderOf } from './folder.ts';

test('an unknown recipe is an error that lists the known ones', async (t) => {
  const error = await t.throwsAsync(loadRecipe('../etc'), { instanceOf: NestError });
  t.is(error.code, 'not-found');
  t.regex(error.hint ?? '', /debian-12/);
});

test('the digest of a recipe changes with every file and executable bit, not with its place', async (t) => {
  const images = await folderOf(t);
  const copy = path.join(images, 'debian-12');
  await cp(path.join(projectRoot(), 'images/debian-12'), copy, { recursive: true });
  const before = (await loadRecipe('debian-12', images)).digest;
  t.is(before, (await loadRecipe('debian-12')).digest);

  await chmod(path.join(copy, 'initrd/init'), 0o644);
  const withoutBit = (await loadRecipe('debian-12', images)).digest;
  t.not(withoutBit, before);
  await writeFile(path.join(copy, 'root/etc/extra'), '');
  t.not((await loadRecipe('debian-12', images)).digest, withoutBit);
});
