import { asNestError, toErrorBody, type ErrorBody } from '../errors.ts';

export interface Outcome {
  /** As the user named it. */
  container: string;
  /** Null: done. */
  error: ErrorBody | null;
}

/** Does the same to several containers at once; one that fails does not keep the others from it. */
export async function eachContainer(
  names: readonly string[],
  action: (name: string) => Promise<unknown>,
): Promise<Outcome[]> {
  return await Promise.all(
    [...new Set(names)].map(async (container) => {
      try {
        await action(container);
        return { container, error: null };
      } catch (error) {
        return { container, error: toErrorBody(asNestError(error)) };
      }
    }),
  );
}
