import { isIP } from 'node:net';
import { z } from 'zod';

const container = z.looseObject({
  name: z.string(),
  image: z.string().min(1),
  env: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string().exactOptional(),
        valueFrom: z
          .strictObject({ fieldRef: z.strictObject({ fieldPath: z.literal('metadata.uid') }) })
          .exactOptional(),
      }),
    )
    .exactOptional(),
  resources: z.looseObject({
    limits: z.record(z.string(), z.string()),
    requests: z.record(z.string(), z.string()),
  }),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.boolean().exactOptional(),
    privileged: z.boolean().exactOptional(),
    readOnlyRootFilesystem: z.boolean().exactOptional(),
    runAsNonRoot: z.boolean().exactOptional(),
    capabilities: z
      .looseObject({ drop: z.array(z.string()).exactOptional(), add: z.array(z.string()).exactOptional() })
      .exactOptional(),
  }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});

/** What the emulator needs of a pod, over what the API's own description says of it. */
export const podRequestSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).exactOptional() }),
  spec: z.looseObject({
    containers: z.array(container).length(1),
    volumes: z.array(z.looseObject({ name: z.string() })),
    hostNetwork: z.boolean().exactOptional(),
    hostPID: z.boolean().exactOptional(),
    hostIPC: z.boolean().exactOptional(),
    activeDeadlineSeconds: z.int().positive().exactOptional(),
    dnsPolicy: z.string().exactOptional(),
    dnsConfig: z.looseObject({ nameservers: z.array(z.string()) }).exactOptional(),
    hostAliases: z.array(z.strictObject({ ip: z.string(), hostnames: z.array(z.string()) })).exactOptional(),
    securityContext: z.looseObject({
      runAsNonRoot: z.boolean().exactOptional(),
      seccompProfile: z.looseObject({ type: z.string() }).exactOptional(),
    }),
  }),
});
export type PodRequest = z.infer<typeof podRequestSchema>;

/** What the API server would answer 422 for. */
export function invalidIn({ metadata, spec }: PodRequest): string[] {
  const [main] = spec.containers;
  const label = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;
  const quantity = /^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti)?$/;
  const amounts = [...Object.values(main?.resources.limits ?? {}), ...Object.values(main?.resources.requests ?? {})];
  return [
    ...(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(metadata.name)
      ? []
      : [`metadata.name: Invalid value: "${metadata.name}"`]),
    ...Object.values(metadata.labels ?? {}).flatMap(value =>
      label.test(value) ? [] : [`metadata.labels: Invalid value: "${value}"`],
    ),
    ...amounts.flatMap(value =>
      quantity.test(value) ? [] : [`spec.containers[0].resources: Invalid value: "${value}"`],
    ),
    ...(main?.volumeMounts ?? []).flatMap(({ name }) =>
      spec.volumes.some(volume => volume.name === name)
        ? []
        : [`spec.containers[0].volumeMounts: Not found: "${name}"`],
    ),
    ...(spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers.length ?? 0) === 0
      ? ['spec.dnsConfig.nameservers: Required value']
      : []),
    ...(spec.hostAliases ?? []).flatMap(({ ip }) => (isIP(ip) ? [] : [`spec.hostAliases: Invalid value: "${ip}"`])),
  ];
}

/** What a namespace that enforces the pod security standard `restricted` refuses. */
export function insecureIn({ spec }: PodRequest): string[] {
  const [main] = spec.containers;
  const { securityContext } = main ?? {};
  const { drop = [], add = [] } = securityContext?.capabilities ?? {};
  return [
    ...(spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true ? ['host namespaces'] : []),
    ...(securityContext?.privileged === true ? ['privileged'] : []),
    ...(securityContext?.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation != false']),
    ...(drop.includes('ALL') && add.every(name => name === 'NET_BIND_SERVICE') ? [] : ['unrestricted capabilities']),
    ...(spec.securityContext.runAsNonRoot === true || securityContext?.runAsNonRoot === true
      ? []
      : ['runAsNonRoot != true']),
    ...(spec.securityContext.seccompProfile?.type === 'RuntimeDefault' ? [] : ['seccompProfile']),
    ...spec.volumes.flatMap(({ name, ...source }) =>
      ['emptyDir', 'configMap', 'secret', 'projected'].some(kind => kind in source)
        ? []
        : [`restricted volume ${name}`],
    ),
  ];
}
