import { build } from 'esbuild';
import { targets } from '../esbuild.mjs';
import { bundles, layerOf, layers, packageName } from './layers.mjs';

/*
 * Fails when an artefact contains a folder or an npm package that the table in layers.mjs does not give it. The lint rule
 * sees single imports; this sees what really ends up together.
 */

const problems: string[] = [];

for (const [name, rule] of Object.entries(bundles)) {
  const options = Object.entries(targets).find(([target]) => target === name)?.[1];
  if (!options) {
    problems.push(`layers.mjs names a bundle "${name}" that esbuild.mjs does not build`);
    continue;
  }
  const { metafile } = await build({
    ...options,
    packages: 'external',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const allowed = new Set(
    layers
      .filter(layer => rule.folders.some(folder => layer.folder === folder || layer.folder.startsWith(`${folder}/`)))
      .flatMap(layer => layer.packages),
  );
  for (const [file, input] of Object.entries(metafile.inputs)) {
    if (layerOf(file) && !rule.folders.some(folder => file.startsWith(`${folder}/`))) {
      problems.push(`${name}: contains ${file}`);
    }
    for (const { path, external } of input.imports) {
      const isNode = path.startsWith('node:');
      if (external && (isNode ? !rule.node : !allowed.has(packageName(path)))) {
        problems.push(`${name}: ${file} imports ${path}`);
      }
    }
  }
}

for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length > 0 ? 1 : 0;
