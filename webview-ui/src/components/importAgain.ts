const ADDRESS = /https?:\S+?\.js/;

/**
 * Loads a part of the page. A browser remembers that a module could not be fetched and never asks for it again, only under
 * another address; the error names the one that failed.
 */
export async function importAgain<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (thrown) {
    const address = ADDRESS.exec(String(thrown))?.[0];
    if (address === undefined) {
      throw thrown;
    }
    const again: Promise<Module> = import(`${address}?again=${Date.now()}`);
    return again;
  }
}
