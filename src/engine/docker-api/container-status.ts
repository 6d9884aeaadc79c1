import type { Container } from '../state/record.ts';

export type DockerState = 'created' | 'running' | 'restarting' | 'exited' | 'dead' | 'removing';

/** Docker's word for it; `dead` is a container that cannot go on because its guest ended. */
export function dockerState({ phase, lost, state }: Container): DockerState {
  if (phase === 'removing') return 'removing';
  return lost === null ? state.status : 'dead';
}

/** The STATUS column of `docker ps`, with what Docker does not know of in brackets. */
export function statusText(container: Container, now: number): string {
  const { state, lost } = container;
  const oom = state.oomKilled ? ' (OOM)' : '';
  switch (dockerState(container)) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${duration(now - state.startedAt)}`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${duration(now - state.finishedAt)} ago${oom}`;
    case 'exited':
      return state.startedAt === 0
        ? `Exited (${state.exitCode})`
        : `Exited (${state.exitCode}) ${duration(now - state.finishedAt)} ago${oom}`;
    case 'dead':
      return `Dead (${lost ?? ''})`;
    case 'removing':
      return 'Removal In Progress';
  }
}

/** As https://pkg.go.dev/github.com/docker/go-units#HumanDuration. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  return days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`;
}
