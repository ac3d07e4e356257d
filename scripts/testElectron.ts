import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { describeMissing, setUp } from './setup.ts';
import { hostTestsFolder } from './setup/bundles.ts';
import { repositoryFolder } from './setup/need.ts';

/*
 * `npm run test:electron [-- <version>]`: the tests of test/editor/host/ in a desktop VS Code, which is downloaded to
 * .vscode-test/. It needs the internet and a display (`xvfb-run -a` on a server), so it is not part of `npm test`; the same
 * tests run there in the VS Code server from npm.
 */

const { missing } = await setUp(['bundles'], line => console.log(`setup: ${line}`));
if (missing.length > 0) {
  console.error(missing.map(describeMissing).join('\n'));
  process.exit(1);
}
if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
  stop('there is no display', 'Run it in a desktop session, or as: xvfb-run -a npm run test:electron');
}
const version = process.argv[2] ?? 'stable';
const program = await downloadAndUnzipVSCode({ version }).catch((error: unknown) =>
  stop(
    `VS Code ${version} could not be downloaded: ${error instanceof Error ? error.message : String(error)}`,
    'Run it where update.code.visualstudio.com can be reached. `npm test` runs the same tests in the VS Code server from npm.',
  ),
);
const workspace = await mkdtemp(join(tmpdir(), 'sandpiper-test-workspace-'));
try {
  process.exitCode = await runTests({
    vscodeExecutablePath: program,
    extensionDevelopmentPath: repositoryFolder,
    extensionTestsPath: join(hostTestsFolder, 'run.cjs'),
    launchArgs: [workspace, '--disable-extensions', '--disable-workspace-trust'],
  });
} finally {
  await rm(workspace, { recursive: true, force: true });
}

function stop(reason: string, hint: string): never {
  console.error(`test:electron: ${reason}. ${hint}`);
  process.exit(1);
}
