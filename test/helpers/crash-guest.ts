import { bootDriver } from '../../bench/frame/driver.ts';
import type { BenchGuest } from '../../bench/frame/guest.ts';
import { testGuestImage } from './guest-image.ts';

export type CrashGuest = BenchGuest & AsyncDisposable;

/** A guest whose agent and zygote have traps: fixtures/crash/driver.ts, which checks what is left of the container. */
export async function bootCrashGuest(): Promise<CrashGuest> {
  const { paths } = await testGuestImage();
  return bootDriver(paths, {
    program: 'test/fixtures/crash/driver.ts',
    zygote: 'test/fixtures/crash/zygote.ts',
    accelerator: 'tcg',
  });
}
