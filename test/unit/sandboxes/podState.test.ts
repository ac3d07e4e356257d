import assert from 'node:assert/strict';
import type { V1ContainerState, V1PodStatus } from '@kubernetes/client-node';
import { podState } from '../../../server/src/sandboxes/kubernetes/podState.ts';

const of = (status: V1PodStatus) => podState({ metadata: { name: 'a' }, status });
const container = (state: V1ContainerState, ready = false) => ({
  name: 'sandbox',
  image: 'base',
  imageID: '',
  restartCount: 0,
  ready,
  state,
});

/** As clusters say it, in the words of their API. */
describe('what is to be expected of a pod', () => {
  it('is that it runs when its container is ready', () => {
    const running = container({ running: {} }, true);
    assert.deepEqual(of({ phase: 'Running', containerStatuses: [running] }), { kind: 'ready' });
    assert.equal(of({ phase: 'Running', containerStatuses: [{ ...running, ready: false }] }).kind, 'starting');
    const removed = {
      metadata: { deletionTimestamp: new Date() },
      status: { phase: 'Running', containerStatuses: [running] },
    };
    assert.equal(podState(removed).kind, 'ended');
  });

  it('is that it starts, with the reason that it waits for', () => {
    assert.deepEqual(podState({}), { kind: 'starting', why: undefined });
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }];
    assert.deepEqual(of({ phase: 'Pending', conditions }), { kind: 'starting', why: 'Unschedulable: 0/3 nodes' });
    // The first failure to pull may be one of the network.
    for (const reason of ['ContainerCreating', 'ErrImagePull']) {
      const waits = of({ phase: 'Pending', containerStatuses: [container({ waiting: { reason } })] });
      assert.deepEqual(waits, { kind: 'starting', why: reason });
    }
  });

  it('is nothing, when only other settings would help', () => {
    for (const [reason, image] of [
      ['ImagePullBackOff', true],
      ['InvalidImageName', true],
      ['CreateContainerConfigError', false],
      ['RunContainerError', false],
    ] as const) {
      const stuck = of({ phase: 'Pending', containerStatuses: [container({ waiting: { reason, message: 'why' } })] });
      assert.deepEqual(stuck, { kind: 'stuck', why: `${reason}: why`, image });
    }
    const noShell = container({ terminated: { exitCode: 128, reason: 'StartError', message: 'no sh' } });
    const ended = of({ phase: 'Failed', startTime: new Date(), containerStatuses: [noShell] });
    assert.deepEqual(ended, { kind: 'stuck', why: 'StartError: no sh', image: false });
  });

  it('is another try where a node had no room, and none where it ended', () => {
    assert.equal(of({ phase: 'Failed', reason: 'OutOfcpu', message: 'no room' }).kind, 'crowded');
    for (const reason of ['Evicted', 'DeadlineExceeded', 'NodeLost']) {
      const ended = of({ phase: 'Failed', reason, message: 'm', startTime: new Date() });
      assert.deepEqual(ended, { kind: 'ended', why: `${reason}: m` });
    }
    const killed = container({ terminated: { exitCode: 137, reason: 'OOMKilled' } });
    const outOfMemory = of({ phase: 'Failed', startTime: new Date(), containerStatuses: [killed] });
    assert.deepEqual(outOfMemory, { kind: 'ended', why: 'OOMKilled' });
  });
});
