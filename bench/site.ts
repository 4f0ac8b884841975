/**
 * The names and certificates of the benchmark, made by Postern and used by every server.
 *
 * Thus each server verifies the same chain with the same keys, and none has an advantage by a
 * smaller key or a shorter chain.
 */

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Site } from './servers/server.ts'

const run = promisify(execFile)

/** The launcher, given to the Node.js that runs this. */
export const POSTERN = join(import.meta.dirname, '..', 'bin', 'postern')

const HOSTNAME = 'relay.bench.test'

export async function makeSite(folder: string): Promise<Site> {
  const dataDirectory = join(folder, 'postern-data')
  const clientFolder = join(folder, 'client')
  await mkdir(clientFolder, { recursive: true })
  await postern(['init', '--dir', dataDirectory, '--hostname', HOSTNAME, '--domain', 'bench.test'])
  const user = ['bench', '--machine', '--email', 'load@bench.test', '--format', 'pem', '--out', clientFolder]
  await postern(['user', 'add', '--dir', dataDirectory, ...user])
  return {
    hostname: HOSTNAME,
    dataDirectory,
    caFile: join(dataDirectory, 'ca', 'ca.pem'),
    serverCertificateFile: join(dataDirectory, 'tls', 'server.pem'),
    serverKeyFile: join(dataDirectory, 'tls', 'server.key'),
    client: {
      serverName: HOSTNAME,
      caFile: join(dataDirectory, 'ca', 'ca.pem'),
      certificateFile: join(clientFolder, 'bench.pem'),
      keyFile: join(clientFolder, 'bench.key'),
    },
  }
}

async function postern(args: readonly string[]): Promise<void> {
  await run(process.execPath, [POSTERN, ...args])
}
