/**
 * A Sendmail whose configuration is a site's own folder, and whose log is kept as syslog would keep it.
 *
 * Sendmail writes to /dev/log and nowhere else. So it runs in a mount namespace with a /dev of its own,
 * where that is a socket that Python reads: Node has no datagram sockets on files.
 */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killFamily, mustRun, waitFor } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { startServer } from './mail-server.ts'
import { CONFIGURATION, MAKEMAP, SAFE_FOLDER, SENDMAIL } from './sendmail.ts'

export type LoggedSendmail = {
  /** As /etc/mail: sendmail.mc, access and whatever else the site has. */
  readonly folder: string
  readonly logFile: string
  readonly log: () => string
  readonly stop: () => Promise<void>
}

/** `files` are written into the site's folder before `macros` is asked for its .mc. */
export async function startLoggedSendmail(
  port: number,
  files: { readonly [name: string]: string },
  macros: (folder: string, state: string) => string,
): Promise<LoggedSendmail> {
  const state = mkdtempSync(join(SAFE_FOLDER, 'postern-logged-'))
  const folder = join(state, 'mail')
  for (const name of ['mail', 'queue', 'dev']) mkdirSync(join(state, name), { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  writeFileSync(join(folder, 'sendmail.mc'), macros(folder, state))
  const cf = join(state, 'sendmail.cf')
  writeFileSync(cf, await mustRun(program('m4'), [`-D_CF_DIR_=${CONFIGURATION}/`, join(CONFIGURATION, 'm4/cf.m4'), join(folder, 'sendmail.mc')]))
  await mustRun(MAKEMAP, ['-C', cf, 'hash', join(folder, 'access')], { input: files['access'] ?? '' })

  const logFile = join(state, 'maillog')
  const syslog = spawn('python3', ['-c', SYSLOG, join(state, 'dev/log'), logFile], { stdio: 'ignore', detached: true })
  await waitFor('syslog to listen', () => existsSync(join(state, 'dev/log')))
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'latin1') : '')
  const server = await startServer({ name: 'Sendmail', folder: state, command: 'unshare', args: ['--mount', '--uts', 'sh', '-c', IN_NAMESPACE, state, SENDMAIL, '-bD', '-C', cf, '-q1s'], port, log })
  const stop = async (): Promise<void> => {
    await server.stop()
    if (syslog.pid !== undefined) await killFamily(syslog.pid)
    rmSync(state, { recursive: true, force: true })
  }
  return { folder, logFile, log, stop }
}

/** glibc leaves out the name of the host, which a syslog daemon puts in. */
const SYSLOG = `
import re, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
with open(sys.argv[2], 'a', encoding='latin1') as log:
    while True:
        line = receiver.recv(65536).decode('latin1').rstrip('\\0\\n')
        log.write(re.sub(r'^<\\d+>(\\w{3} [ \\d]\\d [\\d:]{8}) ', r'\\1 hub ', line) + '\\n')
        log.flush()
`

const IN_NAMESPACE = `set -e
hostname hub.example.test
mknod -m 666 "$0/dev/null" c 1 3
mknod -m 666 "$0/dev/random" c 1 8
mknod -m 666 "$0/dev/urandom" c 1 9
chmod 755 "$0/dev"
mount --bind "$0/dev" /dev
exec "$@"`
