const NAMES: Readonly<Record<string, string>> = {
  local: 'this machine',
  docker: 'Docker',
  kubernetes: 'Kubernetes',
  e2b: 'E2B',
  daytona: 'Daytona',
};

/** A provider as people name it. */
export function providerName(id: string): string {
  return Object.hasOwn(NAMES, id) ? (NAMES[id] ?? id) : id;
}
