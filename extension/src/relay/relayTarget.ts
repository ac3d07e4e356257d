import { SandpiperError } from '../../../protocol/errors.ts';
import { t } from '../../../protocol/text.ts';

/** Which relay this window talks to. */
export type RelayTarget =
  /** The one that Sandpiper brings along; it is shared with the command line and with other windows. */
  | { kind: 'embedded'; dataFolder: string }
  /** One that runs elsewhere. `url` is its HTTP address. */
  | { kind: 'remote'; url: string; token: string };

/**
 * The address of the relay that the user named, as `http(s)://host:port`, with a path when it stands behind one.
 * @param text what the user typed: http(s) or ws(s)
 * @throws `invalid_params` when it is no such address, or would carry the token over a network in clear
 */
export function toRelayUrl(text: string): string {
  const wrong = (why: string) =>
    new SandpiperError('invalid_params', t('"{0}" cannot be the address of a relay: {1}.', text, why), {
      hint: t('Use an address such as https://relay.example.com or http://127.0.0.1:7421.'),
    });
  if (!URL.canParse(text)) {
    throw wrong(t('it is not a URL'));
  }
  const url = new URL(text);
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  if (!secure && url.protocol !== 'http:' && url.protocol !== 'ws:') {
    throw wrong(t('only http, https, ws and wss are spoken'));
  }
  if (!secure && !isLoopback(url.hostname)) {
    throw wrong(t('without TLS your token would cross the network in clear'));
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw wrong(t('it must hold neither credentials nor a query'));
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v1\/ws$/, '');
  return `${secure ? 'https' : 'http'}://${url.host}${path}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Variables that would change how Node runs, or that belong to this editor window and die with it. */
const DROPPED =
  /^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_INSPECT|APPLICATION_INSIGHTS_|CHROME_CRASHPAD|BROWSER$|(GIT|SSH)_ASKPASS$)/;

/**
 * The environment of the embedded relay. It outlives the window, so nothing of the window may stay in it.
 * @param env the environment of the extension host
 */
export function relayEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  options: { dataFolder: string; claudePath: string; idleExitMs: number },
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !DROPPED.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    ELECTRON_RUN_AS_NODE: '1',
    SANDPIPER_DATA: options.dataFolder,
    SANDPIPER_IDLE_EXIT_MS: String(options.idleExitMs),
    ...(options.claudePath === '' ? {} : { SANDPIPER_CLAUDE: options.claudePath }),
  };
}

/**
 * Where the embedded relay keeps its data: the same folder as the command line uses, so that both share one relay.
 * @param setting what the user chose; empty for the default
 */
export function dataFolderOf(
  setting: string,
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
): string {
  if (setting !== '') {
    return setting.replace(/^~(?=$|[\\/])/, () => home);
  }
  if (env['SANDPIPER_DATA']) {
    return env['SANDPIPER_DATA'];
  }
  switch (platform) {
    case 'win32':
      return `${env['LOCALAPPDATA'] ?? `${home}\\AppData\\Local`}\\sandpiper`;
    case 'darwin':
      return `${home}/Library/Application Support/sandpiper`;
    default:
      return `${env['XDG_DATA_HOME'] ?? `${home}/.local/share`}/sandpiper`;
  }
}
