import type { Command } from 'commander';
import type { ProgramOptions, Run } from './command.ts';
import { EXIT } from './exitCodes.ts';

/** `image build` and `image show`. */
export function addImage(command: Command, { config }: ProgramOptions, run: Run): void {
  const image = command.command('image').description('The image that agents in containers work in');
  image
    .command('build')
    .description('Make it with the Docker engine')
    .option('--name <name>', 'its name and tag', config.docker.image)
    .option('--base <image>', 'what to build on, Debian or its kin')
    .option('--packages <names>', 'packages of Debian, separated by spaces, in place of the usual ones')
    .option(
      '--with-claude <version>',
      'install this version of Claude Code from npm; needed only for an engine that does not see the files of this machine',
    )
    .action((flags: { name: string; base?: string; packages?: string; withClaude?: string }) =>
      run(async () => {
        const { buildAgentImage } = await import('../sandboxes/docker/agentImage.ts');
        await buildAgentImage(config.docker.engine, {
          name: flags.name,
          base: flags.base,
          packages: flags.packages,
          claudeCode: flags.withClaude,
          onLine: line => process.stderr.write(`${line}\n`),
        });
        process.stdout.write(`${flags.name}\n`);
        return EXIT.ok;
      })(),
    );
  image
    .command('show')
    .description('Print its Dockerfile')
    .action(() =>
      run(async () => {
        const { AGENT_DOCKERFILE } = await import('../sandboxes/docker/agentImage.ts');
        process.stdout.write(AGENT_DOCKERFILE);
        return EXIT.ok;
      })(),
    );
}
