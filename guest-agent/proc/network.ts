import type { ContainerStats } from '../wire/stats.ts';

/** What went through each interface but the loopback one. @param text of /proc/PID/net/dev: proc_pid_net(5) */
export function interfaceCounters(text: string): ContainerStats['network'] {
  return text
    .split('\n')
    .slice(HEADINGS)
    .filter((line) => line.includes(':'))
    .map((line) => {
      const [name = '', columns = ''] = line.split(/:(.*)/s);
      const counts = columns.trim().split(/\s+/).map(Number);
      const at = (column: number) => counts[column] ?? 0;
      return {
        name: name.trim(),
        rxBytes: at(0),
        rxPackets: at(1),
        rxErrors: at(2),
        rxDropped: at(3),
        txBytes: at(8),
        txPackets: at(9),
        txErrors: at(10),
        txDropped: at(11),
      };
    })
    .filter(({ name }) => name !== 'lo');
}

const HEADINGS = 2;
