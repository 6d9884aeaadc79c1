import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Accelerator } from '../../api.ts';
import type { BootFiles } from '../../guest-image/guest-image.ts';
import { NestError, type ErrorCode } from '../../errors.ts';
import { domainXml } from '../../libvirt/domain-xml.ts';
import type { Progress } from '../../progress.ts';
import { DISK_RECIPE } from '../disk.ts';
import { domainSpec } from '../domain.ts';
import type { Host } from '../host.ts';
import { qemuVersion } from '../kvm-proof.ts';
import { newRecord, type GuestShape } from '../record.ts';
import { captureTemplate } from './capture.ts';
import { sharedWork } from './shared-work.ts';
import { findTemplate, pruneTemplates, removeTemplate, templateDigest, type Template } from './store.ts';

interface Wanted {
  boot: BootFiles;
  shape: GuestShape;
  accelerator: Accelerator;
}

/** The templates of this host, made when they are first needed. */
export interface Templates {
  /**
   * The template that fits; made now where there is none, which takes a boot. Undefined where none can be had: the guest is
   * then booted, and the log says why.
   *
   * @throws NestError `boot-failed` when a guest of this kind does not boot, `cancelled`
   */
  get(wanted: Wanted, progress: Progress, signal?: AbortSignal): Promise<Template | undefined>;
  /** No guest could be cloned from it: it is removed, and made again when it is next needed. */
  discard(template: Template, why: unknown): Promise<void>;
}

export function openTemplates(host: Host): Templates {
  const share = sharedWork<Template>();
  /** What could not be captured is not tried again by this engine: each attempt is a boot. */
  const hopeless = new Set<string>();

  const find = async (digest: string): Promise<Template | undefined> => {
    try {
      return await findTemplate(host.paths, digest);
    } catch (error) {
      host.log(`template ${digest.slice(0, 12)} is broken, it is made anew: ${String(error)}`);
      await removeTemplate(host.paths, digest);
      return undefined;
    }
  };
  const make = async (digest: string, wanted: Wanted, signal: AbortSignal): Promise<Template> => {
    const template = await captureTemplate(host, { digest, ...wanted }, signal);
    await pruneTemplates(host.paths);
    return template;
  };
  return {
    async get(wanted, progress, signal) {
      const digest = await digestOf(host, wanted);
      const present = await find(digest);
      if (present || hopeless.has(digest)) return present;
      try {
        return await progress.step('Boot a template for guests of this shape', () =>
          share(digest, (shared) => make(digest, wanted, shared), signal),
        );
      } catch (error) {
        if (signal?.aborted || endsAll(error)) throw error;
        hopeless.add(digest);
        host.log(`make template ${digest.slice(0, 12)}: ${String(error)}; guests of this shape are booted instead`);
        return undefined;
      }
    },
    async discard(template, why) {
      host.log(`clone from template ${template.digest.slice(0, 12)}: ${String(why)}; the guest is booted instead`);
      await removeTemplate(host.paths, template.digest);
    },
  };
}

/** Named by all that it depends on. */
async function digestOf(host: Host, { boot, shape, accelerator }: Wanted): Promise<string> {
  const spec = domainSpec(host, newRecord(NOBODY, { boot, shape, accelerator }), boot);
  return templateDigest({
    domain: `${FORMAT} ${domainXml({ ...spec, metadata: null })}`,
    qemu: await qemuVersion(),
    processor: accelerator === 'kvm' ? await processor() : '',
    disk: DISK_RECIPE,
  });
}

/** Features and microcode of the processor that guests see as their own; the rest of cpuinfo changes all the time. */
async function processor(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8');
  const lines = text.split('\n\n')[0]?.split('\n') ?? [];
  const stable = lines.filter((line) => /^(model name|stepping|microcode|flags)\s/.test(line));
  return createHash('sha256').update(stable.join('\n')).digest('hex');
}

/** Errors that a guest which is booted instead would meet as well. */
function endsAll(error: unknown): boolean {
  return error instanceof NestError && ENDS_ALL.has(error.code);
}

const ENDS_ALL = new Set<ErrorCode>(['boot-failed', 'no-room', 'libvirt-unavailable', 'tool-missing']);

/** What differs between guests stands still. */
const NOBODY = { id: '', name: '', zone: '', domain: '', uuid: '', createdAt: 0 };
/** Changes with what is captured, and how. */
const FORMAT = 'template 2';
