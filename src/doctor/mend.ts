import type { Finding } from './examine.ts';

export interface Mended {
  id: string;
  command: string;
  /** Null: done. */
  error: string | null;
}

/** Does what the doctor can do itself, in the order of the checks: one daemon may need the one before it. */
export async function mend(findings: readonly Finding[]): Promise<Mended[]> {
  const results: Mended[] = [];
  for (const { check, mend: cure } of findings) {
    if (!cure) continue;
    const error = await cure.run().then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
    );
    results.push({ id: check.id, command: cure.command, error });
  }
  return results;
}
