/** What test/vm/clones.test.ts shows of a few clones and rounds, of as many as it is promised for. */
process.env['NEST_TEST_CLONES'] = '10';
process.env['NEST_TEST_ROUNDS'] = '200';
await import('../vm/clones.test.ts');
