/**
 * Postfix in a folder of its own, beside any other that the machine runs.
 *
 * `smtpd_tls_received_header` makes it write down the client's certificate and whether it verified.
 */

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { startServer, type MailServer, type MailServerOptions } from './mail-server.ts'

const MASTER = '/usr/lib/postfix/sbin/master'

export async function startPostfix(options: MailServerOptions): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-postfix-'))
  for (const name of ['config', 'queue', 'data']) mkdirSync(join(folder, name), { recursive: true })
  chmodSync(folder, 0o755) // Most of Postfix runs as another user.
  await mustRun('chown', ['postfix', join(folder, 'data')])
  const config = join(folder, 'config')
  writeFileSync(join(config, 'main.cf'), mainConfiguration(folder, options))
  writeFileSync(join(config, 'master.cf'), services(options.port))

  const logFile = join(folder, 'log')
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '(no log)')
  // This lays out the queue folder. `postfix start` would leave a daemon that is nobody's child, so
  // the process it would start is started here.
  await mustRun(program('postfix'), ['-c', config, 'check'])
  return startServer({ name: 'Postfix', folder, command: MASTER, args: ['-c', config], port: options.port, log })
}

function mainConfiguration(folder: string, { certificate, relayFor, nextHop, settings: more = {} }: MailServerOptions): string {
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
    myhostname: 'postfix.example.test',
    mydestination: '',
    mynetworks: relayFor === 'this machine' ? '127.0.0.0/8' : '',
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    alias_maps: '',
    local_recipient_maps: '',
    smtpd_relay_restrictions: 'permit_mynetworks permit_tls_all_clientcerts reject',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: certificate.certificate,
    smtpd_tls_key_file: certificate.key,
    smtpd_tls_received_header: 'yes',
    smtpd_tls_loglevel: '1',
    relayhost: `[localhost]:${nextHop.port}`,
    smtp_host_lookup: 'native',
    smtp_tls_loglevel: '1',
    minimal_backoff_time: '2s',
    queue_run_delay: '2s',
  }
  if (relayFor !== 'this machine') {
    settings['smtpd_tls_ask_ccert'] = 'yes'
    settings['smtpd_tls_CAfile'] = relayFor.authority
  }
  if (nextHop.tls !== null) {
    settings['smtp_tls_security_level'] = 'verify'
    settings['smtp_tls_verify_cert_match'] = 'hostname'
    settings['smtp_tls_CAfile'] = nextHop.tls.authority
    settings['smtp_tls_cert_file'] = nextHop.tls.certificate.certificate
    settings['smtp_tls_key_file'] = nextHop.tls.certificate.key
  }
  return Object.entries({ ...settings, ...more })
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** master.cf with what a relay needs, nothing in a chroot. */
function services(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
cleanup  unix n - n -    0   cleanup
qmgr     unix n - n 300  1   qmgr
tlsmgr   unix - - n 1000? 1  tlsmgr
rewrite  unix - - n -    -   trivial-rewrite
bounce   unix - - n -    0   bounce
defer    unix - - n -    0   bounce
trace    unix - - n -    0   bounce
proxymap unix - - n -    -   proxymap
smtp     unix - - n -    -   smtp
relay    unix - - n -    -   smtp
lmtp     unix - - n -    -   lmtp
error    unix - - n -    -   error
retry    unix - - n -    -   error
anvil    unix - - n -    1   anvil
scache   unix - - n -    1   scache
postlog  unix-dgram n - n - 1 postlogd
`
}
