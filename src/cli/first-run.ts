/**
 * What `postern up` makes in an empty place, with answers that suit a first try: a relay of this
 * machine's name, a certificate for whoever started it, and a next hop that keeps mail here.
 */

import os from 'node:os'
import { mkdirSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { isHostname } from '../core/config/forms.ts'
import { defaultConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { writeWholeFile } from '../io/whole-file.ts'
import { bindListeners } from '../process/sockets.ts'
import type { AuthorityRequest } from '../relay/admin.ts'
import { accountName } from './account.ts'
import { initialise, writeIssued } from './initialise.ts'
import { askStarted } from './running.ts'
import { CLIENT_DAYS } from './validity.ts'

export type FirstRun = {
  readonly hostname: string
  readonly domain: string
  /** HOST:PORT, or null to keep mail here. */
  readonly smarthost: string | null
}

export type You = { readonly name: string; readonly address: string; readonly p12Password: string }

/** RFC 6761 §6.2: nobody has a domain below `test`. */
const DOMAIN_FOR_TRIES = 'example.test'
const SINK_PORT = 2526

export function hostnameOfMachine(): string {
  const name = os.hostname().toLowerCase()
  return name.includes('.') && isHostname(name) ? name : 'localhost'
}

/** `mx.example.org` is probably of `example.org`. */
export function domainOfHost(hostname: string): string {
  if (hostname === 'localhost') return DOMAIN_FOR_TRIES
  const rest = hostname.split('.').slice(1)
  return rest.length >= 2 ? rest.join('.') : hostname
}

export async function makeFirstDirectory(directory: string, { hostname, domain, smarthost }: FirstRun): Promise<You> {
  const name = nameOfUser()
  const address = `${name}@${domain}`
  const request = { do: 'issueClient', name, kind: 'person', addresses: [address], dnsNames: [], senders: [], keyType: 'p256', days: CLIENT_DAYS } as const
  let p12Password = ''
  await initialise(
    directory,
    {
      hostname,
      domains: [domain],
      organisation: null,
      caName: null,
      keyType: 'p256',
      smarthost: smarthost ?? `127.0.0.1:${await freePort(SINK_PORT)}`,
      smarthostIsTrial: smarthost === null,
      addresses: await addressesForTakenPorts(),
      passphraseFile: null,
    },
    async authority => {
      const folder = path.join(directory, 'clients')
      mkdirSync(folder, { mode: 0o700 })
      if (smarthost === null) mkdirSync(path.join(directory, 'sink'), { mode: 0o700 })
      const asPem = await askStarted(authority, { ...request, format: 'pem' } satisfies AuthorityRequest, 'issuedClient')
      await writeIssued(path.join(folder, name), asPem.issued)
      const asFile = await askStarted(authority, { ...request, format: 'p12' } satisfies AuthorityRequest, 'issuedClient')
      if (asFile.issued.format !== 'p12') return
      await writeWholeFile(path.join(folder, `${name}.p12`), Buffer.from(asFile.issued.p12Base64, 'base64'), 0o600)
      p12Password = asFile.issued.password
    },
  )
  return { name, address, p12Password }
}

/** A name for a certificate; an account's own name where it can be one. */
function nameOfUser(): string {
  const name = accountName()
  return name !== null && /^[a-z][a-z0-9._-]{0,31}$/.test(name) && name !== 'root' ? name : 'me'
}

/** Where another program has a port, the one beside it, or else any. What isn't allowed falls back by itself. */
async function addressesForTakenPorts(): Promise<{ readonly [Name in ListenerName]?: string }> {
  const { listeners } = defaultConfig('localhost')
  const addresses: { [Name in ListenerName]?: string } = {}
  for (const name of ['mx', 'submission', 'submissions'] as const) {
    if (await canBind(listeners, name)) continue
    addresses[name] = `[::]:${await freePort(listeners[name].fallbackPort ?? 0)}`
  }
  return addresses
}

async function canBind(listeners: Config['listeners'], name: ListenerName): Promise<boolean> {
  const off = { ...listeners.mx, enabled: false }
  const sockets = await bindListeners({ mx: off, submission: off, submissions: off, lmtp: off, [name]: listeners[name] }, {})
  if (sockets.ok) sockets.value.close()
  return sockets.ok
}

/** The port if nobody listens there, else one that the system chooses. */
async function freePort(wanted: number): Promise<number> {
  const tried = await tryPort(wanted)
  return tried ?? (await tryPort(0)) ?? wanted
}

async function tryPort(port: number): Promise<number | null> {
  const server = net.createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address() as net.AddressInfo
      server.close(() => resolve(found))
    })
  })
}
