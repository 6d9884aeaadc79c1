/** What a guest is promised. */
export interface Shape {
  vcpus: number;
  /** Bytes. */
  memory: number;
}

/**
 * The shape that a name or `CPUSxMEMORY` stands for: "small", "standard", "large", "2x1536m", "4x8g".
 *
 * @returns undefined for anything else, and for what no guest can be: 1 to 64 processors, 256 MiB to 1 TiB in whole MiB
 */
export function parseShape(text: string): Shape | undefined {
  if (Object.hasOwn(SHAPES, text)) return SHAPES[text as keyof typeof SHAPES];
  const match = /^(\d{1,2})x(\d{1,7})([mg])$/i.exec(text);
  if (match === null) return undefined;
  const [, vcpus, count, unit = ''] = match;
  const shape = { vcpus: Number(vcpus), memory: Number(count) * (unit.toLowerCase() === 'g' ? GIB : MIB) };
  return isShape(shape) ? shape : undefined;
}

/** Whether a guest can be promised that. */
export function isShape({ vcpus, memory }: Shape): boolean {
  return vcpus >= 1 && vcpus <= 64 && memory >= 256 * MIB && memory <= 1024 * GIB && memory % MIB === 0;
}

export const SHAPE_ADVICE = 'write small, standard, large, or processors x memory: 2x1536m';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Few, so that guests of one shape share a template. `standard` is what a guest gets of which nothing was said. */
export const SHAPES = {
  small: { vcpus: 1, memory: 512 * MIB },
  standard: { vcpus: 2, memory: GIB },
  large: { vcpus: 4, memory: 4 * GIB },
} as const satisfies Record<string, Shape>;
