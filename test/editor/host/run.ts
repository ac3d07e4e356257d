import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';
import { reporterFor } from '../../support/mochaReporter.ts';
import { makePatient } from '../../support/patience.ts';

/*
 * What VS Code calls inside the extension host when it is started with `extensionTestsPath`: the same for the VS Code
 * server in a browser and for a desktop VS Code (@vscode/test-electron). It is bundled as CommonJS beside the test files.
 */

/** Runs every test file beside this one; rejects when a test failed, which makes VS Code end with exit code 1. */
export async function run(): Promise<void> {
  const grep = process.env['SANDPIPER_TEST_GREP'];
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: 30_000,
    forbidOnly: true,
    reporter: reporterFor({
      layer: 'editor',
      file: process.env['SANDPIPER_RESULTS'],
      print: line => console.log(line),
    }),
  });
  if (grep) {
    mocha.fgrep(grep);
  }
  for (const file of readdirSync(__dirname).filter(name => name.endsWith('.test.cjs'))) {
    mocha.addFile(join(__dirname, file));
  }
  const failures = await new Promise<number>(resolve => makePatient(mocha.run(resolve)));
  if (failures > 0) {
    throw new Error(`${failures} of the editor tests failed`);
  }
}
