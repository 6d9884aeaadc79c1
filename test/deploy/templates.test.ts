import test from 'ava';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseCompose } from '../../src/deploy/compose/parse.ts';

const templates = path.join(import.meta.dirname, '../../templates');

for (const name of readdirSync(templates)) {
  test(`the Compose file of templates/${name} is accepted as it is`, async (t) => {
    const file = await readFile(path.join(templates, name, 'compose.yaml'), 'utf8');
    const { project, warnings } = parseCompose({ file, fileName: 'compose.yaml', folder: name, environment: {} });
    t.is(project.name, name);
    t.deepEqual(warnings, []);
  });
}
