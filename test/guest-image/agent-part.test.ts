import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { makeAgentPart } from '../../src/guest-image/agent-part.ts';
import { nestPaths } from '../../src/paths.ts';
import { folderOf } from './folder.ts';

test('the same sources give the same part, changed ones another beside it', async (t) => {
  const folder = await folderOf(t, { 'agent.ts': 'console.log(1 as number);', 'zygote.ts': 'console.log(2);' });
  const sources = { agent: path.join(folder, 'agent.ts'), zygote: path.join(folder, 'zygote.ts') };
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data') });

  const first = await makeAgentPart(paths, sources);
  const { ino, mode } = await stat(first.file);
  t.is(mode & 0o777, 0o444);
  t.deepEqual(await makeAgentPart(paths, sources), first);
  t.is((await stat(first.file)).ino, ino, 'not packed again');

  await writeFile(sources.agent, 'console.log(3);');
  const second = await makeAgentPart(paths, sources);
  t.not(second.digest, first.digest);
  t.deepEqual((await readdir(paths.agents)).sort(), [first, second].map(({ file }) => path.basename(file)).sort());
});
