import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The rooms, and what each may import (ARCHITECTURE.md). A room that is not named in a list may not be imported; files
 * at the top of src/ (errors, paths, progress, api) are open to every room of src/.
 */
const rooms = {
  commands: ['client', 'doctor'],
  client: ['ssh'],
  doctor: ['libvirt'],
  engine: ['deploy', 'placement', 'build', 'images', 'volumes', 'guest-image', 'vm', 'network', 'trunk', 'libvirt'],
  deploy: ['placement'],
  placement: [],
  build: ['images'],
  images: [],
  volumes: [],
  'guest-image': [],
  vm: ['libvirt', 'trunk', 'guest-image', 'ssh'],
  network: ['trunk'],
  trunk: [],
  ssh: [],
  libvirt: [],
};

/** `src/` imports from the agent only its wire types, the format of tar and IPv4; the agent imports nothing from `src/`. */
const onlyWireTypes = {
  regex: 'guest-agent/(?!api\\.ts$|tar/|network/(ipv4|mac)\\.ts$)',
  message: 'src/ imports only guest-agent/api.ts, tar/ and network/{ipv4,mac}.ts from the agent.',
};
const koffi = { name: 'koffi', message: 'koffi is imported only in src/libvirt/ and guest-agent/sys/.' };

const roomRules = Object.entries(rooms).map(([room, allowed]) => {
  const closed = Object.keys(rooms).filter((other) => other !== room && !allowed.includes(other));
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: room === 'libvirt' ? [] : [koffi],
          patterns: [
            onlyWireTypes,
            ...closed.map((other) => ({
              regex: `^(\\.\\./)+${other}/`,
              message: `src/${room}/ may not import src/${other}/ (see ARCHITECTURE.md).`,
            })),
          ],
        },
      ],
    },
  };
});

export default defineConfig(
  globalIgnores(['dist/', 'node_modules/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-invalid-void-type': 'off', // Promise.withResolvers<void>() is right
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  ...roomRules,
  {
    files: ['guest-agent/**/*.ts'],
    ignores: ['guest-agent/sys/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [koffi], patterns: [{ regex: '(\\.\\./)+src/', message: 'guest-agent/ imports nothing from src/.' }] },
      ],
    },
  },
  { files: ['bin/*.js', '*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
);
