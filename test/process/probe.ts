/**
 * Run under a process's permissions, tries everything that the process must not do, and prints what
 * happened as one JSON object: for each try 'done' or the code of the error.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { CODE_FOLDER, dropStartupPermissions } from '../../src/process/permissions.ts'

const [role = '', directory = ''] = process.argv.slice(2)
const results: Record<string, string> = {}

if (role === 'worker') dropStartupPermissions()
attempt('read the CA key', () => readFileSync(path.join(directory, 'ca', 'issuing.key')))
attempt('write into ca/', () => writeFileSync(path.join(directory, 'ca', 'forged'), ''))
attempt('read the server key', () => readFileSync(path.join(directory, 'tls', 'server.key')))
attempt('read the configuration', () => readFileSync(path.join(directory, 'postern.toml')))
attempt('read /etc/passwd', () => readFileSync('/etc/passwd'))
attempt('read the source', () => readFileSync(path.join(CODE_FOLDER, 'src', 'main.ts')))
attempt('read its own shard', () => readFileSync(path.join(directory, 'spool', '0', 'data')))
attempt('write into its own shard', () => writeFileSync(path.join(directory, 'spool', '0', 'own'), ''))
attempt('write into another shard', () => writeFileSync(path.join(directory, 'spool', '1', 'foreign'), ''))
attempt('link to a file outside', () => symlinkSync('/etc/passwd', path.join(directory, 'spool', '0', 'link')))
attempt('start a program', () => execFileSync('/bin/true'))
attempt('start a thread', () => new Worker('', { eval: true }))
attempt('load an add-on', () => process.dlopen({ exports: {} }, process.env['ADDON'] ?? ''))
attempt('bind a port', () => new net.BoundSocket({ host: '127.0.0.1' }).close())
results['connect to a host'] = await connecting()
process.stdout.write(JSON.stringify(results))

function attempt(what: string, act: () => unknown): void {
  try {
    act()
    results[what] = 'done'
  } catch (error) {
    results[what] = (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/** Refused by the system, not by the permissions, means that it may connect. */
function connecting(): Promise<string> {
  return new Promise(resolve => {
    const tell = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message)
    process.once('uncaughtException', tell)
    net.connect(1, '127.0.0.1', () => resolve('done')).on('error', tell)
  })
}
