import assert from 'node:assert/strict';
import {
  bubblewrapArguments,
  environmentArguments,
  etcEntries,
  explainBubblewrapFailure,
  mountProblem,
} from '../../../server/src/sandboxes/local/bubblewrap.ts';
import type { BubblewrapHost } from '../../../server/src/sandboxes/local/bubblewrap.ts';

const HOST: BubblewrapHost = {
  program: '/usr/bin/bwrap',
  disableUserns: true,
  top: [{ name: 'bin', link: 'usr/bin' }, { name: 'lib' }],
  etc: ['ld.so.cache'],
};

describe('bubblewrapArguments', () => {
  const plan = {
    host: HOST,
    writable: [{ hostPath: '/data/w', path: '/workspace' }],
    readOnly: [{ hostPath: '/data/m', path: '/mirror' }],
    devices: [{ hostPath: '/data/null', path: '/dev/null' }],
    cwd: '/workspace',
  };

  it('says exactly how a program is isolated', () => {
    assert.equal(
      bubblewrapArguments(plan).join(' '),
      [
        '--unshare-user --uid 1000 --gid 1000 --disable-userns',
        '--unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup-try',
        '--hostname sandbox --new-session --cap-drop ALL --clearenv',
        '--ro-bind /usr /usr --symlink usr/bin /bin --ro-bind /lib /lib',
        '--ro-bind-try /opt /opt --ro-bind-try /nix /nix --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache',
        '--proc /proc --dev /dev --tmpfs /tmp --tmpfs /run',
        '--bind /data/w /workspace --ro-bind /data/m /mirror',
        '--remount-ro /proc --dev-bind /data/null /dev/null --remount-ro / --chdir /workspace',
      ].join(' '),
    );
  });

  it('leaves out what an older bubblewrap does not know', () => {
    const older = bubblewrapArguments({ ...plan, host: { ...HOST, disableUserns: false } });
    assert.ok(!older.includes('--disable-userns'));
    assert.equal(older.length, bubblewrapArguments(plan).length - 1);
  });

  it('hands the environment over apart from the command line', () => {
    assert.equal(environmentArguments({ A: 'b c', D: '' }), '--setenv\0A\0b c\0--setenv\0D\0\0');
  });
});

describe('etcEntries', () => {
  it('shows only what is known to hold no secrets', () => {
    const names = [
      'shadow',
      'passwd',
      'ssl',
      'sudoers',
      'java-17-openjdk',
      'ld.so.cache',
      'gitconfig',
      'npmrc',
      'ssh',
      'perl',
    ];
    assert.deepEqual(
      etcEntries(names).filter(name => !name.includes('/')),
      ['java-17-openjdk', 'ld.so.cache', 'perl'],
    );
    assert.ok(!etcEntries(names).includes('ssl/private'));
  });
});

describe('mountProblem', () => {
  it('takes mounts that cover nothing of the sandbox', () => {
    for (const path of [
      '/opt/claude',
      '/usr/lib/x',
      '/tmp/mirror',
      '/workspaces',
      '/homes/x',
      '/run/other',
      '/home/me/.local',
    ]) {
      assert.equal(mountProblem({ hostPath: '/x', path }), undefined, path);
    }
  });

  it('refuses the others', () => {
    for (const path of [
      '/workspace',
      '/workspace/a',
      '/home',
      '/',
      '/etc/passwd',
      '/proc',
      '/dev/null',
      '/run',
      'x',
      '/a/',
      '/a\0',
    ]) {
      assert.notEqual(mountProblem({ hostPath: '/x', path }), undefined, path);
    }
    assert.notEqual(mountProblem({ hostPath: '../x', path: '/x' }), undefined);
  });
});

describe('explainBubblewrapFailure', () => {
  it('tells what to do about it', () => {
    const none = { restrictedByAppArmor: false, switchedOff: false };
    const said = 'bwrap: setting up uid map: Permission denied\nmore';
    const ubuntu = explainBubblewrapFailure(said, { ...none, restrictedByAppArmor: true });
    assert.match(ubuntu.reason, /AppArmor .*setting up uid map: Permission denied\)/);
    assert.match(ubuntu.hint, /bwrap-userns-restrict/);
    assert.match(explainBubblewrapFailure(said, { ...none, switchedOff: true }).hint, /max_user_namespaces/);
    assert.match(explainBubblewrapFailure('', none).reason, /without a message/);
  });
});
