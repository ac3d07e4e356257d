import { format } from 'node:util';
import type { CodeServer } from './codeServer.ts';
import { launchChromium } from './chromium.ts';
import { windowUrl } from './workbench.ts';
import { patient } from './patience.ts';

interface HostTests {
  /** Folder of the extension under development; it holds package.json. */
  extension: string;
  /** CommonJS module that exports `run()`. */
  tests: string;
  /** Folder that the window opens. */
  workspace: string;
  print: (line: string) => void;
  timeoutMs?: number;
}

/**
 * Runs tests inside the extension host of a window that is opened for them.
 * @returns the exit code that VS Code would end with: 0 when `run()` resolved
 */
export async function runHostTests(server: CodeServer, options: HostTests): Promise<number> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const remote = (path: string) => `vscode-remote://${server.authority}${path}`;
    const exit = Promise.withResolvers<number>();
    // The workbench calls these two when it is opened for tests.
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => options.print(format(...args)));
    await page.exposeFunction('codeAutomationExit', (code: number) => exit.resolve(code));
    const timeoutMs = options.timeoutMs ?? patient(300_000);
    const timer = setTimeout(
      () => exit.reject(new Error(`The tests in the extension host did not end in ${timeoutMs} ms.`)),
      timeoutMs,
    );
    try {
      await page.goto(
        windowUrl(server, options.workspace, [
          ['extensionDevelopmentPath', remote(options.extension)],
          ['extensionTestsPath', remote(options.tests)],
        ]),
      );
      return await exit.promise;
    } finally {
      clearTimeout(timer);
    }
  } finally {
    await browser.close();
  }
}
