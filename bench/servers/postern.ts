/**
 * Postern, as `init` sets it up, but for ports, the next hop, and the one access-map line that lets
 * the load without TLS through.
 */

import { execFile, spawn } from 'node:child_process'
import { appendFile, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { POSTERN } from '../site.ts'
import { awaitGreeting, freePort, type RunningServer, type ServerPlan } from './server.ts'

export async function startPostern(plan: ServerPlan): Promise<RunningServer> {
  const port = await freePort()
  const data = join(plan.folder, 'data')
  const logFile = join(plan.folder, 'log')
  await promisify(execFile)('cp', ['-a', plan.site.dataDirectory, data]) // with owners and modes, which Postern checks
  await writeFile(join(data, 'postern.toml'), settings(plan, port))
  await appendFile(join(data, 'access'), '\nConnect:127.0.0.1 RELAY\n')

  const log = await open(logFile, 'a')
  const supervisor = spawn(process.execPath, [POSTERN, 'run', '--dir', data], { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  const ended = new Promise<void>(resolve => supervisor.once('exit', () => resolve()))
  supervisor.once('error', () => {})
  await awaitGreeting(port, () => supervisor.exitCode === null && supervisor.pid !== undefined, logFile)
  return {
    name: 'postern',
    version: `Postern ${await version()} on Node.js ${process.version}`,
    pid: supervisor.pid ?? 0,
    port,
    logFile,
    stop: async () => {
      supervisor.kill('SIGTERM')
      await ended
    },
  }
}

function settings(plan: ServerPlan, port: number): string {
  return `hostname = "${plan.site.hostname}"

[listeners.mx]
address = "127.0.0.1:${port}"
[listeners.submission]
enabled = false
[listeners.submissions]
enabled = false

[relay]
domains = []

[delivery]
smarthost = "127.0.0.1:${plan.nextHopPort}"
`
}

async function version(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
