import { registerHooks } from 'node:module';

/*
 * Loaded into a process before it starts (`node --import`): makes it another version of Sandpiper by changing constants as
 * their modules are loaded. TEST_VERSION is the release, TEST_PROTOCOL the newest protocol and TEST_OLDEST_PROTOCOL the oldest;
 * what is not set stays.
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
  {
    module: '/protocol/version.ts',
    constant: /(export const OLDEST_PROTOCOL_VERSION = )[^;]*/,
    value: process.env['TEST_OLDEST_PROTOCOL'],
  },
];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const wanted = changes.filter(({ module, value }) => value !== undefined && url.endsWith(module));
    if (wanted.length === 0 || loaded.source === undefined || loaded.source === null) {
      return loaded;
    }
    let source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    for (const { module, constant, value } of wanted) {
      if (!constant.test(source)) {
        throw new Error(`${module} has no constant to change.`);
      }
      source = source.replace(constant, `$1${value}`);
    }
    return { ...loaded, source };
  },
});

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}
