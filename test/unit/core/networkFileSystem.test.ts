import assert from 'node:assert/strict';
import { networkFileSystemOf } from '../../../server/src/core/networkFileSystem.ts';

const TABLE = [
  '22 27 0:21 / /proc rw,relatime - proc proc rw',
  '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '31 27 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2',
  '32 31 254:1 / /home/local rw,relatime - xfs /dev/vdb rw',
  '33 27 0:41 / /mnt/my\\040share rw - cifs //server/share rw',
  '34 27 0:42 / /mnt/ssh rw,nosuid - fuse.sshfs me@host: rw',
  '35 27 0:43 / /mnt/usb rw - fuseblk /dev/sdb1 rw',
  '36 27 0:44 / /mnt/twice rw - nfs server:/x rw',
  '37 36 0:45 / /mnt/twice rw - tmpfs tmpfs rw',
  '38 27 0:46 / /srv/shared rw - 9p share rw',
  'this is no line of a mount table',
  '',
].join('\n');

describe('a data folder on a network file system', () => {
  const typeOf = (path: string) => networkFileSystemOf(path, TABLE)?.type;

  it('is known by the mount that holds it', () => {
    assert.equal(typeOf('/home/me/.local/share/sandpiper'), 'nfs4');
    assert.equal(typeOf('/home'), 'nfs4');
    assert.equal(typeOf('/mnt/my share/data'), 'cifs');
    assert.equal(typeOf('/mnt/ssh/x'), 'fuse.sshfs');
    assert.deepEqual(networkFileSystemOf('/home/me', TABLE), { type: 'nfs4', mountPoint: '/home' });
  });

  it('is not one on a disk of this machine, also below or over a network mount', () => {
    for (const path of ['/', '/var/lib', '/homely', '/home/local/x', '/mnt/usb', '/mnt/twice/x', '/srv/shared']) {
      assert.equal(typeOf(path), undefined, path);
    }
  });

  it('is not known without a mount table', () => {
    assert.equal(networkFileSystemOf('/home', ''), undefined);
  });
});
