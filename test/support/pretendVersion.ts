import { registerHooks } from 'node:module';

/*
 * Loaded into a process before it starts (`node --import`): makes it another version of Sandpiper by changing constants as
 * their modules are loaded. TEST_VERSION is the release, TEST_PROTOCOL the newest protocol; what is not set stays.
 */

const changes: { module: string; constant: RegExp; value: string | undefined }[] = [
  {
    module: '/server/src/core/config.ts',
    constant: /(export const VERSION = )[^;]*/,
    value: quoted(process.env['TEST_VERSION']),
  },
  {
    module: '/protocol/version.ts',
    constant: /(export const PROTOCOL_VERSION = )[^;]*/,
    value: process.env['TEST_PROTOCOL'],
  },
];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const change = changes.find(({ module, value }) => value !== undefined && url.endsWith(module));
    if (!change || loaded.source === undefined || loaded.source === null) {
      return loaded;
    }
    const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    if (!change.constant.test(source)) {
      throw new Error(`${change.module} has no constant to change.`);
    }
    return { ...loaded, source: source.replace(change.constant, `$1${change.value}`) };
  },
});

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}
