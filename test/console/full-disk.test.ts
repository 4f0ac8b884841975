/** A disk without room: nothing comes in, and those who look after the relay are told. */

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { test } from 'node:test'
import { startPostern } from '../support/postern.ts'
import { noSmallDisk, smallDisk } from '../support/small-disk.ts'

test('check and status say that mail is refused for want of room', { skip: noSmallDisk }, async t => {
  // Of 24 MiB there are never the 32 left that are kept free.
  const disk = smallDisk(t, 'size=24m')
  chmodSync(disk, 0o711)
  process.env['TMPDIR'] = disk
  const postern = await startPostern()
  try {
    const checked = await postern.command(['check'])
    assert.equal(checked.code, 1)
    assert.match(checked.stdout, /^error +\S+\/spool: the disk has 2\d MiB left, and 32 MiB are kept free: clients are told 452/m)
    assert.match((await postern.command(['status'])).stdout, /^no room +the disk has 2\d MiB left, and 32 MiB are kept free: clients are told 452/m)
  } finally {
    await postern.dispose()
  }
})
