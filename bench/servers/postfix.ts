/**
 * Postfix as a peer: an instance of its own in a temporary folder.
 *
 * Debian's defaults, but for what `SETTINGS` lists; README.md gives the reason for each. Postfix must be
 * started by root. The machine's own Postfix, if it runs one, is not touched.
 */

import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findPostfix, type PostfixPrograms } from './postfix-programs.ts'
import { awaitGreeting, freePort, type RunningServer, type ServerPlan } from './server.ts'

const run = promisify(execFile)

export async function startPostfix(plan: ServerPlan): Promise<RunningServer> {
  if (process.getuid?.() !== 0) throw new Error('Postfix can only be started by root')
  const programs = await findPostfix()
  const port = await freePort()
  const configuration = join(plan.folder, 'etc')
  const logFile = join(plan.folder, 'maillog')
  for (const folder of ['etc', 'queue', 'data']) await mkdir(join(plan.folder, folder))
  await chmod(plan.folder, 0o755)
  await run('chown', ['postfix', join(plan.folder, 'data')])
  await writeFile(join(configuration, 'main.cf'), mainCf(plan, programs, logFile))
  await writeFile(join(configuration, 'master.cf'), masterCf(port, plan.connections))

  const output = await open(join(plan.folder, 'output'), 'a')
  const env = { ...process.env, ...programs.environment, MAIL_CONFIG: configuration }
  const script = spawn(programs.postfix, ['-c', configuration, 'start-fg'], { env, stdio: ['ignore', output.fd, output.fd] })
  await output.close()
  const ended = new Promise<void>(resolve => script.once('exit', () => resolve()))
  script.once('error', () => {})
  await awaitGreeting(port, () => script.exitCode === null && script.pid !== undefined, logFile)
  // The script is a shell that waits; a signal to it would leave the master running.
  const master = Number.parseInt(await readFile(join(plan.folder, 'queue', 'pid', 'master.pid'), 'utf8'), 10)
  const version = (await run(programs.postconf, ['-c', configuration, '-h', 'mail_version'], { env })).stdout.trim()
  return {
    name: 'postfix',
    version: `Postfix ${version}`,
    pid: master,
    port,
    logFile,
    stop: async () => {
      process.kill(master, 'SIGTERM')
      await ended
    },
  }
}

function mainCf(plan: ServerPlan, programs: PostfixPrograms, logFile: string): string {
  const { site, folder } = plan
  const settings: Record<string, string> = {
    // Where it lives.
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    maillog_file: logFile,
    maillog_file_prefixes: folder,
    ...programs.settings,

    // Who it is, and where mail goes.
    myhostname: site.hostname,
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    relayhost: `[127.0.0.1]:${plan.nextHopPort}`,

    // Who may relay.
    mynetworks: '127.0.0.1/32',
    smtpd_relay_restrictions: 'permit_mynetworks, permit_tls_all_clientcerts, reject_unauth_destination',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: site.serverCertificateFile,
    smtpd_tls_key_file: site.serverKeyFile,
    smtpd_tls_CAfile: site.caFile,
    smtpd_tls_ask_ccert: 'yes',

    // No look-up leaves the machine.
    smtpd_peername_lookup: 'no',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** Debian's master.cf without chroot, on our port, without the services that take no part in relaying. */
function masterCf(port: number, connections: number): string {
  // The default limit of 100 processes stays unless more connections than that are to be held open.
  const smtpdProcesses = connections > 100 ? String(connections + 50) : '-'
  // prettier-ignore
  const services = [
    `127.0.0.1:${port} inet n - n - ${smtpdProcesses} smtpd`,
    'pickup     unix n - n 60    1 pickup',
    'cleanup    unix n - n -     0 cleanup',
    'qmgr       unix n - n 300   1 qmgr',
    'tlsmgr     unix - - n 1000? 1 tlsmgr',
    'rewrite    unix - - n -     - trivial-rewrite',
    'bounce     unix - - n -     0 bounce',
    'defer      unix - - n -     0 bounce',
    'trace      unix - - n -     0 bounce',
    'verify     unix - - n -     1 verify',
    'flush      unix n - n 1000? 0 flush',
    'proxymap   unix - - n -     - proxymap',
    'proxywrite unix - - n -     1 proxymap',
    'smtp       unix - - n -     - smtp',
    'relay      unix - - n -     - smtp',
    'showq      unix n - n -     - showq',
    'error      unix - - n -     - error',
    'retry      unix - - n -     - error',
    'discard    unix - - n -     - discard',
    'anvil      unix - - n -     1 anvil',
    'scache     unix - - n -     1 scache',
    'postlog    unix-dgram n - n - 1 postlogd',
  ]
  return `${services.join('\n')}\n`
}
