#!/usr/bin/env node
import { useCompileCache } from './core/compileCache.ts';

/*
 * Where the process begins. What this file imports must load on any Node, and be small: the rest comes after it is known that
 * this Node can run it, and is compiled only once.
 */

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  process.stderr.write(
    `Sandpiper needs Node 20.11 or newer; this is ${process.versions.node}.\n` +
      'Install a newer Node, or start it through npm in a clone of the repository.\n',
  );
  process.exitCode = 2;
} else {
  useCompileCache();
  const { runCommand } = await import('./command.ts');
  await runCommand();
}
