import { builtVsix } from '../../test/support/builtVsix.ts';
import { startCodeServer } from '../../test/support/codeServer.ts';
import { windowUrl } from '../../test/support/workbench.ts';
import { describeMissing, setUp } from '../setup.ts';

export interface DemoEditor {
  close(): Promise<void>;
}

/**
 * Starts a real VS Code server with the extension installed, joined to the demo's relay, and says where to open it.
 * @throws when there is no VS Code server for this platform, or the extension cannot be packaged
 */
export async function openDemoEditor(options: {
  repository: string;
  dataFolder: string;
  say: (text: string) => void;
}): Promise<DemoEditor> {
  const { missing } = await setUp(['vscodeServer'], options.say);
  const [miss] = missing;
  if (miss) {
    throw new Error(describeMissing(miss));
  }
  const server = await startCodeServer({
    extensions: [await builtVsix()],
    settings: { 'workbench.secondarySideBar.defaultVisibility': 'visible' },
    machineSettings: {
      'sandpiper.relay.dataFolder': options.dataFolder,
      // The demo started the relay and ends it; the editor is only to join it.
      'sandpiper.relay.startAutomatically': false,
    },
  });
  options.say(`VS Code: ${windowUrl(server, options.repository)} (the bird at the left is Sandpiper)`);
  return { close: () => server.stop() };
}
