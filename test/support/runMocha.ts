import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { reporterFor } from './mochaReporter.ts';
import { makePatient } from './patience.ts';

/*
 * Runs the given test files in this process: `node test/support/runMocha.ts --layer unit [--grep text] file...`.
 * Exit code 0 only when every test passed and nothing keeps the process alive afterwards.
 */

/** A process that is still alive this long after its last test has left something open. */
const END_GRACE_MS = 10_000;

const { values, positionals } = parseArgs({
  options: { layer: { type: 'string', default: 'tests' }, grep: { type: 'string' } },
  allowPositionals: true,
});

const mocha = new Mocha({
  ui: 'bdd',
  timeout: 30_000,
  forbidOnly: true,
  reporter: reporterFor({
    layer: values.layer,
    file: process.env['SANDPIPER_RESULTS'],
    print: line => console.log(line),
  }),
});
if (values.grep !== undefined) {
  mocha.fgrep(values.grep);
}
for (const file of positionals) {
  mocha.addFile(file);
}
await mocha.loadFilesAsync();

const run = mocha.run(failures => {
  process.exitCode = failures === 0 ? 0 : 1;
  setTimeout(() => {
    console.log(
      `  ✘ The tests ended, but something keeps the process alive: ${process.getActiveResourcesInfo().join(', ')}`,
    );
    process.exit(1);
  }, END_GRACE_MS).unref();
});
makePatient(run);
