import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { testGuestImage } from './guest-image.ts';

/** A cloud image of packages, made by the first that asks; it stays from run to run beside the tests' guest image. */
export async function stockImageFile(): Promise<string> {
  const script = path.join(import.meta.dirname, '../../scripts/stock-image');
  const { stdout } = await promisify(execFile)('bash', [script, path.dirname((await testGuestImage()).paths.data)]);
  return stdout.trim();
}
