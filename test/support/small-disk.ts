/** A file system of a few megabytes, to be filled up. Making one takes root. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** Why there can't be one here, or false. */
export const noSmallDisk: string | false = process.getuid?.() === 0 ? false : 'needs root, to mount a small file system'

/** `options` are tmpfs's: `size=3m`, `nr_inodes=20`. Gone when the test is over. */
export function smallDisk(t: Pick<TestContext, 'after'>, options: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { encoding: 'utf8' })
  if (mounted.status !== 0) throw new Error(`no small file system: ${mounted.stderr}`)
  // Lazily: what the test has open on it is closed after this.
  t.after(() => {
    spawnSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  chmodSync(folder, 0o700)
  return folder
}
