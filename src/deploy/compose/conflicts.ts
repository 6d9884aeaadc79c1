import type { PublishedPort } from '../model.ts';
import { portsCollide } from './ports.ts';
import type { Problems } from './problems.ts';
import type { Located } from './read.ts';
import type { ServiceFields } from './service.ts';

/** Reports what two services of one file cannot both have: a port of the host, a container's name. */
export function reportConflicts(services: { name: string; read: ServiceFields }[], problems: Problems): void {
  const ports = new Map<number, Located<PublishedPort>[]>();
  const names = new Map<string, string>();
  for (const { name, read } of services) {
    for (const port of read.ports ?? []) reportTakenPort(port, ports, problems);
    const container = read.container_name;
    if (container === undefined) continue;
    const owner = names.get(container.value);
    if (owner === undefined) names.set(container.value, name);
    else problems.report(container.place, `is the name of service ${owner}'s container too`, 'choose another name');
  }
}

function reportTakenPort(
  port: Located<PublishedPort>,
  taken: Map<number, Located<PublishedPort>[]>,
  problems: Problems,
): void {
  const { hostPort } = port.value;
  const others = taken.get(hostPort) ?? [];
  const other = others.find((candidate) => portsCollide(candidate.value, port.value));
  if (other === undefined) taken.set(hostPort, [...others, port]);
  else {
    const where = `${other.place.path} on line ${other.place.line}`;
    problems.report(port.place, `host port ${hostPort} is taken by ${where}`, 'publish another port');
  }
}
