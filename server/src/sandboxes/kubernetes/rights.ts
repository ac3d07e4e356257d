import { VendorFailure } from '../vendors/vendorFailure.ts';
import type { KubernetesClient } from './kubernetesClient.ts';

/** Something that the account of a relay must be allowed to do in its namespace. */
export interface Right {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
}

const pods = { group: '', resource: 'pods' };
const policies = { group: 'networking.k8s.io', resource: 'networkpolicies' };

/** @param policy `make`: the relay keeps a network policy */
export function neededRights(policy: 'make' | 'theirs'): Right[] {
  return [
    ...['create', 'get', 'list', 'delete'].map(verb => ({ verb, ...pods })),
    { verb: 'get', ...pods, subresource: 'exec' },
    ...(policy === 'make' ? ['create', 'get', 'update'].map(verb => ({ verb, ...policies })) : []),
  ];
}

/** @throws a VendorFailure `refused` that names what is missing */
export async function requireRights(client: KubernetesClient, policy: 'make' | 'theirs'): Promise<void> {
  const needed = neededRights(policy);
  await client.call(async ({ authorization, namespace }) => {
    const answers = await Promise.all(
      needed.map(async right =>
        authorization.createSelfSubjectAccessReview({
          body: { spec: { resourceAttributes: { namespace, ...right } } },
        }),
      ),
    );
    const missing = needed.filter((_, index) => answers[index]?.status?.allowed !== true).map(nameOf);
    if (missing.length > 0) {
      throw new VendorFailure('refused', `it may not ${missing.join(', ')} in the namespace "${namespace}"`, {
        hint: 'Give its account the rights that docs/kubernetes.md lists.',
      });
    }
  });
}

function nameOf({ verb, resource, subresource }: Right): string {
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}
