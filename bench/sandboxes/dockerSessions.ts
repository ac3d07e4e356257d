import { join } from 'node:path';
import { startTestEngine, whyNoEngine } from '../../test/support/docker/dockerEngine.ts';
import { engineCall } from '../../test/support/docker/engineCall.ts';
import { median, medianRatio, type Measurement } from '../figure.ts';
import { BenchRelay } from '../support/benchRelay.ts';
import { LARGE_REPOSITORY_FILES, makeLargeRepository } from '../support/largeRepository.ts';
import { startModelProcess } from '../support/modelProcess.ts';

const DELTAS = 1000;
const INTERVAL_MS = 5;

/**
 * From the call to a running agent in a container, against what the engine alone needs for a container of the same image with
 * a clone of the same repository in it; and how late the agent's text comes from there.
 */
export const dockerSessions: Measurement = {
  figures: [
    { name: 'start-over-bare-docker', unit: 'ratio', aim: 1.3 },
    { name: 'event-latency-p50-docker-ms', unit: 'ms', aim: 5 },
  ],
  needs: ['docker'],
  async take(bench) {
    const reason = whyNoEngine();
    if (reason !== undefined) {
      throw new Error(reason);
    }
    const engine = await startTestEngine();
    bench.defer(() => engine.stop());
    const source = join(bench.folder, 'large');
    await makeLargeRepository(source);
    const model = await startModelProcess();
    bench.defer(() => model.stop());
    const env = { DOCKER_HOST: `unix://${engine.socket}`, SANDPIPER_DOCKER_IMAGE: engine.image };
    const relay = await BenchRelay.start(bench, 'data', { modelUrl: model.url, env });
    const start = async (): Promise<number> => {
      const startedAt = performance.timeOrigin + performance.now();
      const sessionId = await relay.create({ source, prompt: 'SCN:deltas:1:0:only', provider: 'docker' });
      const agentAt = await relay.until(sessionId, state => state.agent.running);
      await relay.until(sessionId, state => state.turns[0]?.checkpoint !== undefined);
      await relay.archive(sessionId);
      return agentAt - startedAt;
    };
    const firstMs = await start();
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      ours.push(await start());
      floor.push(await bareStart(engine, source));
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} ms`);
    }
    const sessionId = await relay.createWarm(source, 'docker');
    const late: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      await relay.turn(sessionId, `SCN:deltas:${DELTAS}:${INTERVAL_MS}:docker${round}`);
      late.push(relay.marks.latencies(`docker${round}`, await model.log()).p50);
      await model.reset();
      bench.report(`round ${round}: ${late.at(-1)?.toFixed(2)} ms late`);
    }
    const files = LARGE_REPOSITORY_FILES;
    return {
      'start-over-bare-docker': { value: medianRatio(ours, floor), raw: { unit: 'ms', ours, floor, firstMs, files } },
      'event-latency-p50-docker-ms': { value: median(late), raw: { unit: 'ms', ours: late, deltas: DELTAS } },
    };
  },
};

/** A container that is made and started, with a clone in it that borrows the mounted objects. */
async function bareStart({ socket, image }: { socket: string; image: string }, source: string): Promise<number> {
  const startedAt = performance.now();
  const made = await engineCall(socket, 'POST', '/containers/create', {
    Image: image,
    Entrypoint: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'none', Binds: [`${source}:/source:ro`] },
  });
  const id = idIn(made);
  await engineCall(socket, 'POST', `/containers/${id}/start`);
  // The source belongs to another user than the container's.
  const clone = 'git -c safe.directory=* clone --quiet --shared /source /tmp/clone && test -d /tmp/clone/packages';
  const exec = idIn(
    await engineCall(socket, 'POST', `/containers/${id}/exec`, {
      Cmd: ['sh', '-c', `export HOME=/tmp; git config --global safe.directory "*"; ${clone}`],
      AttachStdout: true,
      AttachStderr: true,
    }),
  );
  const said = await engineCall(socket, 'POST', `/exec/${exec}/start`, { Detach: false, Tty: false });
  const ms = performance.now() - startedAt;
  const ended = await engineCall(socket, 'GET', `/exec/${exec}/json`);
  await engineCall(socket, 'DELETE', `/containers/${id}?force=1`);
  if (!(typeof ended === 'object' && ended !== null && 'ExitCode' in ended && ended.ExitCode === 0)) {
    throw new Error(`The bare clone failed: ${String(said)}`);
  }
  return ms;
}

function idIn(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'Id' in answer && typeof answer.Id === 'string') {
    return answer.Id;
  }
  throw new Error(`The engine gave no id: ${JSON.stringify(answer)}`);
}
