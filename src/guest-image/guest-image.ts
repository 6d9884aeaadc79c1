import path from 'node:path';
import type { Readable } from 'node:stream';
import type { GuestImage } from '../api.ts';
import { NestError } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { makeAgentPart, type AgentPart } from './agent-part.ts';
import { assembleImage } from './assemble.ts';
import { COMMAND_LINE } from './command-line.ts';
import {
  currentImage,
  makeCurrent,
  PARTS,
  storedImage,
  storedImages,
  storeImage,
  type StoredImage,
} from './image-store.ts';
import { debianInputs, digestOf, projectInputs, type Inputs } from './inputs.ts';
import { openMemo } from './memo.ts';
import { loadRecipe, recipeNames, type Recipe } from './recipe.ts';
import { addStockImage, stockImages, type StockImage } from './stock-image.ts';
import { openWorkFolder } from './work-folder.ts';

/** What guests boot where nobody asks for another. */
export const OWN_GUEST_IMAGE = 'debian-12';

/** Files that a domain boots from. All mode 0444. */
export interface BootFiles {
  digest: string;
  kernel: string;
  initrd: string;
  root: string;
  agentDigest: string;
  agent: string;
  /** Kernel command line without what the domain adds. */
  commandLine: string;
}

interface BuildOptions {
  /** Builds again what is there already. */
  force?: boolean;
  progress: Progress;
  signal?: AbortSignal;
}

/** Builds the recipe unless an image of the same inputs is there. Also makes the agent part. */
export async function buildGuestImage(paths: Paths, name: string, options: BuildOptions): Promise<GuestImage> {
  const recipe = await loadRecipe(name);
  const { image, built } = await findOrBuild(paths, recipe, options);
  await makeCurrent(paths, image);
  const agent = await options.progress.step('Bundle agent', () => makeAgentPart(paths, undefined, options.signal));
  return describe(image, agent, built);
}

export async function listGuestImages(paths: Paths): Promise<GuestImage[]> {
  const [images, stock] = [await storedImages(paths), await stockImages(paths)];
  if (images.length + stock.length === 0) return [];
  const agent = await makeAgentPart(paths);
  return [
    ...images.map((image) => describe(image, agent, false)),
    ...stock.map((image) => describeStock(image, agent)),
  ];
}

/** The image that the recipe's last build gave, with the current agent part; throws `guest-image-missing` with the command that builds it. */
export async function findGuestImage(paths: Paths, recipe: string): Promise<BootFiles> {
  const image = await currentImage(paths, recipe);
  if (image === undefined)
    throw new NestError('guest-image-missing', `find guest image \`${recipe}\`: not built`, {
      hint: `Build it: nest guest-image build ${recipe}`,
    });
  const agent = await makeAgentPart(paths);
  return {
    digest: image.digest,
    kernel: path.join(image.folder, PARTS.kernel),
    initrd: path.join(image.folder, PARTS.initrd),
    root: path.join(image.folder, PARTS.root),
    agentDigest: agent.digest,
    agent: agent.file,
    commandLine: COMMAND_LINE,
  };
}

async function findOrBuild(
  paths: Paths,
  recipe: Recipe,
  options: BuildOptions,
): Promise<{ image: StoredImage; built: boolean }> {
  const inputs = await findInputs(paths, recipe, options);
  const digest = digestOf(inputs);
  const present = await storedImage(paths, digest);
  if (present !== undefined && options.force !== true) return { image: present, built: false };

  await using work = await openWorkFolder(paths.guestImages);
  const kernel = await assembleImage(paths, work.folder, { recipe, inputs }, options);
  await storeImage(paths, work.folder, { digest, recipe: recipe.name, kernel, inputs });
  const image = await storedImage(paths, digest);
  if (image === undefined) throw new Error(`store guest image \`${digest}\`: it cannot be read back`);
  return { image, built: true };
}

/**
 * Where apt has no answer, an image of the same recipe and npm packages stands for the newest Debian packages: the machine
 * may be offline with empty lists.
 */
async function findInputs(paths: Paths, recipe: Recipe, options: BuildOptions): Promise<Inputs> {
  const memo = await openMemo(paths, recipe);
  const remembered = await memo.recall();
  if (remembered !== undefined) return remembered;
  const project = await projectInputs(recipe);
  try {
    const inputs = { project, ...(await debianInputs(recipe, options.signal)) };
    await memo.keep(inputs);
    return inputs;
  } catch (error) {
    const earlier = (await storedImages(paths)).find((image) => image.inputs.project === project);
    if (earlier === undefined || options.signal?.aborted === true) throw error;
    options.progress.warn(`apt did not answer; using the guest image ${earlier.digest.slice(0, 12)} built earlier`);
    return earlier.inputs;
  }
}

/** Takes in a distribution's disk image: guests of that name boot it. */
export async function addGuestImage(
  paths: Paths,
  name: string,
  content: Readable,
  options: { progress: Progress; signal?: AbortSignal },
): Promise<GuestImage> {
  if ((await recipeNames()).includes(name))
    throw new NestError('invalid-input', `add stock image \`${name}\`: that is the name of one of nest's own`, {
      hint: 'Give another: nest guest-image add FILE --name NAME',
    });
  return describeStock(await addStockImage(paths, name, content, options), await makeAgentPart(paths));
}

function describeStock({ name, digest, size, createdAt }: StockImage, agent: AgentPart): GuestImage {
  return { digest, recipe: name, kernel: null, size, createdAt, stock: true, agent: agent.digest, built: false };
}

function describe(image: StoredImage, agent: AgentPart, built: boolean): GuestImage {
  const { digest, recipe, kernel, size, createdAt } = image;
  return { digest, recipe, kernel, size, createdAt, stock: false, agent: agent.digest, built };
}
