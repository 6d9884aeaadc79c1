import { LABELS, type Deployment } from '../../api.ts';
import { isUp } from '../containers/observe.ts';
import type { Context } from '../context.ts';
import { seeGuests } from '../docker-api/find.ts';

/** The projects of this host, by their containers' labels. */
export async function listDeployments(ctx: Context): Promise<Deployment[]> {
  await seeGuests(ctx);
  const projects = Map.groupBy(ctx.state.containers.all(), ({ record }) => record.labels[LABELS.project]);
  return [...projects].flatMap(([project, containers]) =>
    project === undefined
      ? []
      : {
          project,
          services: new Set(containers.map(({ record }) => record.labels[LABELS.service])).size,
          running: containers.filter(isUp).length,
          zones: [...new Set(containers.map(({ record }) => record.zone))].sort(),
        },
  );
}
