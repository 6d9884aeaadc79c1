import * as v from 'valibot';
import { NestError } from '../errors.ts';
import type { Libvirt } from '../libvirt/libvirt.ts';

/**
 * One command of QEMU's machine protocol (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html); its result, to be
 * parsed.
 *
 * @param file a descriptor of this process that goes along, for `getfd`
 * @throws NestError `libvirt` with QEMU's words
 */
export async function monitor(
  libvirt: Libvirt,
  domain: string,
  execute: string,
  parameters: Record<string, unknown> = {},
  file?: number,
): Promise<unknown> {
  const command = JSON.stringify({ execute, arguments: parameters });
  const reply = await libvirt.monitorCommand(domain, command, file === undefined ? [] : [file]);
  const parsed = v.parse(Reply, JSON.parse(reply));
  if (parsed.error === undefined) return parsed.return;
  throw new NestError('libvirt', `${execute} domain \`${domain}\`: ${parsed.error.desc}`);
}

const Reply = v.object({ return: v.optional(v.unknown()), error: v.optional(v.object({ desc: v.string() })) });
