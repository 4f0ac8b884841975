/** A file system of a few megabytes, to be filled up. Making one takes root. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** Why there can't be one here, or false. Root in a container may not be allowed to mount either. */
export const noSmallDisk: string | false = canMount() ? false : 'needs leave to mount a small file system'

/** `options` are tmpfs's: `size=3m`, `nr_inodes=20`. Gone when the test is over. */
export function smallDisk(t: Pick<TestContext, 'after'>, options: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-disk-'))
  if (!mount(folder, options)) throw new Error(`no file system with ${options} could be mounted`)
  // Lazily: what the test has open on it is closed after this.
  t.after(() => unmount(folder))
  chmodSync(folder, 0o700)
  return folder
}

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-disk-'))
  const isMounted = mount(folder, 'size=1m')
  unmount(folder)
  return isMounted
}

function mount(folder: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0
}

function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder])
  rmdirSync(folder)
}
