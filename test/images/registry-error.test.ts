import test from 'ava';
import { registryError } from '../../src/images/registry-error.ts';
import { UNWELL } from '../../src/images/retry.ts';
import { ToolFailed } from '../../src/images/tool.ts';

const DIGEST = `sha256:${'403404429500'.padEnd(64, 'a')}`;
const failed = (why: string) => new ToolFailed('skopeo', 'failed', `time="now" level=fatal msg="${why}"`);

for (const [why, code] of [
  [`reading blob ${DIGEST}: invalid status code from registry 500 (Internal Server Error)`, 'registry-failed'],
  [`reading blob ${DIGEST}: invalid status code returned when fetching blob 502 (Bad Gateway)`, 'registry-failed'],
  ['pinging container registry 127.0.0.1:40404: received unexpected HTTP status: 503 Unavailable', 'registry-failed'],
  ['pinging container registry 127.0.0.1:42903: Get http://127.0.0.1:40303/v2/: connection refused', 'registry-failed'],
  ['reading manifest 404 in localhost:403/team/app: unauthorized: authentication required', 'unauthorized'],
  [`reading blob ${DIGEST}: invalid status code from registry 403 (Forbidden)`, 'unauthorized'],
  ['reading manifest 403 in localhost/app: StatusCode: 404, no page', 'image-not-found'],
  ['reading manifest latest in localhost/app: manifest unknown', 'image-not-found'],
  [`reading blob ${DIGEST}: something new`, 'internal'],
] as const)
  test(`${code}: ${why}`, (t) => t.like(registryError('pull', 'x', failed(why)), { code }));

test('a refusal is not tried again for the digits of a digest', (t) => {
  t.false(UNWELL.test(`reading blob ${DIGEST}: invalid status code from registry 403 (Forbidden)`));
  t.true(UNWELL.test(`reading blob ${DIGEST}: invalid status code from registry 503 (Unavailable)`));
});
