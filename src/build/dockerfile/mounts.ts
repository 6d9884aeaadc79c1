import type { SecretMount } from './instruction.ts';
import type { ParserInput } from './parsers.ts';

/** `RUN --mount=type=secret,id=token`: https://docs.docker.com/reference/dockerfile/#run---mounttypesecret */
export function parseMounts(input: ParserInput, mounts: string[]): SecretMount[] {
  return mounts.map((mount) => {
    const fields = new Map(
      mount.split(',').map((field): [string, string] => {
        const [, key = '', value = 'true'] = /^([^=]*)=?(.*)$/s.exec(field) ?? [];
        return [key, field.includes('=') ? value : 'true'];
      }),
    );
    const type = fields.get('type') ?? 'bind';
    if (type !== 'secret') throw input.fail(`--mount=type=${type}: only secrets can be mounted`, { unsupported: true });
    const unknown = [...fields.keys()].find((key) => !KEYS.includes(key));
    if (unknown !== undefined) throw input.fail(`--mount: unknown key \`${unknown}\``);
    const target = fields.get('target') ?? fields.get('dst') ?? fields.get('destination') ?? null;
    const env = fields.get('env') ?? null;
    const id = fields.get('id') ?? target?.split('/').at(-1) ?? '';
    if (!/^[\w.-]{1,128}$/.test(id) || /^\.+$/.test(id))
      throw input.fail(`--mount: a secret needs an id of letters, digits, _ . and -`);
    if (target !== null && (!target.startsWith('/') || target.split('/').includes('..')))
      throw input.fail(`--mount: target \`${target}\` is not an absolute path`);
    return {
      id,
      target: target ?? (env === null ? `/run/secrets/${id}` : null),
      env,
      required: fields.get('required') === 'true',
      mode: number(input, fields, 'mode', 0o400, 8),
      uid: number(input, fields, 'uid', 0, 10),
      gid: number(input, fields, 'gid', 0, 10),
    };
  });
}

function number(input: ParserInput, fields: Map<string, string>, key: string, otherwise: number, base: number): number {
  const value = fields.get(key);
  if (value === undefined) return otherwise;
  if (!/^[0-7]{1,5}$/.test(value) && (base === 8 || !/^[0-9]{1,9}$/.test(value)))
    throw input.fail(`--mount: ${key}=${value} is no number`);
  return Number.parseInt(value, base);
}

const KEYS = ['type', 'id', 'target', 'dst', 'destination', 'env', 'required', 'mode', 'uid', 'gid'];
