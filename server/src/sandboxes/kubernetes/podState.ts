import type { V1Pod } from '@kubernetes/client-node';

/** What is to be expected of a pod. */
export type PodState =
  | { kind: 'ready' }
  /** `why` it does not run so far, where the cluster says it. */
  | { kind: 'starting'; why: string | undefined }
  /** It will not come up without a change of what it was made of. */
  | { kind: 'stuck'; why: string; image: boolean }
  /** The node that it was given to did not take it: another try may be given to another one. */
  | { kind: 'crowded'; why: string }
  /** Nothing will ever run in it again. */
  | { kind: 'ended'; why: string };

const IMAGE_REASONS = new Set(['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError']);
const STUCK_REASONS = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

export function podState(pod: V1Pod): PodState {
  const { phase, conditions, containerStatuses } = pod.status ?? {};
  if (pod.metadata?.deletionTimestamp !== undefined) {
    return { kind: 'ended', why: 'it is being removed' };
  }
  if (phase === 'Failed' || phase === 'Succeeded') {
    return overState(pod);
  }
  const waiting = containerStatuses?.[0]?.state?.waiting;
  const reason = waiting?.reason ?? '';
  if (IMAGE_REASONS.has(reason) || STUCK_REASONS.has(reason)) {
    return { kind: 'stuck', why: reasonOf(waiting) ?? '', image: IMAGE_REASONS.has(reason) };
  }
  if (phase === 'Running' && containerStatuses?.[0]?.ready === true) {
    return { kind: 'ready' };
  }
  const unscheduled = conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return { kind: 'starting', why: reasonOf(unscheduled) ?? reasonOf(waiting) };
}

function overState(pod: V1Pod): PodState {
  const terminated = pod.status?.containerStatuses?.[0]?.state?.terminated;
  const why = reasonOf(pod.status) ?? reasonOf(terminated) ?? 'it ended';
  if (/^(OutOf|UnexpectedAdmissionError|NodeAffinity)/.test(pod.status?.reason ?? '')) {
    return { kind: 'crowded', why };
  }
  return terminated?.reason === 'StartError' || isNeverStarted(pod)
    ? { kind: 'stuck', why, image: false }
    : { kind: 'ended', why };
}

/** The node refused it before anything of it ran, and its kubelet is not short of anything. */
function isNeverStarted({ status }: V1Pod): boolean {
  return status?.containerStatuses === undefined && status?.startTime === undefined;
}

function reasonOf(given: { reason?: string; message?: string } | undefined): string | undefined {
  const parts = [given?.reason, given?.message].filter(part => part !== undefined && part !== '');
  return parts.length === 0 ? undefined : parts.join(': ').slice(0, 300);
}
