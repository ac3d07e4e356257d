import type { Mount, SandboxPaths } from '../provider.ts';

/** Where everything stands inside, the same in every sandbox of isolation `process`. */
export const INSIDE: SandboxPaths = {
  workspace: '/workspace',
  home: '/home/agent',
  journal: '/journal',
  relay: '/run/sandpiper',
};

export const INSIDE_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** What the mounts of a session may not cover: it is writable from inside, or is the sandbox's own. */
const RESERVED = [INSIDE.workspace, INSIDE.home, INSIDE.journal, INSIDE.relay, '/proc', '/dev', '/etc'];

/** What is known of this machine after the probe. */
export interface BubblewrapHost {
  /** Absolute path of bwrap. */
  program: string;
  /** `--disable-userns` exists from bubblewrap 0.8 on. */
  disableUserns: boolean;
  /** `/bin`, `/lib64` and so on: links into /usr on a merged system, folders elsewhere. */
  top: readonly { name: string; link?: string }[];
  /** Names in /etc that programs need and that hold no secrets. */
  etc: readonly string[];
}

interface BubblewrapPlan {
  host: BubblewrapHost;
  /** Writable from inside. */
  writable: readonly Mount[];
  readOnly: readonly Mount[];
  /** Device files to show instead of the host's. */
  devices: readonly Mount[];
  cwd: string;
}

/**
 * The options that isolate, for `bwrap <options> -- program`. They carry no secret, so they may stand on a command line;
 * the program's environment does not belong here but into `--args`.
 */
export function bubblewrapArguments(plan: BubblewrapPlan): string[] {
  const { host } = plan;
  return [
    ['--unshare-user', '--uid', '1000', '--gid', '1000'],
    host.disableUserns ? ['--disable-userns'] : [],
    ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--unshare-cgroup-try'],
    ['--hostname', 'sandbox', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    ['--ro-bind', '/usr', '/usr'],
    ...host.top.map(({ name, link }) =>
      link === undefined ? ['--ro-bind', `/${name}`, `/${name}`] : ['--symlink', link, `/${name}`],
    ),
    ['--ro-bind-try', '/opt', '/opt', '--ro-bind-try', '/nix', '/nix'],
    ...host.etc.map(name => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/run'],
    ...plan.writable.map(mount => ['--bind', mount.hostPath, mount.path]),
    ...plan.readOnly.map(mount => ['--ro-bind', mount.hostPath, mount.path]),
    // Where the relay runs as root, the kernel takes what is inside for the owner of root's files: without this it could
    // write kernel.core_pattern and have the host run a program.
    ['--remount-ro', '/proc'],
    ...plan.devices.map(mount => ['--dev-bind', mount.hostPath, mount.path]),
    // The root is memory that could be filled.
    ['--remount-ro', '/', '--chdir', plan.cwd],
  ].flat();
}

/** The program's environment for `--args FD`, so that tokens do not show in the list of processes. */
export function environmentArguments(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `--setenv\0${name}\0${value}\0`)
    .join('');
}

const ETC = new Set([
  'alternatives',
  'ca-certificates',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'protocols',
  'services',
  'timezone',
]);
const ETC_TOOLCHAINS = /^(java(-\d+)?(-openjdk)?|python3(\.\d+)?|perl|maven|gradle|fonts|terminfo|bash_completion\.d)$/;
/** Parts of folders that as a whole hold private keys; readable inside when the relay runs as root. */
const ETC_PARTS = ['ssl/certs', 'ssl/openssl.cnf', 'pki/tls/certs', 'pki/ca-trust/extracted', 'pki/java'];

/** Which of the names in the host's /etc are shown inside: an allow-list, because /etc is where machines keep secrets. */
export function etcEntries(names: readonly string[]): string[] {
  return [...names.filter(name => ETC.has(name) || ETC_TOOLCHAINS.test(name)).sort(), ...ETC_PARTS];
}

/** Why a mount is not possible, or undefined. */
export function mountProblem(mount: Mount): string | undefined {
  if (!isPlainAbsolute(mount.hostPath) || !isPlainAbsolute(mount.path)) {
    return `the mount of "${mount.hostPath}" at "${mount.path}" must have absolute paths without "." and ".."`;
  }
  const covered = RESERVED.find(
    place => mount.path === place || mount.path.startsWith(`${place}/`) || place.startsWith(`${mount.path}/`),
  );
  return covered === undefined ? undefined : `a mount at "${mount.path}" would cover ${covered}`;
}

function isPlainAbsolute(path: string): boolean {
  const [first, ...components] = path.split('/');
  return (
    first === '' &&
    components.length > 0 &&
    !path.includes('\0') &&
    components.every(component => component !== '' && component !== '.' && component !== '..')
  );
}

/** What the machine says about user namespaces. */
export interface NamespaceFacts {
  /** /proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1 (Ubuntu 23.10 and later). */
  restrictedByAppArmor: boolean;
  /** user.max_user_namespaces or kernel.unprivileged_userns_clone is 0. */
  switchedOff: boolean;
}

/** Why bubblewrap does not work here, for a person. */
export function explainBubblewrapFailure(stderr: string, facts: NamespaceFacts): { reason: string; hint: string } {
  const said = stderr.trim().split('\n', 1)[0] ?? '';
  if (facts.restrictedByAppArmor) {
    return {
      reason: `bubblewrap is installed, but AppArmor forbids user namespaces to ordinary programs here (${said}).`,
      hint: 'Allow it for bwrap: sudo apt-get install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict',
    };
  }
  if (facts.switchedOff) {
    return {
      reason: `bubblewrap is installed, but user namespaces are switched off here (${said}).`,
      hint: 'Switch them on: sudo sysctl -w user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1',
    };
  }
  return {
    reason: `bubblewrap is installed but does not work here: ${said === '' ? 'it failed without a message' : said}.`,
    hint: 'Inside a container, allow user namespaces (for Docker: --security-opt seccomp=unconfined --security-opt systempaths=unconfined), or choose another sandbox provider.',
  };
}
