/**
 * Sendmail, the real one, in a folder of its own.
 *
 * Debian lets only one mail server be installed, so install.sh unpacks Sendmail into a cache folder and
 * everything here names its files by whole paths. It writes its TLS facts into the Received field; who
 * the client was goes into a header field added for these tests.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, run } from '../../support/processes.ts'
import { CACHE, program } from '../programs.ts'
import { startServer, type MailServer, type MailServerOptions } from './mail-server.ts'

const UNPACKED = join(CACHE, 'sendmail')

/** The program itself, for the question whether it is here. */
export const SENDMAIL = join(UNPACKED, 'usr/libexec/sendmail/sendmail')

export const MAKEMAP = join(UNPACKED, 'usr/libexec/sendmail/makemap')
/** Its m4 files. */
export const CONFIGURATION = join(UNPACKED, 'usr/share/sendmail/cf')

/** Sendmail reads keys and maps only below folders that others can't write to, so not in the temporary one. */
export const SAFE_FOLDER = '/run'

export async function startSendmail(options: MailServerOptions): Promise<MailServer> {
  const folder = mkdtempSync(join(SAFE_FOLDER, 'postern-sendmail-'))
  const file = (name: string): string => join(folder, name)
  mkdirSync(file('queue'), { mode: 0o700 })
  writeFileSync(file('service.switch'), 'hosts files\n')
  writeFileSync(file('sendmail.mc'), macros(folder, options))
  const m4 = [`-D_CF_DIR_=${CONFIGURATION}/`, join(CONFIGURATION, 'm4/cf.m4'), file('sendmail.mc')]
  writeFileSync(file('sendmail.cf'), await mustRun(program('m4'), m4), { mode: 0o644 })
  await mustRun(MAKEMAP, ['-C', file('sendmail.cf'), 'hash', file('access')], { input: accessMap(options) })

  const args = ['-bD', '-C', file('sendmail.cf'), '-q2s', '-X', file('traffic')]
  const log = (): string => (existsSync(file('traffic')) ? readFileSync(file('traffic'), 'latin1') : '(no log)')
  return startServer({ name: 'Sendmail', folder, ...(await underFullName(SENDMAIL, args)), port: options.port, log })
}

/**
 * Before it reads its configuration, Sendmail waits a minute for the machine to have a name with a dot
 * in it. So it gets one, which the rest of the machine does not see; where that is not allowed, as
 * in some containers, it has to wait.
 */
async function underFullName(command: string, args: readonly string[]): Promise<{ command: string; args: string[] }> {
  const allowed = await run('unshare', ['--uts', 'true']).catch(() => null)
  if (allowed?.code !== 0) return { command, args: [...args] }
  const script = 'hostname sendmail.example.test && exec "$0" "$@"'
  return { command: 'unshare', args: ['--uts', 'sh', '-c', script, command, ...args] }
}

/**
 * Sendmail trusts 127.0.0.1 whatever else is said. `TLS_Clt` makes the certificate a must all the same:
 * whoever has none that verifies is refused at MAIL.
 */
function accessMap({ relayFor, nextHop }: MailServerOptions): string {
  return [
    ...(relayFor === 'this machine' ? [] : ['TLS_Clt:\tVERIFY:112']),
    ...(nextHop.tls === null ? [] : ['TLS_Srv:\tVERIFY:112']),
    '',
  ].join('\n')
}

function macros(folder: string, { port, certificate, relayFor, nextHop }: MailServerOptions): string {
  const copy = (name: string, ...from: readonly string[]): string => {
    const text = from.map(path => readFileSync(path, 'utf8')).join('')
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const shown = nextHop.tls?.certificate ?? certificate
  const authorities = [
    ...(relayFor === 'this machine' ? [] : [relayFor.authority]),
    ...(nextHop.tls === null ? [] : [nextHop.tls.authority]),
  ]
  return `divert(0)dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`sendmail.example.test')dnl
define(\`confPID_FILE', \`${folder}/pid')dnl
define(\`QUEUE_DIR', \`${folder}/queue')dnl
define(\`STATUS_FILE', \`${folder}/statistics')dnl
define(\`confSERVICE_SWITCH_FILE', \`${folder}/service.switch')dnl
undefine(\`ALIAS_FILE')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confCACERT', \`${copy('trusted.pem', ...authorities)}')dnl
define(\`confCACERT_PATH', \`${folder}')dnl
define(\`confSERVER_CERT', \`${copy('server.pem', certificate.certificate)}')dnl
define(\`confSERVER_KEY', \`${copy('server.key', certificate.key)}')dnl
define(\`confCLIENT_CERT', \`${copy('client.pem', shown.certificate)}')dnl
define(\`confCLIENT_KEY', \`${copy('client.key', shown.key)}')dnl
define(\`SMART_HOST', \`relay:[localhost]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP $h ${nextHop.port}')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`access_db', \`hash ${folder}/access')dnl
DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA')dnl
MAILER(\`smtp')dnl
LOCAL_CONFIG
HX-Client-Certificate: \${verify} \${cert_subject}
`
}
