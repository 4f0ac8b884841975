/** What each process cannot do (DESIGN's promise: the CA key never meets the network). */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { authorityFlags, CODE_FOLDER, workerFlags } from '../../src/process/permissions.ts'

const DENIED = 'ERR_ACCESS_DENIED'

/** The second is where `npm start` puts it for who is not root: within the folder of the program. */
for (const [where, above] of [
  ['elsewhere', tmpdir()],
  ['within the folder of the program', path.join(CODE_FOLDER, 'postern-data')],
] as const) {
  mkdirSync(above, { recursive: true })
  const directory = realpathSync(mkdtempSync(path.join(above, 'postern-permissions-')))
  for (const folder of ['ca', 'tls', 'spool/0', 'spool/1']) mkdirSync(path.join(directory, folder), { recursive: true })
  for (const file of ['ca/issuing.key', 'tls/server.key', 'postern.toml', 'spool/0/data']) writeFileSync(path.join(directory, file), 'secret')
  after(() => rmSync(directory, { recursive: true }))

  test(`a worker reaches the network and its shard, and nothing else: data ${where}`, () => {
    assert.deepEqual(probe('worker', directory, workerFlags(path.join(directory, 'spool'), ['0'])), {
      'read the CA key': DENIED,
      'write into ca/': DENIED,
      'read the server key': DENIED,
      'read the configuration': DENIED,
      'read /etc/passwd': DENIED,
      'read the source': DENIED,
      'read its own shard': 'done',
      'write into its own shard': 'done',
      'write into another shard': DENIED,
      'link to a file outside': DENIED,
      'start a program': DENIED,
      'start a thread': DENIED,
      'load an add-on': DENIED,
      'bind a port': 'done',
      'connect to a host': 'ECONNREFUSED',
    })
  })

  test(`the authority reaches ca/, and no network: data ${where}`, () => {
    assert.deepEqual(probe('authority', directory, authorityFlags(path.join(directory, 'ca'))), {
      'read the CA key': 'done',
      'write into ca/': 'done',
      'read the server key': DENIED,
      'read the configuration': DENIED,
      'read /etc/passwd': DENIED,
      'read the source': 'done',
      'read its own shard': DENIED,
      'write into its own shard': DENIED,
      'write into another shard': DENIED,
      'link to a file outside': DENIED,
      'start a program': DENIED,
      'start a thread': DENIED,
      'load an add-on': 'ERR_DLOPEN_DISABLED',
      'bind a port': DENIED,
      'connect to a host': DENIED,
    })
  })
}

function probe(role: string, directory: string, flags: readonly string[]): unknown {
  const script = path.join(import.meta.dirname, 'probe.ts')
  const output = execFileSync(process.execPath, [...flags, script, role, directory], {
    encoding: 'utf8',
    env: { ADDON: anAddOn() },
  })
  return JSON.parse(output)
}

/** The native part of LMDB, as it is installed here. */
function anAddOn(): string {
  const scope = path.join(CODE_FOLDER, 'node_modules', '@lmdb')
  const files = readdirSync(scope).flatMap(name => readdirSync(path.join(scope, name)).map(file => path.join(scope, name, file)))
  const found = files.find(file => file.endsWith('.node'))
  assert.ok(found, 'LMDB is installed with its native part')
  return found
}
