import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { makeScratchFolder } from '../../core/scratchFolder.ts';
import { INSIDE } from '../local/bubblewrap.ts';
import { DockerEngine } from './dockerEngine.ts';
import type { DockerSettings } from './dockerHost.ts';

/** By version, so that the same Dockerfile makes the same image as long as Debian's point release lasts. */
const BASE = 'debian:12.11-slim';
const PACKAGES =
  'bash build-essential ca-certificates curl file git jq less nodejs npm openssh-client procps python3 python3-pip python3-venv ripgrep rsync unzip xz-utils';

/**
 * The image that agents work in: git, the common toolchains, and a user without power who owns the folders of the work.
 * Claude Code is its maker's: it comes in only when it is asked for (CLAUDE_CODE), and is needed only for engines elsewhere.
 */
export const AGENT_DOCKERFILE = `ARG BASE=${BASE}
FROM \${BASE}
ARG PACKAGES="${PACKAGES}"
ARG CLAUDE_CODE=""
USER root
RUN set -eu; \\
    if [ -n "\${PACKAGES}" ]; then \\
      apt-get update; \\
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \${PACKAGES}; \\
      rm -rf /var/lib/apt/lists/*; \\
    fi
RUN set -eu; \\
    if [ -n "\${CLAUDE_CODE}" ]; then \\
      npm install --global --no-fund --no-audit "@anthropic-ai/claude-code@\${CLAUDE_CODE}"; \\
      npm cache clean --force; \\
      claude --version; \\
    fi
RUN set -eu; \\
    grep -q '^[^:]*:[^:]*:1000:' /etc/group || echo 'agent:x:1000:' >> /etc/group; \\
    grep -q '^[^:]*:[^:]*:1000:' /etc/passwd || echo 'agent:x:1000:1000:agent:${INSIDE.home}:/bin/sh' >> /etc/passwd; \\
    mkdir -p ${INSIDE.workspace} ${INSIDE.home} ${INSIDE.journal}; \\
    chown 1000:1000 ${INSIDE.workspace} ${INSIDE.home} ${INSIDE.journal}; \\
    git --version
ENV HOME=${INSIDE.home}
USER 1000:1000
WORKDIR ${INSIDE.workspace}
`;

export interface ImageOptions {
  /** Name of the image, with its tag. */
  name: string;
  base?: string | undefined;
  /** Packages of Debian, in place of the usual ones; none when empty. */
  packages?: string | undefined;
  /** Version of Claude Code to install; default: none. */
  claudeCode?: string | undefined;
  /** A line of what the engine says. */
  onLine(line: string): void;
}

/** Makes the image with the engine. @throws `sandbox_unavailable` with what the engine said last */
export async function buildAgentImage(settings: DockerSettings, options: ImageOptions): Promise<void> {
  const engine = await DockerEngine.connect(settings);
  await engine.version();
  const folder = await makeScratchFolder('image');
  try {
    await writeFile(join(folder, 'Dockerfile'), AGENT_DOCKERFILE);
    const given = { BASE: options.base, PACKAGES: options.packages, CLAUDE_CODE: options.claudeCode };
    const failure = await engine.build(folder, {
      name: options.name,
      arguments: Object.fromEntries(
        Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
      onLine: line => options.onLine(line),
    });
    if (failure !== undefined) {
      throw new SandpiperError('sandbox_unavailable', `The image could not be made: ${failure}`, {
        hint: 'Look at the lines before this one. It needs a way to the registry of images and to the mirrors of Debian.',
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
