import { join } from 'node:path';
import { hostTestsFolder } from '../../scripts/setup/bundles.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';
import { startCodeServer } from '../support/codeServer.ts';
import { openEditorWorld } from '../support/editorWorld.ts';
import { runHostTests } from '../support/hostTests.ts';

/*
 * Runs test/editor/host/ inside the extension host of a real VS Code, with the extension loaded from dist/. Setup must have
 * brought the VS Code server, a Chromium and the bundles. Exit code 0 only when every test passed.
 */

const world = await openEditorWorld([]);
try {
  const server = await startCodeServer({
    smokeTestDriver: true,
    settings: { 'sandpiper.session.permissionMode': 'autopilot' },
    machineSettings: { 'sandpiper.relay.dataFolder': world.dataFolder },
    env: { ...world.env, SANDPIPER_TEST_DATA: world.dataFolder },
  });
  const log: string[] = [];
  try {
    process.exitCode = await runHostTests(server, {
      extension: repositoryFolder,
      tests: join(hostTestsFolder, 'run.cjs'),
      workspace: world.repository,
      print: line => {
        log.push(line);
        if (/^ {2,}\S/.test(line)) {
          console.log(line);
        }
      },
    });
  } finally {
    await server.stop();
  }
  const refused = log.find(line => line.includes('is a proposed menu identifier'));
  if (refused !== undefined) {
    console.log(`  ✘ The manifest uses a proposed menu: ${refused}`);
    process.exitCode = 1;
  }
  const pulls = world.github.pullRequests().map(({ owner, repository, number }) => `${owner}/${repository}#${number}`);
  if (process.exitCode === 0 && process.env['SANDPIPER_TEST_GREP'] === undefined && pulls.join() !== 'octo/slug#1') {
    console.log(`  ✘ The tests were to leave one pull request on the forge, and it has: ${pulls.join(', ') || 'none'}`);
    process.exitCode = 1;
  }
} finally {
  await world.dispose();
}
