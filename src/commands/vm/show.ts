import * as Args from '@oclif/core/args';
import type { GuestDetail } from '../../api.ts';
import { NestCommand } from '../../client/terminal/command.ts';
import { keyValues } from '../../client/terminal/table.ts';
import { bytes, duration } from '../../client/terminal/units.ts';

export default class VmShow extends NestCommand {
  static override summary = 'Show one guest';
  static override description = 'Shows what a guest is made from, what it holds and which containers run in it.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-1'];
  static override args = {
    guest: Args.string({ description: 'Name or id of a guest', required: true, ignoreStdin: true }),
  };

  async run(): Promise<GuestDetail> {
    const { args } = await this.parse(VmShow);
    const engine = await this.engine();
    const guest = await engine.nest.guest(args.guest);
    this.print(keyValues(describe(guest)));
    return guest;
  }
}

function describe(guest: GuestDetail): [string, string][] {
  const containers = guest.containers.map(({ name, status }): [string, string] => ['Container', `${name}, ${status}`]);
  return [
    ['Name', guest.name],
    ['Id', guest.id],
    ['Zone', guest.zone],
    ['State', guest.reason === null ? guest.state : `${guest.state}: ${guest.reason}`],
    ['Accelerator', guest.accelerator === 'kvm' ? 'kvm' : 'tcg: software emulation, no security boundary'],
    [
      'Processors',
      guest.next === null ? String(guest.vcpus) : `${guest.vcpus}, ${guest.next.vcpus} from its next start on`,
    ],
    ['Memory', `${bytes(guest.memory)} promised, ${bytes(guest.committed)} of it asked for by containers`],
    ['', `${known(guest.usage?.used)} used in the guest, ${known(guest.usage?.held)} held on this host`],
    ...(guest.next === null
      ? []
      : [['', `${bytes(guest.next.memory)} promised from its next start on`] as [string, string]]),
    ['Shares', `${known(guest.usage?.shared)} of memory with other guests and the host's page cache`],
    ['Limits', limits(guest)],
    ['Kernel', guest.kernel ?? '-'],
    ['Boot id', guest.bootId ?? '-'],
    ['Domain', guest.domain],
    ['Image', guest.stock === null ? guest.image : `${guest.stock}, ${guest.image.slice(0, 12)}, a stock image`],
    ['Template', guest.template ?? 'none: it was booted'],
    ['Layers', guest.layers === null ? '-' : `${guest.layers.length}, each mounted once`],
    ['Uptime', guest.startedAt === null ? '-' : since(guest.startedAt)],
    ['Created', since(guest.createdAt)],
    ...(containers.length > 0 ? containers : [['Containers', 'none'] as [string, string]]),
  ];
}

/** Of the process that the host sees. */
function limits({ limits: { memory, cpus } }: GuestDetail): string {
  const parts = [
    ...(memory === null ? [] : [`${bytes(memory)} of memory`]),
    ...(cpus === null ? [] : [`${cpus} processors`]),
  ];
  return parts.length === 0 ? 'none: this host limits its QEMU by no cgroup' : `${parts.join(', ')} for its QEMU`;
}

function since(time: number): string {
  return `${duration(Date.now() - time)}, since ${new Date(time).toISOString()}`;
}

function known(count: number | null | undefined): string {
  return count == null ? 'unknown' : bytes(count);
}
