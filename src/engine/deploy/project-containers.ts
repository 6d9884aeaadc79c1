import { LABELS } from '../../api.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';

/** A project is the containers that carry its label: nothing else remembers it. */
export function projectContainers(ctx: Context, project: string): Container[] {
  return ctx.state.containers.all().filter(({ record }) => record.labels[LABELS.project] === project);
}

/** One deploy or down of a project at a time. */
export function projectLock(): <T>(project: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (project, work) => {
    const turn = (last.get(project) ?? Promise.resolve()).then(work, work);
    last.set(project, turn);
    try {
      return await turn;
    } finally {
      if (last.get(project) === turn) last.delete(project);
    }
  };
}
