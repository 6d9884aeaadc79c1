import test from 'ava';
import { modulesAlias, modulesDep, selectModules } from '../../src/guest-image/kernel-modules.ts';
import { elfModule } from './elf-file.ts';
import { folderOf } from './folder.ts';

const tree = {
  'kernel/net/bridge/bridge.ko': elfModule(['alias=rtnl-link-bridge', 'depends=llc,stp']),
  'kernel/net/802/stp.ko': elfModule(['depends=llc']),
  'kernel/net/llc/llc.ko': elfModule(['depends=']),
  'kernel/drivers/char/virtio-rng.ko': elfModule(['depends=']),
};

test('a module comes after all it depends on, and nothing comes twice', async (t) => {
  const modules = await selectModules(await folderOf(t, tree), ['bridge', 'stp']);
  t.deepEqual(
    modules.map((module) => module.name),
    ['llc', 'stp', 'bridge'],
  );
});

test('a dash in a file name is an underscore in the module name', async (t) => {
  const [module] = await selectModules(await folderOf(t, tree), ['virtio_rng']);
  t.is(module?.path, 'kernel/drivers/char/virtio-rng.ko');
});

test('a module that the kernel does not have is an error', async (t) => {
  await t.throwsAsync(selectModules(await folderOf(t, tree), ['floppy']), { message: /`floppy`/ });
});

test('modules.dep lists dependencies so that the reverse is the order of loading', async (t) => {
  const modules = await selectModules(await folderOf(t, tree), ['bridge']);
  t.is(
    modulesDep(modules).split('\n').at(-2),
    'kernel/net/bridge/bridge.ko: kernel/net/802/stp.ko kernel/net/llc/llc.ko',
  );
});

test('modules.alias has the patterns by which the kernel asks', async (t) => {
  t.is(modulesAlias(await selectModules(await folderOf(t, tree), ['bridge'])), 'alias rtnl-link-bridge bridge\n');
});
