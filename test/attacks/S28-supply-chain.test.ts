/** S28: what is installed beside our own code is little, pinned, and the same everywhere. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../source-files.ts'

type Package = { readonly version?: string; readonly resolved?: string; readonly integrity?: string; readonly dev?: boolean; readonly os?: readonly string[]; readonly cpu?: readonly string[]; readonly hasInstallScript?: boolean }
type Manifest = { readonly [kind in 'dependencies' | 'optionalDependencies' | 'devDependencies']: Readonly<Record<string, string>> }

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest
const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { readonly packages: Readonly<Record<string, Package>> }
const installed = Object.entries(packages).filter(([place]) => place !== '')

test('S28: what runs in production is named to the last digit', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name)
  }
})

test('S28: each package is known by its content, wherever it comes from', () => {
  for (const [place, { integrity, resolved, os, cpu }] of installed) {
    assert.equal(resolved, undefined, `${place} names a registry`)
    // Of other platforms' builds only the version is known where the lock file was made.
    if (os === undefined && cpu === undefined) assert.match(integrity ?? '', /^sha512-/, place)
  }
})

test('S28: only the native parts of the store may run something when they are installed, and need not', () => {
  const running = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true)
  assert.deepEqual(running.map(([place]) => place), ['node_modules/lmdb', 'node_modules/msgpackr-extract'])
})
