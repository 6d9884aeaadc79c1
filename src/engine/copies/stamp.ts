import type { Project, Service } from '../../deploy/model.ts';
import { LABELS } from '../../api.ts';
import { measure } from './measure.ts';

/** Notes what the files of this host are that services have copies of: a service is made anew when they have changed. */
export async function stampCopies(project: Project): Promise<Project> {
  return { ...project, services: await Promise.all(project.services.map(stamped)) };
}

async function stamped(service: Service): Promise<Service> {
  const sources = service.mounts.flatMap((mount) => (mount.type === 'bind' ? mount.source : []));
  if (sources.length === 0) return service;
  const digests = await Promise.all(sources.map(async (source) => (await measure(source)).digest.slice(0, 16)));
  return { ...service, labels: { ...service.labels, [LABELS.copies]: digests.join(',') } };
}
