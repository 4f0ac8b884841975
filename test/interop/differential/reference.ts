/**
 * Sendmail as the reference: one daemon for each site, whose access map is written anew between trials.
 *
 * Runs in a network of its own, where every address is this machine (run.ts). Messages are queued and
 * not delivered: what the queue has of one is how Sendmail's silent answers show. A file `qf…` is
 * a message, `hf…` one in quarantine, and none at all was dropped.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { startServer } from '../servers/mail-server.ts'
import type { MailServer } from '../servers/mail-server.ts'
import { CONFIGURATION, MAKEMAP, SENDMAIL } from '../servers/sendmail.ts'
import type { Certificates } from './certificates.ts'
import type { Site } from './generate.ts'
import { HOSTNAME, LOCAL_DOMAINS, RELAY_DOMAINS } from './world.ts'

/** Where it listens. Not an address of any client. */
export const SERVER = { ipv4: '198.51.100.250', ipv6: '2001:db8:ffff::250', port: 25 } as const

export type Reference = {
  readonly writeMap: (access: string) => Promise<void>
  /** What became of a message that was taken. */
  readonly fateOf: (queueId: string) => 'accept' | 'quarantine' | 'discard'
  readonly log: () => string
  readonly stop: () => Promise<void>
}

/** `folder` must be below folders that only root can write to. */
export async function startReference(folder: string, site: Site, certificates: Certificates, mailboxes: readonly string[]): Promise<Reference> {
  mkdirSync(join(folder, 'queue'), { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(folder, name)
  for (const [name, text] of Object.entries(filesFor(certificates, mailboxes))) writeFileSync(file(name), text, { mode: 0o600 })
  writeFileSync(file('sendmail.mc'), macros(folder, site))
  const m4 = [`-D_CF_DIR_=${CONFIGURATION}/`, join(CONFIGURATION, 'm4/cf.m4'), file('sendmail.mc')]
  writeFileSync(file('sendmail.cf'), await mustRun(program('m4'), m4), { mode: 0o644 })
  const writeMap = async (access: string): Promise<void> => {
    const made = await run(MAKEMAP, ['-C', file('sendmail.cf'), 'hash', file('access')], { input: access })
    // 65: a line is at fault, such as a key seen before; the others are in the map.
    if (made.code !== 0 && made.code !== 65) throw new Error(`makemap: ${made.stderr}`)
  }
  await writeMap('')
  await mustRun(SENDMAIL, ['-C', file('sendmail.cf'), '-bi'])
  const server = await startServer({
    name: 'Sendmail', folder, command: SENDMAIL, args: ['-bD', '-C', file('sendmail.cf')], port: SERVER.port, log: () => '',
  })
  return { writeMap, fateOf: id => fateOf(file('queue'), id), log: () => (server satisfies MailServer).log(), stop: server.stop }
}

function fateOf(queue: string, id: string): 'accept' | 'quarantine' | 'discard' {
  if (existsSync(join(queue, `hf${id}`))) return 'quarantine'
  return existsSync(join(queue, `qf${id}`)) ? 'accept' : 'discard'
}

function filesFor({ authorities, server }: Certificates, mailboxes: readonly string[]): Readonly<Record<string, string>> {
  return {
    aliases: mailboxes.map(mailbox => `${/\W/.test(mailbox) ? `"${mailbox}"` : mailbox}: sink@ok.example\n`).join(''),
    'service.switch': 'hosts dns\naliases files\n',
    'trusted.pem': authorities.map(({ pem }) => pem).join(''),
    'server.pem': server.pem,
    'server.key': server.keyPem,
  }
}

function macros(folder: string, { features }: Site): string {
  const lines = features.map(feature => MACROS[feature]).filter(line => line !== undefined)
  const accessArguments = ['skip', 'lookupdotdomain', 'relaytofulladdress'].filter(name => features.includes(`access_db:${name}`))
  const mechanisms = features.filter(feature => feature.startsWith('trust_auth_mech:')).map(feature => feature.slice('trust_auth_mech:'.length))
  return `divert(0)dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`${HOSTNAME}')dnl
define(\`confPID_FILE', \`${folder}/pid')dnl
define(\`QUEUE_DIR', \`${folder}/queue')dnl
define(\`STATUS_FILE', \`${folder}/statistics')dnl
define(\`ALIAS_FILE', \`${folder}/aliases')dnl
define(\`confSERVICE_SWITCH_FILE', \`${folder}/service.switch')dnl
define(\`confDONT_PROBE_INTERFACES', \`True')dnl
define(\`confDELIVERY_MODE', \`q')dnl
define(\`confLOG_LEVEL', \`0')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confTO_RESOLVER_RETRANS', \`1')dnl
define(\`confTO_RESOLVER_RETRY', \`1')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confBAD_RCPT_THROTTLE', \`0')dnl
define(\`confAUTH_MECHANISMS', \`EXTERNAL')dnl
define(\`confCACERT', \`${folder}/trusted.pem')dnl
define(\`confCACERT_PATH', \`${folder}')dnl
define(\`confSERVER_CERT', \`${folder}/server.pem')dnl
define(\`confSERVER_KEY', \`${folder}/server.key')dnl
${mechanisms.length === 0 ? '' : `TRUST_AUTH_MECH(\`${mechanisms.join(' ')}')dnl\n`}LOCAL_DOMAIN(\`${LOCAL_DOMAINS.join(' ')}')dnl
RELAY_DOMAIN(\`${RELAY_DOMAINS.join(' ')}')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`access_db', \`hash ${folder}/access'${accessArguments.map(name => `, \`${name}'`).join('')})dnl
${lines.join('\n')}
DAEMON_OPTIONS(\`Port=${SERVER.port}, Addr=0.0.0.0, Name=MTA, Family=inet')dnl
DAEMON_OPTIONS(\`Port=${SERVER.port}, Addr=${SERVER.ipv6}, Name=MTA6, Family=inet6')dnl
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`
}

/** A feature of the vectors in m4. Those of access_db are its arguments. */
const MACROS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['nocanonify', 'accept_unresolvable_domains', 'accept_unqualified_senders', 'blocklist_recipients', 'delay_checks', 'relay_hosts_only', 'relay_entire_domain', 'relay_local_from', 'relay_mail_from', 'relay_based_on_MX', 'promiscuous_relay', 'loose_relay_check', 'require_rdns'].map(
      name => [name, `FEATURE(\`${name}')dnl`],
    ),
  ),
  ...Object.fromEntries(
    ['delay_checks:friend', 'delay_checks:hater', 'relay_mail_from:domain', 'nopercenthack:reject', 'nopercenthack:nospecial', 'nouucp:reject', 'nouucp:nospecial'].map(feature => {
      const [name, argument] = feature.split(':')
      return [feature, `FEATURE(\`${name}', \`${argument}')dnl`]
    }),
  ),
  TLS_PERM_ERR: "define(`TLS_PERM_ERR', `1')dnl",
  confREJECT_MSG: "define(`confREJECT_MSG', `551 Go away')dnl",
  confRELAY_MSG: "define(`confRELAY_MSG', `554 No relaying here')dnl",
  confRCPTREJ_MSG: "define(`confRCPTREJ_MSG', `550 No such mailbox')dnl",
}
