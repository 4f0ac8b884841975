/**
 * Exim in a folder of its own: it takes every message that it can read the envelope of, and keeps it,
 * or passes it on if there is a next hop.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun } from '../../support/processes.ts'
import { CACHE } from '../programs.ts'
import { startServer, type MailServer } from './mail-server.ts'

/** The program itself, for the question whether it is here. */
export const EXIM = join(CACHE, 'exim/usr/sbin/exim4')

/** The account that Debian built it for. */
const ACCOUNT = 'Debian-exim'

export type EximOptions = {
  /** Offers CHUNKING (RFC 3030). Without it, it uses BDAT as a client nonetheless. */
  readonly chunking?: boolean
  /** A port of 127.0.0.1 to which everything goes, in the clear. */
  readonly nextHop?: number
}

export async function startExim(port: number, options: EximOptions = {}): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-exim-'))
  const spool = join(folder, 'spool')
  mkdirSync(spool)
  const configuration = join(folder, 'exim.conf')
  writeFileSync(configuration, settings(spool, options), { mode: 0o644 })
  await mustRun('chown', ['-R', ACCOUNT, spool])
  await mustRun('chown', ['root', configuration])
  await mustRun('chmod', ['755', folder])
  const logFile = join(spool, 'mainlog')
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '(no log)')
  return startServer({ name: 'Exim', folder, command: EXIM, args: ['-C', configuration, '-bdf', '-oX', `127.0.0.1.${port}`], port, log })
}

function settings(spool: string, { chunking = false, nextHop }: EximOptions): string {
  return `
exim_path = ${EXIM}
deliver_drop_privilege = true
primary_hostname = exim.example.test
spool_directory = ${spool}
log_file_path = ${spool}/%slog
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
queue_only = ${nextHop === undefined}
smtp_max_synprot_errors = 0
smtp_max_unknown_commands = 1000
smtp_accept_max_per_connection = 0
smtputf8_advertise_hosts = *
chunking_advertise_hosts = ${chunking ? '*' : ''}
tls_advertise_hosts =
acl_smtp_mail = accept
acl_smtp_rcpt = accept
acl_smtp_data = accept
${nextHop === undefined ? '' : routing(nextHop)}`
}

/** `self = send`: its next hop is on the same machine. */
function routing(port: number): string {
  return `
begin routers
everything:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = onward

begin transports
onward:
  driver = smtp
  port = ${port}
  allow_localhost
  hosts_avoid_tls = *
`
}
