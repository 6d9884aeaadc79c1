import * as v from 'valibot';

/** A document that cannot be used, with everything that is wrong with it. */
export class Problems extends Error {
  readonly problems: string[];

  constructor(what: string, problems: string[]) {
    super(`check ${what}: ${problems.slice(0, SHOWN).join('; ')}${problems.length > SHOWN ? '; …' : ''}`);
    this.name = 'Problems';
    this.problems = problems;
  }
}

export const problems = {
  /** `value` as `schema` wants it. @throws Problems with the path of each field, as mounts.2.destination */
  parse<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    throw new Problems(
      what,
      result.issues.map((issue) => `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`),
    );
  },

  /** @throws Problems unless the list is empty */
  refuse(what: string, found: string[]): void {
    if (found.length > 0) throw new Problems(what, found);
  },
};

const SHOWN = 50;
