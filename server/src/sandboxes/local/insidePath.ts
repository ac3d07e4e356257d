import { SandpiperError } from '../../../../protocol/errors.ts';

/** A folder that is writable from inside, and where the relay finds it. */
export interface Root {
  inside: string;
  host: string;
}

export interface Located {
  root: Root;
  /** From the root down to the file; never empty, never `.`, `..` or a name with a slash. */
  components: string[];
}

const MAX_NAME_BYTES = 255;

/**
 * Where a path inside the sandbox stands on the host.
 * @throws `invalid_params` for everything that is not plainly below one of the roots
 */
export function locate(roots: readonly Root[], path: string): Located {
  const root = roots.find(candidate => path.startsWith(`${candidate.inside}/`));
  if (root === undefined) {
    throw refused(path, `it is not in ${roots.map(candidate => candidate.inside).join(', ')}`);
  }
  const components = path.slice(root.inside.length + 1).split('/');
  for (const component of components) {
    if (component === '' || component === '.' || component === '..') {
      throw refused(path, 'it has an empty, "." or ".." part');
    }
    if (component.includes('\0') || Buffer.byteLength(component) > MAX_NAME_BYTES) {
      throw refused(path, 'a part of it is no file name');
    }
  }
  return { root, components };
}

function refused(path: string, reason: string): SandpiperError {
  return new SandpiperError('invalid_params', `The path "${path}" is refused: ${reason}.`, {
    hint: 'Name a file below the workspace, the home or the journal of the sandbox.',
  });
}
